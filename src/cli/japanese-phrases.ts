/** The short phrases of the progress bar, of --top and of states in Japanese, by the English ones. */

/** They stand apart from the sentences: a phrase as short as these would be found in what it does not mean. */
export const JAPANESE_PHRASES = {
  // The progress bar. A name stands at the end, where it is seen if the line has to be cut.
  switching: "切り替え中",
  ending: "終了処理中",
  comparing: "比較中",
  "{0} left": "残り {0}",
  "{0} entries": "{0} 件",
  "{0} hosts": "{0} 台",
  "{0} hosts, {1} failed": "{0} 台、失敗 {1} 台",
  "slowest {0}": "最も遅い {0}",
  "waits for {0}": "待っている {0}",

  // --top.
  "{0}: {1} members, {2} sending, {3} waiting, {4} receiving":
    "{0}: メンバー {1}、送信中 {2}、順番待ち {3}、受信中 {4}",
  "problem: {0}": "問題: {0}",
  SENDING: "送信中",
  RECEIVING: "受信中",
  MEMBERS: "メンバー",
  "from {0}, for {1} s": "{0} から、{1} 秒間",
  "from {0}, for {1} s, as a dry run": "{0} から、{1} 秒間、試行",
  slowest: "最も遅い",
  "does not receive": "受信しない",
  "(and {0} more lines)": "（ほか {0} 行）",

  // Whether a host has all that was pushed for it.
  current: "最新",
  "current, but {0}": "最新、ただし {0}",
  "behind {0} since {1}": "{1} から {0} 件遅れ",
  "behind {0} since {1}: {2}": "{1} から {0} 件遅れ: {2}",
  "{0} (1 push logged)": "{0}（記録にある配布は 1 件）",
  "{0} ({1} pushes logged)": "{0}（記録にある配布は {1} 件）",
} as const;

export type Phrase = keyof typeof JAPANESE_PHRASES;
