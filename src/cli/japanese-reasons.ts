/** The sentences of reasons in Japanese. */
import type { ReasonCode } from "../base/reason-catalogue.ts";

/** A sentence for each code, with the same places for arguments as the English one; `{0*}` is that of a sentence. */
export const JAPANESE_REASONS: Readonly<Record<ReasonCode, string>> = {
  "not-durable": "まだディスクに確定していません: {0*}",
  attribute: "拡張属性 {0} を設定できません: {1*}",
  "bad-pattern": "送信側のパターン: {0*}",
  "stays-as-it-is": "元のままです: {0*}",
  "attributes-not-sent": "拡張属性を送りません: {0*}",
  "group-unchanged": "グループを変更できません: {0*}",
  "tree-unreadable": "ツリーを読めません: {0*}",
  "sender-left": "送信側が離脱しました: {0*}",
  "pre-commit": "pre-commit フック{0*}",
  "staging-foreign":
    "ほかの誰かが置いたもので、makuosan には移動できません。root で名前を変えてください: {0*}",
  "kept-beside": "削除できなかったため、{0} として残しました: {1*}",
  "kept-in-area": "削除できなかったため、{0} に残っています: {1*}",
  EACCES: "アクセス権がありません",
  EPERM: "操作が許可されていません",
  ENOENT: "そのようなファイルやディレクトリはありません",
  ENOTDIR: "パスの途中がディレクトリではないか、シンボリックリンクです（リンクはたどりません）",
  ELOOP: "シンボリックリンクに変わりました（リンクはたどりません）",
  ENOSPC: "デバイスに空き容量がありません",
  "no-inodes": "ファイルシステムの inode が足りず、これ以上ファイルを作れません",
  EBUSY: "何かがマウントされているか、カーネルが使っています",
  EDQUOT: "空き容量がありません。ディスククォータを使い切りました",
  EROFS: "ファイルシステムが読み取り専用です",
  EIO: "ディスクが入出力エラーを報告しました",
  EXDEV: "ベースディレクトリとは別のファイルシステムにあります",
  EMFILE: "開いているファイルが多すぎます",
  ENAMETOOLONG: "名前がこのファイルシステムには長すぎます",
  "system-error": "システムのエラー: {0}",
  damaged: "ディスク上のデータが壊れています（{0}）",
  "no-space": "空き容量が足りません。{0} バイト必要ですが、空きは {1} バイトです",
  "too-few-inodes": "inode が足りません。{0} 個必要ですが、空きは {1} 個です",
  "half-done": "変更の一覧を読めないため（{0}）、どの部分かは不明です",
  "path-too-long": "その中に、パスが長すぎるものがあります",
  "not-a-passage": "このメンバーではディレクトリではありませんが、パスの途中にあります",
  mounted: "そこか、その上のディレクトリに、何かがマウントされています",
  immutable: "このメンバーでは変更不可の印が付いています。'chattr -i' で外せます",
  "append-only": "このメンバーでは追記専用の印が付いています。'chattr -a' で外せます",
  "other-project": "置き場所のディレクトリが、ベースディレクトリとは別のクォータプロジェクトに属しています",
  "attributes-of-others": "このメンバーでは別のユーザーのもので、属性を設定できません",
  sticky: "別のユーザーのもので、スティッキービットの付いたディレクトリも別のユーザーのものです",
  vanished: "転送中に、このメンバーから消えました",
  "holds-protected": "このメンバーではディレクトリで、このホストが除外する {0} を含んでいます",
  "not-empty":
    "このメンバーでは空でないディレクトリです。中身をすべて削除してよければ --delete を付けてください",
  "holds-excluded": "このメンバーではディレクトリで、除外されるものを含んでいます",
  "undo-gone":
    "配布 {0} の前の状態をもう保持していません。保持する量は、そのホストの設定 undo と undo-size が決めます",
  "undo-damaged":
    "配布 {0} のために .makuosan に保持したものが壊れているか、一部が削除されています。以前のファイルがあるホストから配布してください",
  "undo-no-directory": "ファイルを元に戻す先のこのディレクトリがないか、本当のディレクトリではありません",
  "undo-excluded": "このホストの設定 exclude が今はこれを除外するため、配布を取り消せません",
  "undo-stays": "配布で作られたものではない {0} があるため、残ります",
  "undo-in-the-way":
    "このホストでは今ディレクトリで、配布で作られたものではない {0} があります。それを移して、もう一度取り消してください",
  "undo-follows": "元に戻すものを自分では持たないため、以前のファイルを他のホストから受け取ります",
  "undo-stays-behind":
    "元に戻すものを自分では持たず、設定 'catch-up = no' のため、他のホストからも受け取りません。そのホストで 'catch-up = yes' と設定してください",
  "undo-other-log": "配布の記録が送信側と異なります。少し待って、もう一度取り消してください",
  "undo-obstacle":
    "コマンドを実行したホストがいない間に、その後の配布、またはその取り消しである {0} を受け取っています。このホストでコマンドを実行してください",
  "undo-crossed":
    "同じパスの別の配布、または別の取り消しが、同時に先に行われました。'msync --history -v' で確かめ、まだ必要なら、もう一度取り消してください",
  "undo-no-log":
    "状態ディレクトリに書き込めないため、配布の記録を残していません（--state を参照）。'msync --undo' には全ホストの記録が必要です",
  "undo-nobody":
    "配布 {0} の前の状態を保持しているホストがありません。保持する量は、設定 undo と undo-size が決めます",
  "undo-not-for": "この配布の対象ではなかったため（-t、--except）、ファイルはそのままです",
  "undo-no-switch": "ほかのどのホストも配布を取り消さなかったため、このホストのファイルはそのままです",
  "undo-behind": "以前のファイルをまだ受け取っていません（{0}）",
  "delete-limit":
    "{1} 個のうち {0} 個が削除されます。上限は {2} 個です（delete-limit）。それでよければ --force-delete を付けてください",
  appeared: "転送中にこのメンバーで {0} が現れたため、元のままです。もう一度送ってください",
  "base-moved":
    "{0} が、デーモンの起動時とは別のディレクトリを指しています。そのホストで 'systemctl restart makuosan' を実行し、もう一度送ってください",
  "base-replaced": "転送中に置き換えられました。その転送が終わってから、もう一度送ってください",
  "own-push": "このメンバー自身が配布中で、そちらが後になります。比較してから、もう一度送ってください",
  overtaken: "別の転送が置き換えました。もう一度送ってください",
  incomplete: "{0} 個の内容がそろっていません",
  "cannot-be-made": "このメンバーでは作れないため、省きました",
  "link-without-file": "このメンバーにない {0} へのハードリンクのため、省きました",
  "link-cannot-be-made": "{0} へのリンクにもコピーにもできないため、省きました",
  "no-attributes": "このホストでは拡張属性を設定できません",
  unlisted: "ほかに削除 {0} 件と注意 {1} 件がありますが、一覧に入りません。同じように処理されます",
  "manifest-gap": "送信側の一覧に抜けがあります",
  "deletes-without-terms": "送信側が条件なしに削除しようとしています",
  "too-many-patterns": "送信側のパターンが多すぎます",
  "bad-block": "送信側のブロックを解釈できません（{0}）",
  "no-answer": "{0} 秒間、応答がありません",
  "still-silent": "前回に続いて、今回も応答がありません",
  deaf: "応答はありますが、{0} 秒間マルチキャストが届いていません。ファイアウォールと、クエリアのない IGMP スヌーピングを確認してください",
  stuck: "応答はありますが、{0} 秒間進んでいません",
  full: "{0} 秒間、この配布を受け入れる空きがありません",
  "disk-hung": "前の配布のため、ディスクが {0} 秒間応答していません。そのホストのカーネルログを見てください",
  "was-stopped": "停止しました",
  "fell-silent": "応答が途絶えました",
  "was-restarted": "再起動しました",
  "own-interface-away": "このホストのネットワークインターフェースが使えません",
  "does-not-receive": "受信しない設定です",
  "key-not-accepted":
    "ここで使っている鍵 {0} を受け入れません。その鍵を相手の鍵ファイルに加え、makuosan を再読み込みしてください",
  "under-another-key":
    "メンバーではなくなり、別の鍵のパケットが {1} から {0} 個届きました。共通の鍵を両方の鍵ファイルに加え、makuosan を再読み込みしてください",
  "impossible-report": "送っていないブロックを報告しています",
  "impossible-answer": "送っていない一覧に答えています",
  "sender-silent": "送信側から {0} 秒間、何も届きません",
  "sender-goes-on": "送信側は、このメンバーを除いて続けます",
  "dry-run-over": "試行です",
  "daemon-stopping": "デーモンが停止中です",
  interrupted: "msync が中断されました",
  "source-stuck": "送信側のディスクが {0} 秒間応答していません",
  unreadable: "送信側で {0} 個を読めません",
  unreachable: "{0} に届きません",
  "newer-push": "途中で別の配布が行われたため、この転送の内容は古い可能性があります。改めて要求されます",
  "changes-unreadable": "変更の一覧を読めません（{0}）",
  "path-longer": "パスが {0} バイトを超えています",
  "time-out-of-range": "時刻が 1678 年から 2261 年の範囲にありません",
  socket: "ソケットです。作ったプログラムだけが使えます",
  "links-not-kept":
    "複数の名前を持つファイルが {0} 個を超えました。これより後は名前ごとに別のファイルになります。リンクを保つには、ディレクトリを 1 つずつ送ってください",
  "other-owner": "デーモンのユーザーのものではありません",
  "pattern-matches": "それか、その上のディレクトリが、除外パターンに一致します",
  "lost-and-found": "ツリーではなく、ファイルシステムのものです",
  "became-shorter": "送信中に短くなりました",
  "changed-while-sent": "送信中に変更されました",
  "changes-all-the-time": "一覧を読むたびに変わるため、その中のものは削除しません。もう一度送ってください",
  "changed-while-read": "読み込み中に変更されました",
  other: "{0}",
};

/** How to fix the cause, for the codes for which the English catalogue has it. */
export const JAPANESE_MENDS: { readonly [Code in ReasonCode]?: string } = {
  EACCES: "デーモンのユーザーにアクセス権を与えてください",
  EPERM: "ファイルシステム、属性（lsattr）、または所有者が、そのホストのデーモンに許可していません",
  ENOTDIR: "そのホストで、パスを本当のディレクトリにしてください",
  ELOOP: "もう一度送ってください",
  "undo-no-directory": "そのホストでディレクトリを作り直し、もう一度取り消してください",
  ENOSPC: "そのホストの空き容量を増やし、もう一度送ってください",
  "no-space": "そのホストの空き容量を増やし、もう一度送ってください",
  "no-inodes": "ファイルを減らすか、inode の多いファイルシステムにしてください（df -i）",
  EBUSY: "そのホストで、アンマウントするか使用をやめ（swapoff, umount）、もう一度送ってください",
  "too-few-inodes": "ファイルを減らすか、inode の多いファイルシステムにしてください（df -i）",
  EDQUOT: "デーモンのユーザーのクォータを増やすか、空きを作ってください",
  EROFS:
    "そのホストで書き込み可能にマウントしてください。サービスの場合は、ユニットの ReadWritePaths= を見てください",
  EIO: "そのホストのカーネルログ（dmesg）を見てください",
  EMFILE: "サービスの LimitNOFILE= を増やしてください",
  "half-done": "もう一度送ってください",
  "kept-beside": "そのホストで確かめ、手で取り除いてください",
  "kept-in-area": "そのホストで原因を取り除いてください。次の配布と makuosan の次の起動のたびに試みます",
  incomplete: "もう一度送ってください",
  vanished: "もう一度送ってください",
};

/** What stands before the sentence for each time of a failure. */
export const JAPANESE_BEGINNINGS = {
  before: "",
  during: "次のものを除いて、すべて新しくなりました: ",
  after: "すべて新しくなりましたが、",
} as const;

/** The base directory, if a sentence is about it. */
export const JAPANESE_BASE = "ベースディレクトリ";
