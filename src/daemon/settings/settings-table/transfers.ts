/** The settings of transfers: what a host sends, receives and deletes. */
import { OUTBOUND_TRANSFERS } from "../../../wire/limits.ts";
import { DEFAULT_DELETE_LIMIT_TEXT, parseDeleteLimit } from "../delete-limit.ts";
import { COMPRESSION_MODES, parseCompression } from "../compression.ts";
import { DRIFT_MODES, parseDriftMode, parseInterval } from "../drift-settings.ts";
import * as form from "../forms.ts";
import { DEFAULT_UNDO_SIZE_TEXT, parseUndoSize } from "../undo-size.ts";
import type { Setting } from "../setting.ts";

/** Half of what a member receives at the same time, so that one sender does not take all of its places. */
const PARALLEL_TRANSFERS = 4;

/** Files of versions before 2 ask for more than there are places. */
const MOST_PARALLEL = 100;

/** Each one takes a look at each push, and a directory; nobody goes back a hundred steps. */
const MOST_UNDO = 100;

export const TRANSFERS = {
  receives: {
    key: "receive",
    option: "-r, --no-receive",
    form: form.flag,
    default: true,
    reload: false,
    help: "receive files",
    helpOff: "do not receive files",
  },
  sends: {
    key: "send",
    option: "-s, --no-send",
    form: form.flag,
    default: true,
    reload: false,
    help: "send files",
    helpOff: "do not send files",
  },
  parallel: {
    key: "parallel",
    option: "-f, --parallel <number>",
    form: form.number(1, MOST_PARALLEL),
    default: PARALLEL_TRANSFERS,
    check: (count: number) => Math.min(count, OUTBOUND_TRANSFERS),
    reload: true,
    help: "transfers that this host sends at the same time",
    details: `Further transfers wait. A number above ${OUTBOUND_TRANSFERS} means ${OUTBOUND_TRANSFERS}.`,
  },
  compression: {
    key: "compress",
    option: "--compress <when>",
    form: form.words(COMPRESSION_MODES),
    default: "auto",
    check: parseCompression,
    reload: true,
    help: "compress contents: auto, yes or no",
    details:
      "With auto, contents are compressed when blocks wait for the network, and no longer when they do not get smaller. " +
      "Nothing is compressed if a member of the transfer runs version 2.0.",
  },
  excludes: {
    key: "exclude",
    option: "--exclude <patterns>",
    form: form.list,
    default: [],
    reload: true,
    help: "patterns of files that this host neither sends nor changes, separated by commas",
    details:
      "See PATTERNS in msync(1). In the config file, a pattern with # or ; in it stands in double quotes, " +
      "and further patterns can stand on lines with the key exclude[].",
    example: "*.log, .git/",
  },
  catchUp: {
    key: "catch-up",
    option: "--no-catch-up",
    form: form.flag,
    default: true,
    reload: false,
    help: "get pushes that this host has missed, and bring them to others",
    helpOff: "neither get pushes that this host has missed, nor bring them to others",
    details:
      "A host that was down, cut off or full gets what it has missed from another host as soon as it can. That needs the " +
      "directory of --state, in which each host keeps a log of the pushes. If this is switched off, the log is kept, and " +
      "'msync --members -v' shows who is behind.",
  },
  checkEveryMs: {
    key: "check-every",
    option: "--check-every <time>",
    form: form.text,
    default: "no",
    check: parseInterval,
    reload: false,
    help: "compare this host with what was published, at this interval: no, or a time such as 24h",
    details:
      "The time is a number with s, m, h or d for seconds, minutes, hours or days. Entries that were changed, deleted or added by hand since " +
      "are in the log, in 'msync --members -v' and in the metrics. Contents are not read.",
    example: "24h",
  },
  drift: {
    key: "drift",
    option: "--drift <mode>",
    form: form.words(DRIFT_MODES),
    default: "report",
    check: parseDriftMode,
    reload: false,
    help: "what to do with entries that check-every finds: report, or repair",
    details:
      "With repair, this host gets the pushes again that these entries came with, from hosts that have them unchanged. " +
      "That needs --catch-up, and changes made by hand on this host are lost.",
  },
  deleteLimit: {
    key: "delete-limit",
    option: "--delete-limit <amount>",
    form: form.text,
    default: DEFAULT_DELETE_LIMIT_TEXT,
    check: parseDeleteLimit,
    reload: true,
    help: "most entries that a transfer may delete on this host: a number, or a percentage",
    details:
      "A percentage is a share of the entries that the transfer looks at, and at least 100 entries. " +
      "A transfer that would delete more changes nothing on any host, unless msync(1) is given --force-delete.",
  },
  undo: {
    key: "undo",
    option: "--undo <number>",
    form: form.number(0, MOST_UNDO),
    default: 0,
    reload: true,
    help: "how many pushes this host can take back, 0 for none",
    details:
      "What a push replaces or deletes on this host is kept in the directory .makuosan of the base directory, by links and " +
      "renames, so that 'msync --undo' can bring it back on all hosts. It takes space on the disk until later pushes take its place.",
  },
  undoSizeBytes: {
    key: "undo-size",
    option: "--undo-size <size>",
    form: form.text,
    default: DEFAULT_UNDO_SIZE_TEXT,
    check: parseUndoSize,
    reload: true,
    help: "most bytes that are kept for --undo: a number with K, M, G or T",
    details:
      "The oldest pushes go first. A push that has replaced more by itself cannot be taken back. When a push finds too little " +
      "space, what is kept goes in any case.",
  },
  ownerMatch: {
    key: "owner-match",
    option: "-O, --owner-match",
    form: form.flag,
    default: false,
    reload: true,
    help: "send only files of the daemon's user",
  },
} as const satisfies Record<string, Setting>;
