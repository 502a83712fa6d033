/** What `makuosan` says on the command line and when it cannot start, in Japanese, by the English sentences. */

export const JAPANESE_DAEMON: Readonly<Record<string, string>> = {
  // The command line.
  "'{0}' is no option, and makuosan takes nothing else: {1}":
    "'{0}' はオプションではありません。makuosan に指定できるのはオプションだけです。{1*}",
  "run 'systemctl {0} makuosan'": "'systemctl {0} makuosan' を実行してください",
  "'makuosan --help' lists the options": "'makuosan --help' でオプションの一覧を表示できます",
  "use the sandbox of the service, see makuosan(8)":
    "代わりにサービスのサンドボックスを使ってください。makuosan(8) を見てください",
  "use systemd-coredump": "代わりに systemd-coredump を使ってください",
  "use the mode and the group of the control socket":
    "代わりに制御ソケットのモードとグループを使ってください",
  "the console is a control socket, see -U; from another host, run msync over ssh":
    "操作には制御ソケットを使います。-U を見てください。別のホストからは ssh で msync を実行してください",
  "makuosan cannot continue in the background ({0}): {1}":
    "makuosan はバックグラウンドで続行できません（{0}）。{1*}",
  "start it with -n": "-n を付けて起動してください",
  "make {0} with '{1}', or start it with -n": "'{1}' で {0} を作るか、-n を付けて起動してください",
  "{0} is missing, through which files are opened: run 'mount -t proc proc /proc' in this root directory":
    "ファイルを開くのに使う {0} がありません。このルートディレクトリで 'mount -t proc proc /proc' を実行してください",

  // Tasks.
  "the configuration is valid: {0}": "設定は正しいです: {0}",
  "a running daemon takes it at 'systemctl restart makuosan'":
    "動作中のデーモンには 'systemctl restart makuosan' で反映されます",
  "{0} is as {1} has it": "{0} は {1} のとおりです",
  "{0} has its default": "{0} はデフォルトです",
  "{0} = {1} is in {2}": "{2} に {0} = {1} と書きました",
  "{0} = {1} is in {2}, but {3} overrides it: change it there":
    "{2} に {0} = {1} と書きましたが、{3} が優先されます。そちらを変更してください",
  "--set gives {0} twice: leave one of the values out":
    "--set に {0} が 2 回指定されています。どちらかの値を取り除いてください",
  "{0} is given twice: run makuosan once for each":
    "{0} が 2 回指定されています。makuosan を 1 つずつ実行してください",
  "--set is '{0}': give KEY=VALUE": "--set の値 '{0}' が正しくありません。KEY=VALUE の形で指定してください",
  "{0} cannot be read ({1}): run makuosan --set as root":
    "{0} を読めません（{1}）。makuosan --set は root で実行してください",
  "{0} cannot be written ({1}): run makuosan --set as root":
    "{0} に書き込めません（{1}）。makuosan --set は root で実行してください",
  "{0} cannot be written ({1}): see 'ls -ld {2}' and 'findmnt -T {3}'":
    "{0} に書き込めません（{1}）。'ls -ld {2}' と 'findmnt -T {3}' で確かめてください",
  "{0} cannot be read ({1}): name another file": "{0} を読めません（{1}）。別のファイルを指定してください",

  // Config files.
  "the config file {0} {1}: name another with --config, or fix it":
    "設定ファイル {0} {1*}。--config で別のものを指定するか、直してください",
  "is missing": "がありません",
  "is a link to nothing": "はリンクで、その先に何もありません",
  "the config file {0} has a NUL byte in it: save it as text in UTF-8":
    "設定ファイル {0} に NUL バイトがあります。UTF-8 のテキストとして保存してください",
  "cannot be read ({0})": "を読めません（{0}）",
  "the config file {0} is larger than {1} bytes, as no config file is: name another with --config, or fix it":
    "設定ファイル {0} は {1} バイトを超えていて、設定ファイルとは思えません。--config で別のものを指定するか、直してください",
  "the config directory {0} cannot be read ({1}): {2}": "設定ディレクトリ {0} を読めません（{1}）。{2*}",
  "fix its rights": "アクセス権を直してください",
  "make it a directory, or remove it": "ディレクトリにするか、取り除いてください",
  "{0}: '{1}' is given as a section or a list: write '{2} = VALUE'":
    "{0}: '{1}' がセクションかリストになっています。'{2} = VALUE' と書いてください",
  "{0}: '{1}' has no '=': write '{2} = {3}'": "{0}: '{1}' に '=' がありません。'{2} = {3}' と書いてください",
  "{0}: there is no key: write 'KEY = VALUE'": "{0}: キーがありません。'KEY = VALUE' と書いてください",
  "{0}: unknown key '{1}':{2} the keys are {3}": "{0}: '{1}' というキーはありません。{2*}使えるキー: {3}",
  "{0}: unknown section [{1}]: there are no sections, remove this line":
    "{0}: [{1}] というセクションは使えません。この行を取り除いてください",
  "{0}: unknown key '{1}': write '{2} = no' for what --{3} does":
    "{0}: '{1}' というキーはありません。--{3} と同じことは '{2} = no' と書きます",
  "{0}: the value has a '{1}' in it: put it in quotes, or a space before a comment":
    "{0}: 値に '{1}' が含まれています。値を引用符で囲むか、コメントの前に空白を入れてください",
  '{0}: the value does not end with the quote that closes it: put all of it in one pair of quotes, such as "A, B"':
    '{0}: 値が、閉じる引用符で終わっていません。"A, B" のように、全体を一組の引用符で囲んでください',
  " did you mean '{0}'?": "'{0}' のことですか？",

  // Values.
  "{0} is '{1}': give yes or no": "{0} の値 '{1}' が正しくありません。yes か no を指定してください",
  "{0} has bytes in it that are not UTF-8: write it in UTF-8":
    "{0} に UTF-8 でないバイトがあります。UTF-8 で書いてください",
  "{0} is '{1}': nothing is put in the place of '{2}', give the whole path":
    "{0} の値 '{1}' が正しくありません。'{2}' は展開されないので、パスの全体を指定してください",
  "{0} is '{1}': give 0, or a whole number from {2} to {3}":
    "{0} の値 '{1}' が正しくありません。0 か、{2} から {3} の整数を指定してください",
  "{0} is '{1}': give a whole number from {2} to {3}":
    "{0} の値 '{1}' が正しくありません。{2} から {3} までの整数を指定してください",
  "{0} is empty: give a value, or leave it out": "{0} の値が空です。値を指定するか、取り除いてください",
  "{0} has an empty place: write A,B or leave it out":
    "{0} に空の要素があります。A,B のように書くか、取り除いてください",
  "compress is '{0}': give auto, yes or no":
    "compress の値 '{0}' が正しくありません。auto, yes, no のどれかを指定してください",
  "undo-size is '{0}': give a number of bytes, or one with K, M, G or T, such as 500M":
    "undo-size の値 '{0}' が正しくありません。バイト数か、500M のように K、M、G、T を付けた数を指定してください",
  "delete-limit is '{0}': give a number of entries, such as 1000, or a share of them, such as 50%":
    "delete-limit の値 '{0}' が正しくありません。1000 のような数か、50% のような割合を指定してください",
  "check-every is '{0}': give no, or a time such as 30m, 24h or 7d, up to 24d":
    "check-every の値 '{0}' が正しくありません。no か、30m, 24h, 7d のような時間（24d まで）を指定してください",
  "drift is 'repair', but catch-up is off: set 'catch-up = yes', or 'drift = report'":
    "drift は 'repair' ですが、catch-up が無効です。'catch-up = yes' か 'drift = report' にしてください",
  "drift is '{0}': give report or repair":
    "drift の値 '{0}' が正しくありません。report か repair を指定してください",
  "metrics is '{0}': give an address and a TCP port, such as 127.0.0.1:9708, or a port for this host alone":
    "metrics の値 '{0}' が正しくありません。127.0.0.1:9708 のようなアドレスと TCP ポートか、このホストだけに使うポートを指定してください",
  "{0} is no multicast group: give an address from 224.0.0.0 to 239.255.255.255 with -m":
    "{0} はマルチキャストグループではありません。-m で 224.0.0.0 から 239.255.255.255 までのアドレスを指定してください",
  "there are {0} labels: give {1} at the most with --labels":
    "ラベルが {0} 個あります。--labels には {1} 個まで指定できます",
  "'{0}' cannot be a label: give one of at most {1} letters, digits and - _ . : + with --labels":
    "'{0}' はラベルにできません。--labels には、英数字と - _ . : + を {1} 文字まで指定してください",
  "'{0}' cannot be the name of a node: give one of at most {1} printable characters with --name":
    "'{0}' はホストの名前にできません。--name に、表示できる文字を {1} 文字まで指定してください",

  // Hooks.
  "hooks cannot run as {0}: only a daemon that stays root can become another user; leave out hook-user, or user":
    "フックを {0} として実行できません。別のユーザーになれるのは root のままのデーモンだけです。hook-user か user を取り除いてください",
  "the {0} hook {1} cannot be reached ({2}): name another program":
    "{0} フック {1} に到達できません（{2}）。別のプログラムを指定してください",
  "the {0} hook {1} is no program: make it one with chmod +x, or name another":
    "{0} フック {1} はプログラムではありません。chmod +x を実行するか、別のものを指定してください",
  "the {0} hook {1} lies in the base directory, where a push could replace it: put it elsewhere":
    "{0} フック {1} がベースディレクトリの中にあり、配布で置き換えられるおそれがあります。別の場所に置いてください",
  "the {0} hook {1} can be changed by everybody: take that away with chmod o-w":
    "{0} フック {1} を誰でも変更できます。chmod o-w を実行してください",

  // The base directory and the state.
  "no base directory is set: give -b DIR, or write 'base = DIR' into {0} or a file in {1}, as 'makuosan --set base=DIR' does":
    "ベースディレクトリが設定されていません。-b DIR を指定するか、'makuosan --set base=DIR' で {1} のファイルに（または {0} に）'base = DIR' と書いてください",
  "the base directory {0} is missing: {1}": "ベースディレクトリ {0} がありません。{1*}",
  "create it, such as with '{0}', or name another with -b":
    "'{0}' などで作るか、-b で別のものを指定してください",
  "{0} is hidden by the sandbox of the service: name another place, or write {1} below [Service] in 'systemctl edit makuosan'":
    "{0} は、サービスのサンドボックスに隠されています。別の場所を指定するか、'systemctl edit makuosan' で [Service] の下に {1} と書いてください",
  "{0} is read-only for the service: name another place, or write {1} below [Service] in 'systemctl edit makuosan'":
    "{0} は、サービスからは読み取り専用です。別の場所を指定するか、'systemctl edit makuosan' で [Service] の下に {1} と書いてください",
  "{0}; a reload reads it as the user {1}, and fails until then":
    "{0*}。再読み込みではユーザー {1} として読むため、それまでは失敗します",
  "the base directory {0} is on a file system that is mounted read-only: see 'findmnt -T {1}', or name another with -b":
    "ベースディレクトリ {0} のファイルシステムは、読み取り専用でマウントされています。'findmnt -T {1}' を見るか、-b で別のものを指定してください",
  "it cannot be reached ({0})": "到達できません（{0}）",
  "the base directory {0} is not a directory: name another with -b":
    "ベースディレクトリ {0} はディレクトリではありません。-b で別のものを指定してください",
  "the base directory {0} is read-only for makuosan: as a service, it needs the line ReadWritePaths={1} below [Service] in 'systemctl edit makuosan'":
    "makuosan はベースディレクトリ {0} に書き込めません。サービスとして動かすには、'systemctl edit makuosan' で [Service] の下に ReadWritePaths={1} の行が必要です",
  "the base directory {0} cannot be {1} ({2}): {3}, or name another user with -u":
    "ベースディレクトリ {0} を{1*}できません（{2}）。{3*}。または -u で別のユーザーを指定してください",
  written: "書き込み",
  read: "読み取り",
  "let {0} pass the directories above it, such as with 'chmod o+x'":
    "{0} がその上のディレクトリを通れるように、'chmod o+x' などを実行してください",
  "run 'chown {0}: {1}' and start makuosan again":
    "'chown {0}: {1}' を実行し、makuosan を起動し直してください",
  "another makuosan works on {0}: stop it first, or choose another directory with -b":
    "別の makuosan が {0} を使っています。先に停止するか、-b で別のディレクトリを選んでください",
  "the state directory {0} cannot be written ({1}): let the daemon's user do that, or name another with --state":
    "状態ディレクトリ {0} に書き込めません（{1}）。デーモンのユーザーが書けるようにするか、--state で別のものを指定してください",
  "the history {0} cannot be written ({1}): make space, remove what is in its place, or name another directory with --state":
    "履歴 {0} を書けません（{1}）。空き容量を作るか、その場所にあるものを取り除くか、--state で別のディレクトリを指定してください",

  // The user.
  "only root can become another user or group: start makuosan as root, or leave out -u, -g and -G":
    "別のユーザーやグループになれるのは root だけです。root で makuosan を起動するか、-u, -g, -G を取り除いてください",
  "owners cannot be kept, because makuosan has not the capabilities for it: start it as root, or with those of the example keep-owner.conf, or set keep-owner = no":
    "必要なケーパビリティがないため、所有者を保てません。root で起動するか、例 keep-owner.conf のケーパビリティを与えるか、keep-owner = no にしてください",
  "the programs that makuosan runs would inherit its capabilities, because the FFI library cannot be loaded: start it without AmbientCapabilities=":
    "FFI ライブラリを読み込めないため、makuosan が実行するプログラムにケーパビリティが引き継がれてしまいます。AmbientCapabilities= なしで起動してください",
  "owners cannot be kept as another user, because the FFI library cannot be loaded or the kernel refuses: set keep-owner = no, or leave out user so that makuosan stays root":
    "FFI ライブラリを読み込めないか、カーネルが拒否したため、別のユーザーのままでは所有者を保てません。keep-owner = no にするか、user を取り除いて root のままにしてください",
  "makuosan could not become its user entirely ({0}): start it without special capabilities and securebits":
    "makuosan は完全にはそのユーザーになれませんでした（{0}）。特別なケーパビリティと securebits なしで起動してください",

  // The network.
  "{0} is in use by another program: stop it, or choose another port with -p":
    "{0} は別のプログラムが使っています。それを停止するか、-p で別のポートを選んでください",
  "{0} is not an address of this host: choose another with -i":
    "{0} はこのホストのアドレスではありません。-i で別のものを選んでください",
  "{0} needs root: choose a port above 1023 with -p":
    "{0*} には root の権限が必要です。-p で 1023 より大きいポートを選んでください",
  "{0} cannot be bound: error {1}": "{0*} を使えません: エラー {1}",
  "the interface {0} is down or has no IPv4 address: bring it up, or choose another with -i":
    "インターフェース {0} が停止しているか、IPv4 アドレスがありません。有効にするか、-i で別のものを選んでください",
  "there is no interface or local address {0}: this host has {1}":
    "{0} というインターフェースやアドレスはありません。このホストにあるもの: {1}",
  "there is no interface with an address in {0}: this host has {1}":
    "{0} のアドレスを持つインターフェースはありません。このホストにあるもの: {1}",
  "no network interface has an IPv4 address: bring one up, such as with 'ip address add ADDRESS/24 dev {0}' and 'ip link set {1} up', or choose one with -i":
    "IPv4 アドレスを持つインターフェースがありません。'ip address add ADDRESS/24 dev {0}' と 'ip link set {1} up' などで有効にするか、-i で選んでください",
  "the multicast group {0} cannot be joined on {1} ({2}): check that the interface is up and supports multicast":
    "{1} でマルチキャストグループ {0} に参加できません（{2}）。インターフェースが有効で、マルチキャストに対応しているか確かめてください",
  "the metrics cannot be served on {0}:{1} ({2}): choose another address with --metrics":
    "{0}:{1} でメトリクスを公開できません（{2}）。--metrics で別のアドレスを選んでください",

  // Keys.
  "the key file {0} is not a regular file: name another with -k":
    "鍵ファイル {0} は通常のファイルではありません。-k で別のものを指定してください",
  "the key file {0} can be read or changed by everybody: 'chmod 600 {1}'":
    "鍵ファイル {0} を誰でも読むか変更できます。'chmod 600 {1}' を実行してください",
  "the key file {0} is larger than {1} bytes, as no key file is: name another with -k":
    "鍵ファイル {0} は {1} バイトを超えていて、鍵ファイルとは思えません。-k で別のものを指定してください",
  "the key file {0} is missing: make one with 'msync --keygen {1}' and copy it to every server":
    "鍵ファイル {0} がありません。'msync --keygen {1}' で作り、すべてのサーバーにコピーしてください",
  "the key file {0} cannot be read ({1}): let the user that starts makuosan read it":
    "鍵ファイル {0} を読めません（{1}）。makuosan を起動するユーザーが読めるようにしてください",
  "the key file {0} cannot be read again, because the process that does it has ended: restart makuosan":
    "鍵ファイル {0} を読み直すプロセスが終了したため、読み直せません。makuosan を再起動してください",

  // The control socket.
  "another makuosan answers on {0}: stop it first, or choose another socket with -U":
    "{0} で別の makuosan が応答しています。先に停止するか、-U で別のソケットを選んでください",
  "the control socket {0} cannot be made ({1}): choose another with -U":
    "制御ソケット {0} を作れません（{1}）。-U で別のものを選んでください",
  "{0} is there and is no socket: remove it, or choose another path with -U":
    "{0} がすでにあり、ソケットではありません。取り除くか、-U で別のパスを選んでください",
  "the directory {0} of the control socket cannot be made ({1}): choose another socket with -U":
    "制御ソケットのディレクトリ {0} を作れません（{1}）。-U で別のソケットを選んでください",
};
