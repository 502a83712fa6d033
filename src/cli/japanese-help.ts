/** The help of msync in Japanese, by the English one. */

import { MORE_HELP } from "./more-help.ts";

/** Option names and examples are the same in both. */
export const JAPANESE_HELP: Readonly<Record<string, string>> = {
  "Usage:": "書式:",
  "Arguments:": "引数:",
  "Options:": "オプション:",
  "Sends files below the base directory to all members at once.":
    "ベースディレクトリ以下のファイルを、全メンバーに一斉に送ります。",
  "paths to send, relative to the base directory": "送るパス（ベースディレクトリから）",
  "directories with all that is in them; without a path the whole base directory":
    "ディレクトリを中身ごと送る。パスがなければ全体",
  "only say what would be sent": "何も変更せず、送るものを表示する",
  "say what is updated; twice: what is skipped, too":
    "更新したものを表示する。2 回指定すると、変更のないものも",
  "send to this member only, or to those of a pattern or an @label":
    "このメンバー（またはパターンか @ラベル）にだけ送る",
  "do not send to this member, or to those of a pattern or an @label":
    "このメンバー（またはパターンか @ラベル）には送らない",
  "wait until so many members are there, a minute or NUMBER,SECONDS":
    "この数のメンバーを待つ。1 分か、NUMBER,SECONDS の秒数まで",
  "leave out entries that match; may be given several times": "一致するものを除く。何度でも指定できる",
  "read such patterns from a file, or from - , one a line": "除外パターンをファイル（- は標準入力）から読む",
  "give everything this group before it is sent": "送る前に、すべてのグループをこれにする",
  "with -r: delete entries that the sender does not have": "-r とともに: 送信側にないものを削除する",
  "delete the given paths that are gone on the sender": "指定したパスのうち、送信側にもうないものを削除する",
  "delete however much it is": "いくつ削除することになっても実行する",
  "compare everything by its contents, send nothing, and say what differs":
    "何も送らず、内容をすべて比較し、違いを表示する",
  "the same, and send what differs": "同じように比較し、違うものを送る",
  "find out by their contents which files differ, not by size and time":
    "サイズと時刻ではなく、内容で違いを判断する",
  "send extended attributes and access control lists, too": "拡張属性とアクセス制御リストも送る",
  "compress all contents, whatever the daemon's setting says":
    "デーモンの設定にかかわらず、すべて圧縮して送る",
  "compress nothing": "圧縮せずに送る",
  "send all of each file, also where members have another version of it":
    "メンバーに別の版があるファイルも、全体を送る",
  "end with a line on how much was sent, in how long, and to how many hosts":
    "送った量、時間、ホストの数を最後に表示する",
  "change nothing anywhere unless every member can take everything":
    "全メンバーがすべてを受け取れる場合にだけ変更する",
  "control socket of the daemon, as unix:PATH": "デーモンの制御ソケット（unix:PATH）",
  "set the daemon's log level": "デーモンのログレベルを変える",
  "carry out the commands of a script, or of - , one a line":
    "スクリプト（- は標準入力）のコマンドを 1 行ずつ実行する",
  "go on with a script when one of its commands fails": "スクリプトのコマンドが失敗しても続ける",
  "push what changes, as it changes, until a signal comes":
    "変更されたものをそのつど送る。シグナルが届くまで続ける",
  "list the members": "メンバーの一覧を表示する",
  "show how the daemon is": "デーモンの状態を表示する",
  "look for everything that is in the way of this host, or of the given HOSTs":
    "このホスト（または指定した HOST）の支障を調べる",
  "show members and running pushes, refreshed in place; q quits":
    "メンバーと実行中の配布を表示し、更新し続ける。q で終わる",
  "let this host, or the hosts named, get now what they have missed":
    "このホスト（または指定した HOST）が、受け取れなかった配布を今すぐ取得する",
  "take back the last push on all hosts, or the one with this id":
    "最後の配布（またはこの ID の配布）を、全ホストで取り消す",
  "show the last transfers": "最近の転送を表示する",
  "make a new key for a fleet": "新しい鍵を作る",
  "with --keygen: add the new key to a key file": "--keygen とともに: 新しい鍵を鍵ファイルに加える",
  "print a JSON object a line": "1 行に 1 つの JSON オブジェクトを表示する",
  "print the version": "バージョンを表示する",
  "print this help": "この説明を表示する",
  [MORE_HELP]: `
例:
  msync htdocs/index.html         ファイルを 1 つ送る
  msync -r htdocs                 ディレクトリを中身ごと送る
  msync -rn --delete              全体を送ると何が変わるかを見る
  msync -r --delete -t 'web*'     一部のメンバーをこのホストと同じにする
  msync --watch -r htdocs         変更されたものを、そのつど送る
  msync --check -r                全メンバーをこのホストと比べる

終了ステータス: 0 全メンバーにそろった、1 使い方の誤り、2 デーモンが応答しない、
3 一部のメンバーが失敗、4 メンバーがいない、5 --check が違いを見つけた、
6 --all-or-nothing のため何も変更しなかった、130 中断された。

マニュアルは msync(1): man msync`,
};
