/** The settings of the network: the members that a daemon finds, and the packets that it sends and receives. */
import net from "node:net";
import { UserError } from "../../../base/user-error.ts";
import { DEFAULT_GROUP, DEFAULT_PORT, HOST_NAME_BYTES, LABEL_BYTES, LABELS } from "../../../wire/limits.ts";
import * as form from "../forms.ts";
import type { Setting } from "../setting.ts";

/** Socket buffers hold some datagrams of 1,440 bytes at least, and the kernel keeps twice their size in 31 bits. */
const BUFFER_BYTES = form.orDefault(form.number(16_384, 1 << 30));

/** From the least whole number up to a terabit a second, more than any network card sends. */
const RATE_MBPS = form.orDefault(form.number(1, 1_000_000));

/** What a network of 10 Gbit/s brings in 7 ms, while the daemon does something else. packaging/makuosan.sysctl allows it. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;

/** Sixteen blocks of 64 KiB: a sender hands over a few at a time. packaging/makuosan.sysctl allows it. */
const SEND_BUFFER_BYTES = 1024 * 1024;

export const NETWORK = {
  port: {
    key: "port",
    option: "-p, --port <number>",
    environment: "MAKUOSAN_PORT",
    form: form.number(1, 65535),
    default: DEFAULT_PORT,
    reload: false,
    help: "UDP port",
    details: "It is the same on all servers.",
  },
  multicast: {
    key: "multicast",
    option: "-m, --multicast <address>",
    form: form.text,
    default: DEFAULT_GROUP,
    check: checkMulticast,
    reload: false,
    help: "multicast group",
    details:
      "It is an address from 224.0.0.0 to 239.255.255.255, the same on all servers. " +
      "Switches need no set-up for groups in 224.0.0.0/24.",
  },
  interface: {
    key: "interface",
    option: "-i, --interface <name>",
    form: form.networkInterface,
    default: undefined,
    defaultText: "the interface that the kernel routes the group over",
    reload: false,
    help: "network interface, by name, address or network",
    details:
      "A network such as 10.78.0.0/24 means the interface with an address in it. Without this setting, the daemon " +
      "changes to a better interface that comes up later, as long as no other host answers.",
    example: "eth0",
  },
  hostName: {
    key: "name",
    option: "--name <name>",
    form: form.text,
    default: undefined,
    defaultText: "the host name",
    reload: false,
    help: "name of this host for the other members",
    details: `It has at most ${HOST_NAME_BYTES} printable characters.`,
    example: "web1",
  },
  labels: {
    key: "labels",
    option: "--labels <names>",
    form: form.list,
    default: [],
    check: checkLabels,
    reload: true,
    help: "labels of this host for msync -t @NAME, separated by commas",
    details: `There are at most ${LABELS}, each of up to ${LABEL_BYTES} letters, digits and - _ . : +.`,
    example: "web, tokyo",
  },
  keyFile: {
    key: "key",
    option: "-k, --key <file>",
    form: form.file,
    default: undefined,
    reload: false,
    help: "key file, made by msync --keygen",
    details:
      "It is the same on all servers: copy the file to them. " +
      "It may hold several keys, one a line: the first one seals, and all of them are accepted. " +
      "The daemon reads it before it becomes another user, so the file can belong to root alone, " +
      "and again at a reload. " +
      "Without a key, anyone on the network can change files on these servers.",
    shipped: "/etc/makuosan.key",
  },
  /** Megabits a second; Infinity for no bound. */
  rateMbps: {
    key: "rate",
    option: "-T, --rate <mbps>",
    form: RATE_MBPS,
    default: Infinity,
    defaultText: "no bound",
    check: (rate: number) => rate || Infinity,
    reload: true,
    help: "maximum send rate in megabits per second",
    details: "0 means no bound.",
    example: "800",
  },
  receiveBufferBytes: {
    key: "receive-buffer",
    option: "-R, --receive-buffer <bytes>",
    environment: "MAKUOSAN_RCVBUF",
    form: BUFFER_BYTES,
    default: RECEIVE_BUFFER_BYTES,
    check: (bytes: number) => bytes || RECEIVE_BUFFER_BYTES,
    reload: false,
    help: "socket buffer for received packets, in bytes",
    details: "0 means the default. As root, the daemon can exceed net.core.rmem_max.",
  },
  sendBufferBytes: {
    key: "send-buffer",
    option: "-S, --send-buffer <bytes>",
    environment: "MAKUOSAN_SNDBUF",
    form: BUFFER_BYTES,
    default: SEND_BUFFER_BYTES,
    check: (bytes: number) => bytes || SEND_BUFFER_BYTES,
    reload: false,
    help: "socket buffer for sent packets, in bytes",
    details: "0 means the default. The kernel grants no more than net.core.wmem_max.",
  },
  offload: {
    key: "offload",
    option: "--no-offload",
    form: form.flag,
    default: true,
    reload: false,
    help: "use the segmentation offload of the kernel",
    helpOff: "use only the network calls of Node itself",
    details: "Switch the segmentation offload off if a device or a kernel has trouble with it.",
  },
} as const satisfies Record<string, Setting>;

function checkMulticast(address: string): string {
  const first = Number(address.split(".")[0]);
  if (net.isIPv4(address) && first >= 224 && first <= 239) return address;
  throw new UserError(
    `${address} is no multicast group: give an address from 224.0.0.0 to 239.255.255.255 with -m`,
  );
}

function checkLabels(labels: readonly string[]): readonly string[] {
  if (labels.length > LABELS) {
    throw new UserError(`there are ${labels.length} labels: give ${LABELS} at the most with --labels`);
  }
  for (const label of labels) {
    if (label.length <= LABEL_BYTES && /^[\w.:+-]+$/.test(label)) continue;
    throw new UserError(
      `'${label}' cannot be a label: give one of at most ${LABEL_BYTES} letters, digits and - _ . : + with --labels`,
    );
  }
  return [...new Set(labels)];
}
