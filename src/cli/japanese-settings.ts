/** The help of `makuosan` in Japanese, by the English one. */

/** How it ends: the same text as in the daemon. */
const MORE_HELP = `
Examples:
  makuosan --set base=/srv/www       set the base directory
  makuosan --check-config            check the settings
  makuosan -b /srv/www -k /etc/key   start in the background

Exit status: 0 the daemon is ready, or has ended; 1 it cannot start; 75 it has
to be started again; 78 a service manager must not start it again, because the
settings are wrong.

The manuals are makuosan(8) and makuosan.conf(5): man makuosan.`;

export const JAPANESE_SETTINGS: Readonly<Record<string, string>> = {
  "Receives files from all servers of the LAN at once, and sends them: the daemon of msync.":
    "LAN の全サーバーと、ファイルを一斉に送受信します。msync のデーモンです。",
  "config file ({0})": "設定ファイル（{0}）",
  "stay in the foreground": "フォアグラウンドで動く",
  "check the settings, and do not start": "設定を調べ、起動はしない",
  "set a value in the config file 50-set.conf": "設定ファイル 50-set.conf に値を書く",
  "print the config file for a start file of versions before 2":
    "バージョン 2 より前の起動ファイルを、設定ファイルに直して表示する",

  "directory whose files are sent and received": "ファイルを送受信するディレクトリ",
  "user that the daemon becomes": "デーモンのユーザー",
  "the user that starts the daemon": "起動したユーザー",
  "group that the daemon becomes": "デーモンのグループ",
  "the group of the user": "ユーザーのグループ",
  "supplementary groups of the daemon, separated by commas": "デーモンの補助グループ（カンマ区切り）",
  "the groups of the user": "ユーザーの補助グループ",
  "keep the owners of files even if the daemon is not root": "root でなくてもファイルの所有者を保つ",
  "directory for the history of transfers": "転送の履歴を置くディレクトリ",
  "control socket": "制御ソケット",
  "make a control socket": "制御ソケットを作る",
  "make no control socket": "制御ソケットを作らない",
  "serve metrics for Prometheus on this address and TCP port":
    "このアドレスと TCP ポートで Prometheus のメトリクスを公開する",
  off: "なし",
  "log level: {0}, or a number from 0 to 9": "ログレベル: {0}、または 0 から 9",
  "UDP port": "UDP ポート",
  "multicast group": "マルチキャストグループ",
  "network interface, by name, address or network":
    "ネットワークインターフェース（名前、アドレス、ネットワークのどれか）",
  "the interface that the kernel routes the group over": "グループへの経路があるもの",
  "name of this host for the other members": "ほかのメンバーに見せる、このホストの名前",
  "the host name": "ホスト名",
  "labels of this host for msync -t @NAME, separated by commas":
    "msync -t @NAME で使う、このホストのラベル（カンマ区切り）",
  "key file, made by msync --keygen": "鍵ファイル（msync --keygen で作る）",
  "maximum send rate in megabits per second": "送信速度の上限（メガビット毎秒）",
  "no bound": "上限なし",
  "socket buffer for received packets, in bytes": "受信パケットのバッファー（バイト）",
  "socket buffer for sent packets, in bytes": "送信パケットのバッファー（バイト）",
  "use the segmentation offload of the kernel": "カーネルのセグメンテーションオフロードを使う",
  "use only the network calls of Node itself": "Node 自体のネットワーク機能だけを使う",
  "receive files": "ファイルを受信する",
  "do not receive files": "ファイルを受信しない",
  "send files": "ファイルを送信する",
  "do not send files": "ファイルを送信しない",
  "transfers that this host sends at the same time": "このホストが同時に送信する転送の数",
  "compress contents: auto, yes or no": "内容の圧縮: auto, yes, no",
  "patterns of files that this host neither sends nor changes, separated by commas":
    "このホストが送りも変えもしないファイルのパターン（カンマ区切り）",
  "get pushes that this host has missed, and bring them to others":
    "受け取れなかった配布を取得し、ほかのホストにも渡す",
  "neither get pushes that this host has missed, nor bring them to others":
    "受け取れなかった配布を取得せず、ほかのホストにも渡さない",
  "compare this host with what was published, at this interval: no, or a time such as 24h":
    "この間隔で、配布されたものとこのホストを比べる: no か、24h のような時間",
  "what to do with entries that check-every finds: report, or repair":
    "check-every が見つけたものの扱い: report か repair",
  "how many pushes this host can take back, 0 for none": "取り消せるように保持する配布の数（0 は保持しない）",
  "most bytes that are kept for --undo: a number with K, M, G or T":
    "--undo のために保持するバイト数の上限。K、M、G、T を付けられる",
  "most entries that a transfer may delete on this host: a number, or a percentage":
    "1 回の転送がこのホストで削除してよい数: 数か割合",
  "send only files of the daemon's user": "デーモンのユーザーのファイルだけを送る",
  "program that runs when a transfer is staged, and can refuse it":
    "転送の準備ができたときに実行され、拒否もできるプログラム",
  "program that runs when a transfer has taken effect": "転送が反映された後に実行されるプログラム",
  "user that the hooks run as": "フックを実行するユーザー",
  "the user of the daemon": "デーモンのユーザー",
  "seconds that each hook may run": "フックの実行時間の上限（秒）",

  [MORE_HELP]: `
例:
  makuosan --set base=/srv/www       ベースディレクトリを設定する
  makuosan --check-config            設定を調べる
  makuosan -b /srv/www -k /etc/key   バックグラウンドで起動する

終了ステータス: 0 準備ができた、または終了した、1 起動できない、75 起動し直す
必要がある、78 設定が正しくないため、サービスマネージャーは起動し直さない。

マニュアルは makuosan(8) と makuosan.conf(5) です: man makuosan`,
};
