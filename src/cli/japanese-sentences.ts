/** The sentences of msync and of the daemon's answers in Japanese, by the English ones; reasons and the doctor have files of their own. */

/**
 * `{0}` is the place of an argument. Where a Japanese sentence has it as `{0*}`, the argument is a sentence or a phrase itself, and is
 * translated as well. Names and paths never are.
 */
export const JAPANESE_SENTENCES: Readonly<Record<string, string>> = {
  // The result of a push.
  "nothing was changed anywhere: {0}": "どのホストでも何も変更していません: {0*}",
  "{0}: {1} after the commit: push again to be sure of it":
    "{0}: 切り替えの後: {1*}。確実にするには、もう一度送ってください",
  "{0}: 'msync --members' lists those that are there":
    "{0*}。'msync --members' でメンバーの一覧を表示できます",
  "{0}, so --except leaves nobody out by it": "{0*}。そのため、この --except では誰も除かれません",
  "no member has the label {0}": "ラベル {0} を持つメンバーはいません",
  "no member is called {0}": "{0} に一致する名前のメンバーはいません",
  "{0} is not a member": "{0} はメンバーではありません",
  "compared {0} entries in {1} s on {2} of {3} hosts: {4} differences":
    "{3} 台中 {2} 台で {0} 個を {1} 秒で比較しました。違いは {4} 件です",
  "would send {0} entries, {1} bytes to {2} of {3} hosts, found in {4} s":
    "{3} 台中 {2} 台に {0} 個、{1} バイトを送ることになります（{4} 秒で調べました）",
  "sent {0} entries, {1} bytes ({2} saved) in {3} s to {4} of {5} hosts":
    "{5} 台中 {4} 台に {0} 個、{1} バイト（うち {2} バイトを節約）を {3} 秒で送りました",
  "sent {0} entries, {1} bytes ({2} saved) in {3} s to {4} of {5} hosts, {6} MB/s":
    "{5} 台中 {4} 台に {0} 個、{1} バイト（うち {2} バイトを節約）を {3} 秒で送りました（{6} MB/s）",
  "sent {0} entries, {1} bytes in {2} s to {3} of {4} hosts":
    "{4} 台中 {3} 台に {0} 個、{1} バイトを {2} 秒で送りました",
  "sent {0} entries, {1} bytes in {2} s to {3} of {4} hosts, {5} MB/s":
    "{4} 台中 {3} 台に {0} 個、{1} バイトを {2} 秒で送りました（{5} MB/s）",

  "it catches up as soon as it can": "可能になりしだい、自動的に取得します",
  "this host keeps no log of pushes, because its state directory cannot be written (see --state): it does not know what hosts lack":
    "状態ディレクトリに書き込めないため、このホストには配布の記録がなく（--state を見てください）、何が足りないかわかりません",
  "{0} has told no log of pushes, so it does not catch up: 'msync --status' on it says why":
    "{0} は配布の記録を伝えていないため、受け取れなかった配布を取得しません。理由はそのホストの 'msync --status' でわかります",
  "no: no log of pushes is kept, because the state directory cannot be written (see --state)":
    "no: 状態ディレクトリに書き込めないため、配布の記録がありません（--state を見てください）",

  // Taking a push back.
  "push again": "もう一度送ってください",
  "repeat the undo": "もう一度取り消してください",
  "see 'msync --members -v'": "'msync --members -v' で確認してください",
  "push {0} is taken back": "配布 {0} を取り消しました",
  "this host keeps nothing to take a push back: set 'undo = 10' in /etc/makuosan.conf on every host, and reload makuosan; pushes from then on can be taken back":
    "このホストは、配布の取り消しに必要なものを保持していません。全ホストの /etc/makuosan.conf に 'undo = 10' と書き、makuosan を再読み込みしてください。その後の配布を取り消せます",
  "this host cannot take a push back, because it does not know which there were: {0}":
    "このホストは配布の記録を持たないため、配布を取り消せません: {0*}",
  "{0} cannot take a push back, because makuosan is too old there: update it, and repeat the command":
    "{0} の makuosan は古く、配布を取り消せません。更新してから、もう一度実行してください",
  "there is no push that could be taken back: 'msync --history -v' lists the last ones with their ids":
    "取り消せる配布がありません。'msync --history -v' が、最近の配布を ID とともに表示します",
  "the last push cannot be taken back, because it is not in the log: a host of version 2.0 had a part in it, or it had more than 16 KB of exclude patterns; the one before it is {0}":
    "最後の配布は記録にないため、取り消せません。バージョン 2.0 のホストが加わっていたか、除外パターンが 16 KB を超えていました。その前の配布は {0} です",
  "no push has the id {0}: 'msync --history -v' lists the last ones with their ids":
    "ID が {0} の配布はありません。'msync --history -v' が、最近の配布を ID とともに表示します",
  "{0} pushes have an id that begins with {1}: give more of it":
    "{1} で始まる ID の配布が {0} 件あります。続きも指定してください",
  "push {0} was taken back already: 'msync --undo {1}' brings it again":
    "配布 {0} は、すでに取り消されています。'msync --undo {1}' で元に戻せます",
  "push {0} from {1} came after push {2} and has some of the same paths: take that back first with 'msync --undo {3}'":
    "配布 {2} の後に、{1} からの配布 {0} が同じパスを変えています。先に 'msync --undo {3}' で取り消してください",
  "leave it out; a push is taken back as a whole, on all hosts that it was for":
    "これを付けずに実行してください。配布は、送られた全ホストで、まるごと取り消されます",

  // While a push goes on.
  "{0} is not sent: {1}": "{0} は送りません: {1*}",
  "waiting for 1 other push": "ほかの配布 1 件が終わるのを待っています",
  "waiting for {0} other pushes": "ほかの配布 {0} 件が終わるのを待っています",
  "{0} has been {1} for {2} s": "{0} は {2} 秒前から{1*}です",
  comparing: "比較中",
  writing: "書き込み中",
  "making durable": "ディスクに確定中",
  "listing deletes": "削除するものを調査中",
  switching: "切り替え中",
  reading: "読み込み中",
  "{0} is left out: {1}": "{0} を除いて続けます: {1*}",
  "{0} lines are missing above: they were not read fast enough":
    "読み出しが間に合わず、ここまでに {0} 行を省きました",

  // Watching.
  "watching {0} directories below {1}": "{1} 以下の {0} 個のディレクトリを見張っています",
  "all that had failed has been pushed now": "失敗していたものを、すべて送り終えました",
  "{0}; it is tried again in {1} s": "{0*}。{1} 秒後にもう一度試みます",
  "the push failed": "配布に失敗しました",
  "the daemon works on {0} now: start msync --watch again":
    "デーモンのベースディレクトリが {0} に変わりました。msync --watch を起動し直してください",
  "the daemon is of an earlier version: run 'systemctl restart makuosan' for --watch":
    "デーモンのバージョンが古いため、--watch は使えません。'systemctl restart makuosan' を実行してください",
  "there is no {0} below {1}: name another path": "{1} の下に {0} がありません。別のパスを指定してください",
  "the base directory {0} was moved or removed: start makuosan and msync again":
    "ベースディレクトリ {0} が移動または削除されました。makuosan と msync を起動し直してください",
  "{0} cannot be watched ({1}): let this user read it":
    "{0} を見張れません（{1}）。このユーザーに読む権限を与えてください",
  "no more trees can be watched ({0}): raise the limit with 'sysctl -w fs.inotify.max_user_instances=512', or end other programs that watch files":
    "これ以上のツリーを見張れません（{0}）。'sysctl -w fs.inotify.max_user_instances=512' で上限を上げるか、ファイルを見張っているほかのプログラムを終了してください",
  "--watch needs the FFI library, which cannot be loaded here: use a timer and msync -r":
    "--watch に必要な FFI ライブラリを読み込めません。タイマーと msync -r を使ってください",
  "{0} cannot be watched: this user may watch {1} directories, and the tree has more; run 'sysctl -w fs.inotify.max_user_watches={2}', and write that into a file in /etc/sysctl.d":
    "{0} を見張れません。このユーザーが見張れるのは {1} ディレクトリまでで、ツリーにはそれより多くあります。'sysctl -w fs.inotify.max_user_watches={2}' を実行し、同じ設定を /etc/sysctl.d のファイルに書いてください",

  // Members, and other hosts that are heard.
  "no key is set: anyone on this network can write to these servers":
    "鍵が設定されていません。このネットワークの誰でも、これらのサーバーに書き込めます",
  "no: anyone on this network can write here; give a key with -k":
    "no: このネットワークの誰でも書き込めます。-k で鍵を指定してください",
  "{0} (lost with the interface: {1})": "{0}（インターフェースとともに失ったメンバー: {1}）",
  "{0} (last from {1})": "{0}（最後は {1} から）",
  "in memory only: {0} cannot be written ({1})": "メモリーの中だけ: {0} に書き込めません（{1}）",
  "{0} is heard but does not answer: is UDP {1} let in there?":
    "{0} のパケットは届きますが、応答がありません。そのホストで UDP {1} の受信は許可されていますか？",
  "{0} packets under another key from {1}: is its key file that of this fleet?":
    "{1} から別の鍵のパケットが {0} 個届きました。その鍵ファイルは、ほかのホストと同じものですか？",
  "{0} says that it sends from {1}: networks that translate addresses are not supported":
    "{0} は、送信元を {1} だと言っています。アドレスを変換するネットワークには対応していません",
  "{0} does not get what this host sends to the group: does multicast pass from here to there?":
    "このホストがグループに送るものが {0} に届いていません。ここからそこへ、マルチキャストは通りますか？",
  "{0} answers, but what it sends to the group does not arrive: does multicast pass from there to here?":
    "{0} は応答しますが、グループに送るものが届きません。そこからここへ、マルチキャストは通りますか？",
  "{0} at {1} speaks version {2} of the protocol; {3}":
    "{1} の {0} は、プロトコルのバージョン {2} を使っています。{3*}",
  "{0} at {1} speaks version {2} of the protocol, under another key; {3}":
    "{1} の {0} は、別の鍵で、プロトコルのバージョン {2} を使っています。{3*}",
  "upgrade makuosan on this host": "このホストの makuosan を更新してください",
  "upgrade makuosan there": "そのホストの makuosan を更新してください",
  "If not, run {0}": "許可されていなければ、{0*} を実行してください",
  "'{0}', '{1}', or for nftables '{2}'": "'{0}'、'{1}'、nftables なら '{2}'",
  "{0} If not, copy the key file of this host to it, and run 'systemctl restart makuosan' there":
    "{0*}違う場合は、このホストの鍵ファイルをコピーし、そこで 'systemctl restart makuosan' を実行してください",
  "there is no member to send to: {0}": "送り先のメンバーがいません: {0*}",
  "there is no member to send to: 'msync --members' lists those that are there":
    "送り先のメンバーがいません。'msync --members' でメンバーの一覧を表示できます",
  "this host has no route to {0}: run 'ip route add {1} dev {2}', and make it last in the settings of the network":
    "このホストには {0} への経路がありません。'ip route add {1} dev {2}' を実行し、ネットワークの設定にも書いてください",
  "no other host is heard on {0} ({1})": "{0}（{1}）では、ほかのホストのパケットが届いていません",
  "{0}; this host also has {1}: to use another one, run 'makuosan --set interface={2}' and 'systemctl restart makuosan'":
    "{0*}。このホストには {1} もあります。使うものを変えるには、'makuosan --set interface={2}' と 'systemctl restart makuosan' を実行してください",
  "{0}: run 'systemctl start makuosan' on the others. Is UDP {1} let in here? {2}":
    "{0*}。ほかのホストで 'systemctl start makuosan' を実行してください。このホストで UDP {1} の受信は許可されていますか？{2*}",
  "the interface {0} is away: {1}": "インターフェース {0} が使えません: {1}",

  // The daemon refuses a push.
  "this daemon was started not to send (-s): take the push back from another server":
    "このデーモンは送信しない設定（-s）で起動しています。別のサーバーで取り消してください",
  "this daemon was started not to send (-s): push from another server":
    "このデーモンは送信しない設定（-s）で起動されています。別のサーバーから配布してください",
  "msync was interrupted while it waited for members": "メンバーを待つ間に msync が中断されました",
  "msync was interrupted before its turn had come": "順番が来る前に msync が中断されました",
  "{0} transfers are waiting already: try again later":
    "すでに {0} 件の転送が待っています。後でもう一度試してください",
  "{0} of {1} members are there after {2} s: 'msync --members' lists them":
    "{2} 秒待ちましたが、メンバーは {1} 台のうち {0} 台です。'msync --members' で一覧を表示できます",
  "{0} hosts are named: give {1} at the most, or use patterns":
    "{0} 台のホストが指定されました。{1} 台までにするか、パターンを使ってください",
  "{0} members are called {1} ({2}): name one by its address, or give each its own name with 'makuosan --set name=NAME' and 'systemctl restart makuosan' there":
    "{1} という名前のメンバーが {0} 台あります（{2}）。アドレスで指定するか、それぞれのホストで 'makuosan --set name=NAME' と 'systemctl restart makuosan' を実行して、別の名前を付けてください",
  "the pattern '{0}' ends with a backslash: leave it out":
    "パターン '{0}' がバックスラッシュで終わっています。取り除いてください",
  "the daemon is stopping: start it again and repeat the command":
    "デーモンが停止中です。起動し直してから、コマンドをもう一度実行してください",
  "the daemon cannot tell who asks, because the FFI library cannot be loaded, and gives no group then: leave -g out, and use chgrp before the push":
    "FFI ライブラリを読み込めず、誰の依頼か分からないため、グループは設定できません。-g を付けずに、配布の前に chgrp を使ってください",
  "the user {0} is not in the group {1}, and cannot give files to it: name a group of this user, or be root":
    "ユーザー {0} はグループ {1} に属していないため、ファイルをそのグループにできません。自分のグループを指定するか、root で実行してください",
  "the group {0} is unknown on this host: create it, or name another with {1}":
    "グループ {0} はこのホストにありません。作るか、{1} で別のグループを指定してください",
  "the user {0} is unknown on this host: create it, or name another with {1}":
    "ユーザー {0} はこのホストにいません。作るか、{1} で別のユーザーを指定してください",
  "the base directory can only be sent with everything in it: add -r":
    "ベースディレクトリは、中身ごとでなければ送れません。-r を付けてください",
  "the base directory {0} is not on the file system that it was on when the daemon began to use it: is something not mounted? Add --force-delete if that is what you want":
    "ベースディレクトリ {0} が、デーモンが使い始めたときとは別のファイルシステムにあります。マウントを忘れていませんか？それでよければ --force-delete を付けてください",
  "{0} is empty here, so everything in it would be deleted: is something not mounted? Add --force-delete if that is what you want":
    "{0*} はこのホストで空のため、中身がすべて削除されることになります。マウントを忘れていませんか？それでよければ --force-delete を付けてください",
  "the base directory": "ベースディレクトリ",
  "there are {0} exclude patterns: give {1} at the most":
    "除外パターンが {0} 個あります。{1} 個までにしてください",
  "the exclude patterns have {0} bytes: give {1} at the most":
    "除外パターンが {0} バイトあります。{1} バイトまでにしてください",
  "the exclude pattern '{0}' matches nothing: give one with a name in it":
    "除外パターン '{0}' は何にも一致しません。名前を含むものにしてください",
  "the exclude pattern '{0}' ends a name with a backslash: write \\\\ for the character":
    "除外パターン '{0}' に、バックスラッシュで終わる名前があります。その文字は \\\\ と書いてください",
  "'{0}' leads out of the base directory: give a path below it, without '..'":
    "'{0}' はベースディレクトリの外を指しています。'..' を使わず、その中のパスを指定してください",
  "'{0}' has '..' in it, which is not followed: write '{1}'":
    "'{0}' の '..' はたどりません。'{1}' と書いてください",
  "'{0}' is where transfers are staged, which is never sent: leave it out":
    "'{0}' は転送の準備に使う場所で、送ることはありません。取り除いてください",
  "'{0}...' is too long: a name may have 255 bytes, a path {1}":
    "'{0}...' は長すぎます。名前は 255 バイト、パスは {1} バイトまでです",

  // The request, as the daemon reads it.
  "the request is not JSON": "要求が JSON ではありません",
  "the request is not an object": "要求がオブジェクトではありません",
  "the request's command is not text": "要求の command が文字列ではありません",
  "the daemon does not know the command {0}": "デーモンはコマンド {0} を知りません",
  "the request's {0} is none of {1}": "要求の {0} は {1} のどれでもありません",
  "the request's {0} is not true or false": "要求の {0} が true でも false でもありません",
  "the request's {0} is not a whole number up to 1000000": "要求の {0} が 1000000 までの整数ではありません",
  "the request's {0} is not text": "要求の {0} が文字列ではありません",
  "the request's {0} is longer than {1} characters": "要求の {0} が {1} 文字を超えています",
  "one of the request's {0} is longer than {1} bytes": "要求の {0} に {1} バイトを超えるものがあります",
  "the request's {0} have {1} bytes: give {2} at the most":
    "要求の {0} が {1} バイトあります。{2} バイトまでにしてください",
  "the request's {0} is not a list": "要求の {0} がリストではありません",
  "the request's {0} are not byte strings": "要求の {0} がバイト列ではありません",

  // The control socket.
  "the daemon gave another answer than expected":
    "デーモンが思いがけない応答を返しました。msync とデーモンのバージョンを比べてください",
  "msync was interrupted before {0}": "msync が中断されました。{0*}",
  "the daemon answered: repeat the command":
    "デーモンはまだ応答していません。コマンドをもう一度実行してください",
  "the daemon gave the result: see 'msync --history' when it answers again":
    "デーモンはまだ結果を返していません。応答するようになったら 'msync --history' を見てください",
  "the target '{0}' names no control socket: {1}": "'{0}' は制御ソケットの指定ではありません。{1*}",
  "the path of a socket can have {0} bytes, and {1} has {2}: choose a shorter one":
    "ソケットのパスは {0} バイトまでですが、{1} は {2} バイトあります。短いものを選んでください",
  "give unix:{0}": "unix:{0} と指定してください",
  "give unix:PATH": "unix:PATH の形で指定してください",
  "there is no console on the network any more, run msync on that host, for example over ssh":
    "ネットワーク経由の操作は廃止されました。ssh などで、そのホストの msync を実行してください",
  "what answers on the socket is no makuosan: name the right one with -c unix:PATH":
    "そのソケットで応答しているのは makuosan ではありません。-c unix:PATH で正しいものを指定してください",
  "the daemon ended the connection: see its log": "デーモンが接続を閉じました。デーモンのログを見てください",
  "too many clients wait for the makuosan on {0}: try again later":
    "{0} の makuosan に接続しようとしているものが多すぎます。後でもう一度試してください",
  "{0}: try again later": "{0*}。後でもう一度試してください",
  "{0} clients are connected already": "すでに {0} 個の接続があります",
  "{0} clients of this user are connected already": "このユーザーの接続が、すでに {0} 個あります",
  "no makuosan answers on {0}: start it with 'systemctl start makuosan', or name its socket with -c unix:PATH":
    "{0} で makuosan が応答しません。'systemctl start makuosan' で起動するか、-c unix:PATH でソケットを指定してください",
  "permission denied: only root may use the control socket {0}":
    "アクセス権がありません。制御ソケット {0} を使えるのは root だけです",
  "permission denied: join the group {0}, or be root, to use the control socket {1}: run 'usermod -aG {2} {3}' as root, and log in again":
    "アクセス権がありません。制御ソケット {1} を使えるのは、グループ {0} に属するユーザーと root です。root で 'usermod -aG {2} {3}' を実行し、ログインし直してください",

  // Hooks, whose last line follows.
  "cannot be run ({0})": "を実行できません（{0}）",
  "did not end within {0} s": "が {0} 秒以内に終わりませんでした",
  "was ended by {0}": "が {0} で終了しました",
  "was ended by {0}: {1}": "が {0} で終了しました: {1}",
  "ended with status {0}": "がステータス {0} で終了しました",
  "ended with status {0}: {1}": "がステータス {0} で終了しました: {1}",
  "was ended because the daemon is stopping": "が、デーモンの停止のため終了しました",
  "was ended, because the transfer is over": "が、転送が終わったため終了しました",

  // The command line.
  "nothing to send: name a path, or give -r for the whole base directory":
    "送るものがありません。パスを指定するか、ベースディレクトリ全体なら -r を付けてください",
  "unknown option '{0}': {1}": "'{0}' というオプションはありません。{1*}",
  "unknown option '{0}': there is only {1}, which means the opposite; {2}":
    "'{0}' というオプションはありません。あるのは、反対の意味の {1} だけです。{2*}",
  "option '{0}' argument missing: {1}": "オプション '{0}' に値がありません。{1*}",
  "{0} is an option of {1}: '{2} --help' lists its options":
    "{0} は {1} のオプションです。'{2} --help' で一覧を表示できます",
  "{0} takes no value: leave out what follows the '='":
    "{0} に値は指定できません。「=」から後ろを取り除いてください",
  "{0} does not go together with --check, which sends nothing: leave it out, or give --repair":
    "{0} は、何も送らない --check と同時に指定できません。取り除くか、--repair を指定してください",
  "--compress does not go together with --no-compress: leave one of them out":
    "--compress と --no-compress は同時に指定できません。どちらかを取り除いてください",
  "a path is empty: name one, or give '/' for the base directory":
    "空のパスがあります。パスを指定するか、ベースディレクトリなら '/' と書いてください",
  "did you mean 'msync {0}'?": "'msync {0}' のことですか？",
  "'{0}' is a command of scripts: see 'msync -f SCRIPT'":
    "'{0}' はスクリプトのコマンドです。'msync -f SCRIPT' を見てください",
  "a shell looks in its current directory for what matches: run msync in {0}":
    "シェルがパターンを展開するのはカレントディレクトリです。{0} で msync を実行してください",
  "paths are relative to the base directory {0}": "パスはベースディレクトリ {0} からの相対パスです",
  "paths are relative to the base directory {0}: write '{1}'":
    "パスはベースディレクトリ {0} からの相対パスです。'{1}' と書いてください",
  "--undo has an empty id: give the id of a push, or no id at all for the last push":
    "--undo の ID が空です。配布の ID を指定するか、最後の配布なら ID を付けないでください",
  "the name of a host is empty: name one, or leave the name out":
    "ホスト名が空です。ホストを指定するか、名前を省いてください",
  "--{0} is given twice: run msync once for each":
    "--{0} が 2 回指定されています。msync を 1 つずつ実行してください",
  "did you mean {0}?": "{0} のことですか？",
  "did you mean one of {0}?": "{0} のどれかですか？",
  "'msync --help' lists the options": "'msync --help' でオプションの一覧を表示できます",
  "'msync --help' lists the options of a push": "'msync --help' で配布のオプションを表示できます",
  "{0} is no option any more: {1}": "{0} は廃止されました。{1*}",
  "the owner and the mode of the control socket decide who can run msync":
    "msync を実行できる人は、制御ソケットの所有者とモードで決まります",
  "--keep-going is for scripts: give one with -f":
    "--keep-going はスクリプト用です。-f でスクリプトを指定してください",
  "the path '{0}' does not go together with --{1}: leave one of them out":
    "パス '{0}' と --{1} は同時に指定できません。どちらかを取り除いてください",
  "{0} does not go together with --{1}: {2}": "{0} と --{1} は同時に指定できません。{2*}",
  "leave one of them out": "どちらかを取り除いてください",
  "leave it out, or name a path to send": "取り除くか、送るパスを指定してください",
  "leave one of them out; -l sets the level of the daemon's log, and -v makes msync say more":
    "どちらかを取り除いてください。-l はデーモンのログレベルを変えるもので、msync の表示を増やすのは -v です",
  "give only one of --{0}": "次のうち 1 つだけを指定してください: --{0}",
  "--add is for --keygen alone: write 'msync --keygen --add FILE'":
    "--add は --keygen と組み合わせます。'msync --keygen --add FILE' と書いてください",
  "'{0}' is no log level: give fatal, error, warn, info, debug or trace; to make msync say more, use -v":
    "'{0}' というログレベルはありません。error, warn, info, debug, trace のどれかを指定してください。msync の表示を増やすには -v を使ってください",
  "the log level '{0}' does not exist: give {1}, or 0 to 9":
    "'{0}' というログレベルはありません。{1}、または 0 から 9 を指定してください",
  "--history is '{0}': give a number of transfers":
    "--history の値 '{0}' は数ではありません。転送の数を指定してください",
  "--delete looks at directories with all that is in them: add -r":
    "--delete はディレクトリを中身ごと調べます。-r を付けてください",
  "dsync looks at directories with all that is in them: add -r":
    "dsync はディレクトリを中身ごと調べます。-r を付けてください",
  "--force-delete is for --delete and --sync: add one of them":
    "--force-delete は --delete か --sync とともに使います。どちらかを付けてください",
  "--wait is '{0}': give a number of members, or one and a time, such as 3,60 for a minute":
    "--wait の値 '{0}' が正しくありません。メンバーの数か、3,60（3 台を 60 秒まで）のように数と秒数を指定してください",
  "{0} is not a member, and -t and --except are given for each host":
    "{0} はメンバーではありません。-t と --except は、ホストごとに指定してください",
  "--except names the only member: leave a name out":
    "--except がただひとつのメンバーを名指ししています: 名前をひとつ外してください",
  "--except names all {0} members: leave a name out":
    "--except が {0} 個のメンバーすべてを名指ししています: 名前をひとつ外してください",
  "the only member does not receive: run 'makuosan --set receive=yes' and 'systemctl restart makuosan' there":
    "ただひとつのメンバーが受信しません: そのホストで 'makuosan --set receive=yes' と 'systemctl restart makuosan' を実行してください",
  "no member receives: run 'makuosan --set receive=yes' and 'systemctl restart makuosan' there":
    "受信するメンバーがいません: それらのホストで 'makuosan --set receive=yes' と 'systemctl restart makuosan' を実行してください",
  "the host of {0} is empty: name one, or leave {1} out":
    "{0} のホストが空です: ひとつ指定するか、{1} を外してください",
  "the group of -g is empty: name one, or leave -g out":
    "-g のグループが空です。グループを指定するか、-g を取り除いてください",
  "the exclude patterns of {0} cannot be read ({1}): name another file":
    "{0} の除外パターンを読めません（{1}）。別のファイルを指定してください",

  // Scripts.
  "the exclude patterns of {0} have a NUL byte in them: save them as text in UTF-8":
    "{0} の除外パターンに NUL バイトがあります。UTF-8 のテキストとして保存してください",
  "the line has a NUL byte in it: save the script as text in UTF-8":
    "この行に NUL バイトがあります。スクリプトを UTF-8 のテキストとして保存してください",
  "the script {0} cannot be read ({1}): name another file":
    "スクリプト {0} を読めません（{1}）。別のファイルを指定してください",
  "unknown command '{0}': did you mean '{1}'? the commands are {2}":
    "'{0}' というコマンドはありません。'{1}' のことですか？使えるコマンド: {2}",
  "unknown command '{0}': the commands are {1}": "'{0}' というコマンドはありません。使えるコマンド: {1}",
  "commands: {0}": "コマンド: {0}",
  "msync(1) describes them": "msync(1) に説明があります",
  "'{0}' is no number: write 'history 20'": "'{0}' は数ではありません。'history 20' のように書いてください",
  "'{0}' is no number from 0 to 9: write 'verbose 1'":
    "'{0}' は 0 から 9 までの数ではありません。'verbose 1' のように書いてください",
  "'{0}' is neither on nor off: write 'alive on'":
    "'{0}' は on でも off でもありません。'alive on' のように書いてください",
  "'{0}' is not excluded: 'exclude list' shows what is":
    "'{0}' は除外されていません。'exclude list' で一覧を表示できます",
  "write 'exclude add PATTERN...', 'exclude del PATTERN...', 'exclude list' or 'exclude clear'":
    "'exclude add PATTERN...'、'exclude del PATTERN...'、'exclude list'、'exclude clear' のどれかを書いてください",
  "{0} words follow: write '{1}'": "続く語が {0} 個あります。'{1}' のように書いてください",
  "a backslash ends the line: write the command in one line":
    "行がバックスラッシュで終わっています。コマンドは 1 行に書いてください",
  "the quote {0} is not closed: close it in the same line":
    "引用符 {0} が閉じていません。同じ行で閉じてください",

  // Keys.
  "{0} holds {1} keys now, and the new one is the last: it opens packets and does not seal yet":
    "{0} の鍵は {1} 個になりました。新しい鍵は最後にあり、受信にだけ使われ、送信にはまだ使われません",
  "next: copy the file to all other hosts, run 'systemctl reload makuosan' on every host, and only then move the new key to the front; docs/keys.md and makuosan(8) have all steps":
    "次に: ファイルをほかの全ホストにコピーし、全ホストで 'systemctl reload makuosan' を実行してください。新しい鍵を先頭に移すのは、その後です。手順は docs/keys.md と makuosan(8) にあります",
  "{0} is missing: make it with 'msync --keygen {1}'":
    "{0} がありません。'msync --keygen {1}' で作ってください",
  "{0} cannot be replaced ({1}): run this as the owner of the file, or as root":
    "{0} を置き換えられません（{1}）。ファイルの所有者か root で実行してください",
  "{0} holds {1} keys already: remove the oldest first":
    "{0} には、すでに {1} 個の鍵があります。先に最も古いものを取り除いてください",
  "{0}.new is there already: another msync changes the key file now, or was ended while it did; remove it then":
    "{0}.new がすでにあります。別の msync が鍵ファイルを変更中か、途中で終了しました。終了していれば、取り除いてください",
  "{0} is not a regular file: name the key file":
    "{0} は通常のファイルではありません。鍵ファイルを指定してください",
  "{0} is too large for a key file: name the key file":
    "{0} は鍵ファイルには大きすぎます。鍵ファイルを指定してください",
  "{0} can be read or changed by everybody: 'chmod 600 {1}'":
    "{0} は誰でも読むか変更できます。'chmod 600 {1}' を実行してください",
  "{0} is there already: remove it first if a new key is really wanted":
    "{0} はすでにあります。本当に新しい鍵が必要なら、先に取り除いてください",
  "{0} cannot be written ({1}): name another file":
    "{0} に書き込めません（{1}）。別のファイルを指定してください",
  "the key file {0} holds no key in {1}: write one of 'msync --keygen', or put # before a comment":
    "鍵ファイル {0} の{1*}は鍵ではありません。'msync --keygen' の鍵を書くか、コメントの前に # を付けてください",
  "the key file {0} holds the key of line {1} again in {2}: remove one":
    "鍵ファイル {0} の {1} 行目と{2*}に、同じ鍵があります。一方を取り除いてください",
  "line {0}": " {0} 行目",
  "the key file {0} holds no key: make one with 'msync --keygen'":
    "鍵ファイル {0} に鍵がありません。'msync --keygen' で作ってください",
  "the key file {0} holds {1} keys: keep {2} at the most, and remove the oldest":
    "鍵ファイル {0} に {1} 個の鍵があります。古いものを取り除き、{2} 個までにしてください",

  // The output.
  "nobody reads the output any more (EPIPE): the command was carried out, and a part of its output is missing":
    "出力の読み手がいなくなりました（EPIPE）。コマンドは実行しましたが、出力の一部が欠けています",
  "the output cannot be written ({0}): make room, or send it to another place":
    "出力を書き込めません（{0}）。空きを作るか、別の場所に出力してください",
};
