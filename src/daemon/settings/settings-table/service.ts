/** The settings of the daemon as a service: its directory, whom it becomes, its socket and its log. */
import { DEFAULT_SOCKET } from "../../../console/protocol.ts";
import * as form from "../forms.ts";
import { LEVELS, parseLogLevel } from "../log-levels.ts";
import { parseMetricsPlace } from "../metrics-place.ts";
import type { Setting } from "../setting.ts";
import { DEFAULT_STATE } from "../state-place.ts";

export const SERVICE = {
  base: {
    key: "base",
    option: "-b, --base <dir>",
    environment: "MAKUOSAN_BASE",
    form: form.directory,
    default: undefined,
    reload: false,
    help: "directory whose files are sent and received",
    details:
      "The daemon does not start without it. It must exist, and the daemon's user must be able to write in it. " +
      "A symbolic link in the path is followed when the daemon starts. If it leads to another directory later, pushes " +
      "from and to this host fail and name the path, until the daemon is restarted.",
    example: "/srv/makuosan",
  },
  user: {
    key: "user",
    option: "-u, --user <name>",
    environment: "MAKUOSAN_USER",
    form: form.user,
    default: undefined,
    defaultText: "the user that starts the daemon",
    reload: false,
    help: "user that the daemon becomes",
    details:
      "Give a name or a number. The daemon first opens what only root can open. Received files belong to this user. " +
      "Without this setting, a daemon that root has started stays root and keeps the owners of files.",
    shipped: "makuosan",
  },
  group: {
    key: "group",
    option: "-g, --group <name>",
    environment: "MAKUOSAN_GROUP",
    form: form.group,
    default: undefined,
    defaultText: "the group of the user",
    reload: false,
    help: "group that the daemon becomes",
    details:
      "Give a name or a number. Members of this group can run msync(1), and with it change files on every server.",
    shipped: "makuosan",
  },
  groups: {
    key: "groups",
    option: "-G, --groups <names>",
    environment: "MAKUOSAN_GROUPS",
    form: form.groups,
    default: undefined,
    defaultText: "the groups of the user",
    reload: false,
    help: "supplementary groups of the daemon, separated by commas",
    example: "www-data,backup",
  },
  /** A daemon that is root keeps owners in any case. */
  keepOwner: {
    key: "keep-owner",
    option: "--keep-owner",
    form: form.flag,
    default: false,
    reload: false,
    help: "keep the owners of files even if the daemon is not root",
    details: "The daemon then keeps the few capabilities that this needs.",
  },
  state: {
    key: "state",
    option: "--state <dir>",
    form: form.directory,
    default: DEFAULT_STATE,
    reload: false,
    help: "directory for the history of transfers",
    details: "If the daemon cannot write in the default directory, it keeps the history in memory only.",
  },
  socket: {
    key: "socket",
    option: "-U, --socket <path>",
    environment: "MAKUOSAN_SOCK",
    form: form.file,
    default: DEFAULT_SOCKET,
    reload: false,
    help: "control socket",
    details: "msync(1) talks to the daemon over this socket.",
  },
  console: {
    key: "console",
    option: "-o, --no-console",
    form: form.flag,
    default: true,
    reload: false,
    help: "make a control socket",
    helpOff: "make no control socket",
    details: "Without a control socket, msync(1) cannot be used on this host.",
  },
  metrics: {
    key: "metrics",
    option: "--metrics <address>",
    form: form.text,
    default: undefined,
    defaultText: "off",
    check: parseMetricsPlace,
    reload: false,
    help: "serve metrics for Prometheus on this address and TCP port",
    details:
      "Give an address and a port, such as 127.0.0.1:9708, or a port for this host alone. /metrics and /healthz are " +
      "served there without a password: name an address that other hosts can reach only if they may see the metrics.",
    example: "127.0.0.1:9708",
  },
  logLevel: {
    key: "loglevel",
    option: "-d, --loglevel <level>",
    form: form.words(LEVELS),
    default: "info",
    check: parseLogLevel,
    reload: true,
    help: `log level: ${LEVELS.join(", ")}, or a number from 0 to 9`,
    details:
      "Numbers are as in versions before 2: 0 for errors, 1 and more for each command and file, 8 and 9 for all.",
  },
} as const satisfies Record<string, Setting>;
