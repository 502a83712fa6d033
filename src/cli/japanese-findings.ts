/** The findings of the doctor in Japanese, by the English ones, with how each is fixed. */

/** The places of arguments are as in the sentences. */
export const JAPANESE_FINDINGS: Readonly<Record<string, string>> = {
  "nothing is in the way": "支障はありません",
  "{0} problem": "問題が {0} 件あります",
  "{0} problems": "問題が {0} 件あります",
  "Total: {0} checks of {1} host, {2}": "合計: {1} 台を {0} 項目調べました。{2*}",
  "Total: {0} checks of {1} hosts, {2}": "合計: {1} 台を {0} 項目調べました。{2*}",

  // The service of this host.
  "{0}; the service is {1}": "{0*}。サービスの状態は {1} です",
  "{0}; the service is {1}, and says: {2}": "{0*}。サービスの状態は {1} で、次のように報告しています: {2}",
  "'{0}' on this host; run msync as root or as a member of the group of the control socket":
    "このホストで '{0}' を実行してください。msync は、root か、制御ソケットのグループに属するユーザーで実行してください",
  "makuosan {0} runs for {1} s, process {2}": "makuosan {0} が {1} 秒前から動いています（プロセス {2}）",

  // The firewalls of this host.
  "{0} on this host has a rule that refuses UDP {1}: {2}":
    "このホストの {0} に、UDP {1} を拒否する規則があります: {2}",
  "take that rule away, or: {0}": "その規則を取り除くか、次を実行してください: {0}",
  "{0} on this host lets UDP {1} in": "このホストの {0} は UDP {1} の受信を許可しています",
  "the rules of {0} are not shown to this user": "{0} の規則は、このユーザーには見えません",
  "run 'msync --doctor' as root": "root で 'msync --doctor' を実行してください",
  "{0} on this host has rules that drop packets, and none that names UDP {1}":
    "このホストの {0} にパケットを捨てる規則があり、UDP {1} を許可する規則がありません",

  // Its network.
  "bring it up: the daemon joins the group again within two seconds":
    "有効にしてください。デーモンは 2 秒以内にグループに参加し直します",
  "a member of {0} on {1}": "{1} で {0} に参加しています",
  "the kernel is no member of {0} on {1}": "カーネルが {1} で {0} に参加していません",
  "the daemon joins again within two seconds; if this stays, restart it: 'systemctl restart makuosan'":
    "デーモンは 2 秒以内に参加し直します。直らなければ 'systemctl restart makuosan' で再起動してください",
  "datagrams of up to {0} bytes": "データグラムは {0} バイトまで",
  "{0}: the MTU of {1} is below 1468": "{0*}。{1} の MTU が 1468 未満です",
  "packets to the group go over {0}": "グループへのパケットは {0} から出ます",
  "the kernel routes packets to the group over {0}, and makuosan uses {1}":
    "カーネルの経路ではグループへのパケットが {0} から出ますが、makuosan は {1} を使っています",
  "if the other hosts are behind {0}, write 'interface = {1}' into /etc/makuosan.conf":
    "ほかのホストが {0} の側にあるなら、/etc/makuosan.conf に 'interface = {1}' と書いてください",
  "{0} needs no IGMP querier: switches pass it on to every port":
    "{0} に IGMP クエリアは要りません。スイッチはすべてのポートに転送します",
  "the bridge of {0} watches IGMP and asks for no reports: it may stop to pass {1} on after 260 s":
    "{0} のブリッジは IGMP を監視していますが、レポートを求めないため、260 秒後に {1} の転送をやめるかもしれません",
  "let it ask: 'echo 1 >{0}/multicast_querier', or use the group 224.0.0.108":
    "'echo 1 >{0}/multicast_querier' でクエリアにするか、グループ 224.0.0.108 を使ってください",
  "a switch that watches IGMP passes {0} on only while some router or switch asks for reports":
    "IGMP を監視するスイッチは、ルーターやスイッチがレポートを求めている間しか {0} を転送しません",
  "enable an IGMP querier in this network, or use the group 224.0.0.108, which needs none":
    "このネットワークで IGMP クエリアを有効にするか、クエリアの要らないグループ 224.0.0.108 を使ってください",

  // Its buffers.
  "the kernel granted {0} bytes for received packets, and {1} were asked for":
    "受信バッファーは {0} バイトです（要求は {1} バイト）",
  "'sysctl -w net.core.rmem_max={0}', keep it in /etc/sysctl.d, and restart the daemon":
    "'sysctl -w net.core.rmem_max={0}' を実行し、/etc/sysctl.d にも書いて、デーモンを再起動してください",
  "the kernel granted {0} bytes for sent packets": "送信バッファーは {0} バイトです",
  "the kernel dropped no packet for a full buffer":
    "バッファーがいっぱいになって捨てられたパケットはありません",
  "the kernel of this host dropped {0} UDP packets because a receive buffer was full":
    "受信バッファーがいっぱいになり、このホストのカーネルが UDP パケットを {0} 個捨てました",
  "makuosan sends its own again; a larger receive-buffer, or a lower rate of the senders, avoids it":
    "makuosan のパケットは送り直されます。receive-buffer を大きくするか、送信側の速度を下げれば避けられます",
  "no send failed": "送信の失敗はありません",
  "{0} sends failed since the start": "起動してから送信に {0} 回失敗しました",
  "look for the state and the MTU of the interface with 'ip link'":
    "'ip link' で、インターフェースの状態と MTU を確かめてください",

  // Its key, its name, its directories.
  "seals with the key {0}, accepts {1}": "送信に使う鍵は {0}、受け入れる鍵は {1} です",
  "make one with 'msync --keygen FILE', copy it to all hosts, and name it with -k":
    "'msync --keygen FILE' で作り、全ホストにコピーして、-k で指定してください",
  "no other host has the node id of this one": "このホストと同じノード ID のホストはありません",
  "{0}, with the same machine-id: one of them is a clone":
    "{0*}。machine-id も同じです。どちらかが複製されたものです",
  "drawn again: {0}": "作り直したノード ID です。{0*}",
  "{0} was a copy of this host": "{0} はこのホストの複製でした",
  "{0} is a copy of this host": "{0} はこのホストの複製です",
  "on one of the two: 'rm /etc/machine-id; systemd-machine-id-setup', and restart makuosan":
    "どちらかのホストで 'rm /etc/machine-id; systemd-machine-id-setup' を実行し、makuosan を再起動してください",
  "{0} hosts are called {1}: {2}": "{1} という名前のホストが {0} 台あります: {2}",
  "give each host a name for itself: 'hostnamectl set-hostname NAME', or the setting 'name'":
    "'hostnamectl set-hostname NAME' か、設定 'name' で、それぞれに別の名前を付けてください",
  "the history is kept in {0}": "履歴は {0} に保存されています",
  "the history is kept {0}": "履歴の保存先: {0*}",
  "let the daemon's user write in the state directory, or name another one with --state":
    "デーモンのユーザーに状態ディレクトリへの書き込みを許可するか、--state で別の場所を指定してください",
  "{0} member": "メンバーは {0} 台です",
  "{0} members": "メンバーは {0} 台です",
  "there is no other member": "ほかにメンバーがいません",
  "on the other hosts: 'systemctl status makuosan'; they need the group {0}, the port {1} and the key of this host, and the same network":
    "ほかのホストで 'systemctl status makuosan' を実行してください。グループ {0}、ポート {1}、鍵、ネットワークが、このホストと同じである必要があります",

  // Disks, of this host and of members.
  "the disk of {0} does not answer": "{0*} のディスクが応答しません",
  "look for the disk's errors with 'dmesg' on this host, and for a network file system that is away":
    "そのホストで、'dmesg' でディスクのエラーを、また、ネットワークファイルシステムが切れていないかを確かめてください",
  "on this host, look whether the file system is full or mounted read-only, and whether the daemon's user may write there":
    "そのホストで、空き容量があるか、読み取り専用でマウントされていないか、デーモンのユーザーが書き込めるかを確かめてください",
  "a file can be written in {0}": "{0*} に書き込めます",
  "no file can be written in {0}": "{0*} に書き込めません",
  "{0} of {1} are free ({2})": "{1} 中 {0} が空いています（{2}）",
  "make room on the file system of {0}: 'df {1}'":
    "{0*} のファイルシステムの空きを増やしてください: 'df {1}'",
  "the file system of {0} does not say how much room it has":
    "{0*} のファイルシステムは空き容量を知らせません",
  "the file system of {0} does not count inodes": "{0*} のファイルシステムは inode を数えません",
  "{0} of {1} inodes are free": "inode は {1} 個中 {0} 個が空いています",
  "remove files from the file system of {0}: 'df -i {1}'":
    "{0*} のファイルシステムからファイルを減らしてください: 'df -i {1}'",

  // Hosts that are heard, and hosts that are not.
  "nothing is heard of it": "何も届きません",
  "is it up, does makuosan run there ('systemctl status makuosan'), and in the same network, with the group {0} and the port {1}? 'msync --doctor' there tells more":
    "ホストは動いていますか？makuosan は動いていますか（'systemctl status makuosan'）？同じネットワーク、グループ {0}、ポート {1} ですか？そのホストの 'msync --doctor' で、さらに分かります",
  "run {0}": "{0*} を実行",
  "there, {0}; also look for its route to this host ('ip route get'), and for a strict rp_filter":
    "そのホストで、{0*}してください。そこからこのホストへの経路（'ip route get'）と、rp_filter が厳格でないかも確かめてください",
  "give all hosts the same version of makuosan": "全ホストの makuosan を同じバージョンにしてください",
  "copy the key file of this host to {0}, and run 'systemctl reload makuosan' there":
    "このホストの鍵ファイルを {0} にコピーし、そこで 'systemctl reload makuosan' を実行してください",
  "copy the key file of this host to it, and run 'systemctl reload makuosan' there":
    "このホストの鍵ファイルをそのホストにコピーし、そこで 'systemctl reload makuosan' を実行してください",
  "connect the two without NAT between them, or with addresses of one network":
    "両方を NAT なしで、または同じネットワークのアドレスでつないでください",
  "let UDP {0} to the group pass between the two: {1} on both, and look for IGMP snooping in the switches":
    "グループへの UDP {0} が両方の間を通るように、両方のホストで{1*}し、スイッチの IGMP スヌーピングを確かめてください",

  // What was measured of a member.
  "packets to it go over {0}": "そのホストへのパケットは {0} から出ます",
  "packets to it are routed {0}": "そのホストへのパケットの経路が{0*}",
  nowhere: "ありません",
  "over {0}, not over {1}": " {1} ではなく {0} になっています",
  "see 'ip route get {0}', and give this host a route over {1}: with a strict rp_filter, its packets are dropped":
    "'ip route get {0}' を見て、このホストに {1} を通る経路を加えてください。rp_filter が厳格なら、そのホストのパケットは捨てられます",
  "it answers, but cannot be examined: its makuosan is of an earlier version":
    "応答はありますが、makuosan のバージョンが古いため、調べられません",
  "it has answered, and then to none of {0} questions":
    "応答がありましたが、その後の {0} 回の問い合わせには応答がありません",
  "look at the cable, the port of the switch, and 'ip -s link' there; was its daemon stopped meanwhile?":
    "ケーブル、スイッチのポート、そのホストの 'ip -s link' を確かめてください。その間にデーモンを停止しましたか？",
  "it is heard, but does not answer": "パケットは届きますが、応答がありません",
  "is UDP {0} let in there? {1}": "そのホストで UDP {0} の受信は許可されていますか？{1*}",
  "it does not answer any more": "応答しなくなりました",
  "is it up ('ping {0}'), does makuosan run there ('systemctl status makuosan'), is UDP {1} let in there and here?":
    "ホストは動いていますか（'ping {0}'）？makuosan は動いていますか（'systemctl status makuosan'）？両方のホストで UDP {1} の受信は許可されていますか？",
  "its clock is {0} s {1}": "時計は {0} 秒{1*}",
  ahead: "進んでいます",
  behind: "遅れています",
  "set the clocks by NTP: 'timedatectl set-ntp true'":
    "NTP で時計を合わせてください: 'timedatectl set-ntp true'",
  "it sets owners of files, and this host does not":
    "そのホストはファイルの所有者を設定し、このホストは設定しません",
  "it does not set owners of files, and this host does":
    "そのホストはファイルの所有者を設定せず、このホストは設定します",
  "start makuosan on all hosts as the same user, and with the same 'keep-owner'":
    "全ホストの makuosan を、同じユーザー、同じ 'keep-owner' で起動してください",
  "it knows {0} members, too": "メンバーは、同じく {0} 台です",
  "it knows {0} members, and this host {1}":
    "そのホストのメンバーは {0} 台で、このホストのメンバーは {1} 台です",
  "run 'msync --doctor' there: it names the host that the other one does not hear":
    "そのホストで 'msync --doctor' を実行してください。どのホストのパケットが届いていないかが分かります",
  "single packets arrive in both directions": "ユニキャストは両方向に届きます",
  "{0} to {1} ms there and back": "往復 {0} から {1} ミリ秒",
  "let UDP {0} to the group pass between the two: look for a firewall there, for IGMP snooping in the switches between them, and for client isolation in a wireless network":
    "グループへの UDP {0} が両方の間を通るようにしてください。そのホストのファイアウォール、間にあるスイッチの IGMP スヌーピング、無線のクライアント分離を確かめてください",
  "{0} of {1} packets from {2} to the group arrive there":
    "{2} がグループに送った {1} 個のうち、{0} 個がそこに届きました",
  "{0} of {1} packets that it sends to the group arrive at {2}":
    "そのホストがグループに送った {1} 個のうち、{0} 個が {2} に届きました",
  "no datagram of {0} bytes arrives there, and short ones do":
    "{0} バイトのデータグラムが届きません。短いものは届きます",
  "something between the two takes only shorter packets: give the interfaces of all hosts the smallest MTU of the way ('ip link set DEV mtu 1400'), makuosan then sends shorter datagrams by itself":
    "途中に、短いパケットしか通さないものがあります。全ホストのインターフェースを、途中で最小の MTU にしてください（'ip link set DEV mtu 1400'）。makuosan は自動的にデータグラムを短くします",
  "datagrams of {0} bytes arrive there": "{0} バイトのデータグラムが届きます",
  "{0} of slow packets are lost, and {1} at {2} Mbit/s":
    "パケットの損失は、ゆっくり送ると {0}、{2} Mbit/s では {1} です",
  "look at the cable, the port of the switch, and 'ip -s link' there":
    "ケーブル、スイッチのポート、そのホストの 'ip -s link' を確かめてください",
  "it has a slower line, or a small receive buffer: pushes find its rate, 'rate' bounds it":
    "回線が遅いか、受信バッファーが小さいようです。配布の速度は自動的に調整されます。上限は 'rate' で決められます",
  "its kernel granted {0} bytes for received packets, and dropped {1} packets so far":
    "受信バッファーは {0} バイトで、これまでに {1} 個のパケットが捨てられました",
  "raise net.core.rmem_max there ('sysctl -w'), and restart its daemon":
    "そのホストで net.core.rmem_max を上げ（'sysctl -w'）、デーモンを再起動してください",
  "makuosan {0}, protocol {1}": "makuosan {0}、プロトコル {1}",
  "it runs makuosan {0} (protocol {1}), and this host {2}":
    "そのホストの makuosan は {0}（プロトコル {1}）、このホストは {2} です",
  "upgrade the older one": "古い方を更新してください",
  "it was started with -r: leave that out to send to it":
    "-r で起動されています。そこに送るには -r を取り除いてください",
  "it seals with the key {0}, accepts {1}": "送信に使う鍵は {0}、受け入れる鍵は {1} です",
  "it has no key either": "そのホストにも鍵はありません",
  "it has not said which keys it accepts": "受け入れる鍵をまだ知らせていません",
  "run 'msync --doctor' again in 20 s": "20 秒後に 'msync --doctor' をもう一度実行してください",
  "it opens packets under the key of this host, {0}": "このホストの鍵 {0} のパケットを受け入れています",
  "not measured: no slow packet arrives there": "測れませんでした。ゆっくり送ったパケットは 1 つも届きません",
  "see multicast-out": "multicast-out を見てください",
  "{0}, and not that of this host, {1}": "{0*}。このホストの鍵 {1} を受け入れません",
};
