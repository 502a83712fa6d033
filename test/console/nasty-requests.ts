import type { SeededRandom } from "../../src/base/random.ts";
import { below } from "../../src/base/random.ts";

/** Requests that no msync sends: random ones, and those made to do harm. */

const COMMANDS = ["send", "wait", "status", "history", "members", "loglevel", "cancel", "nonsense"];
const FIELDS = [
  ...["command", "paths", "recursive", "dryRun", "allOrNothing", "targets", "excepts", "excludes", "group"],
  ...["deletes", "syncs", "isForced", "comparesContents", "isCheck", "sendsAttributes", "detail", "progress"],
  ...["members", "seconds", "count", "level", "__proto__", "constructor", "toString", "length", ""],
];
const NUMBERS = ["0", "-0", "-1", "1e999", "-1e999", "1.5", "9007199254740993", "1e-400", "4294967296"];
const STRINGS = [
  "",
  "a",
  "\0",
  "../x",
  "*[",
  "\\",
  "@",
  "root",
  "\u65e5\u672c",
  "\ud800",
  "\xff\xfe",
  "\n",
  "-1",
];
const BROKEN = [
  ...["", " ", "{", "}", "[", "null", "true", '"', "{'a':1}", '{"command":"status"', '{"command":}', "NaN"],
  ...['{"command":"cancel" }', "\0", "\x1b[2J", '{"a":1}{"b":2}', '{"command":"status"},', "\ufeff{}", "1e5"],
];

/** A request in JSON or nearly so, without the end of its line. */
function nastyRequest(random: SeededRandom): string {
  // A request that really waits would only keep a test waiting.
  return drawRequest(random).replace(/"seconds":\d+/g, '"seconds":0');
}

function drawRequest(random: SeededRandom): string {
  if (below(random, 40) === 0) return nearlyRight(random);
  const kind = below(random, 10);
  if (kind === 0) return pick(random, BROKEN);
  if (kind === 1) return deep(random, 1 + below(random, 6_000));
  if (kind === 2) return randomCharacters(random);
  const fields = new Map<string, string>();
  if (kind > 3) fields.set("command", JSON.stringify(pick(random, COMMANDS)));
  for (let count = below(random, 22); count > 0; count--) fields.set(pick(random, FIELDS), value(random, 0));
  const text = [...fields].map(([name, one]) => `${JSON.stringify(name)}:${one}`).join(",");
  return `{${text}}`;
}

/** The same as bytes: some of them are damaged, and are no UTF-8 any more. */
export function nastyBytes(random: SeededRandom): Buffer {
  const bytes = Buffer.from(nastyRequest(random));
  for (let count = below(random, 4) - 2; count > 0 && bytes.length > 0; count--) {
    bytes[below(random, bytes.length)] = below(random, 256);
  }
  return Buffer.from(bytes.map((byte) => (byte === 0x0a ? 0x20 : byte)));
}

/** A request with every field of the right type, so that it is carried out, but for one now and then. */
function nearlyRight(random: SeededRandom): string {
  const list = () =>
    Array.from({ length: below(random, 4) }, () => pick(random, STRINGS).replace(/[^\x01-\xff]/g, "x"));
  const flag = () => below(random, 2) === 1;
  const wait = { command: "wait", members: below(random, 9), seconds: 0, targets: list(), excepts: list() };
  const send = {
    ...{ command: "send", paths: list(), recursive: flag(), dryRun: true, allOrNothing: flag() },
    ...{ targets: list(), excepts: list(), excludes: list(), group: pick(random, ["", "", "0", "x", "1\n"]) },
    ...{ deletes: pick(random, ["nothing", "also", "only"]), syncs: flag(), isForced: flag() },
    ...{ comparesContents: flag(), isCheck: flag(), sendsAttributes: flag(), progress: flag() },
    detail: pick(random, ["none", "paths", "updates", "all"]),
  };
  const fields = new Map(
    Object.entries(below(random, 3) === 0 ? wait : send).map(([name, one]) => [name, JSON.stringify(one)]),
  );
  if (below(random, 4) === 0) fields.set(pick(random, [...fields.keys()]), value(random, 0));
  return `{${[...fields].map(([name, one]) => `${JSON.stringify(name)}:${one}`).join(",")}}`;
}

function value(random: SeededRandom, depth: number): string {
  switch (below(random, depth > 3 ? 4 : 8)) {
    case 0:
      return pick(random, ["true", "false", "null"]);
    case 1:
      return pick(random, NUMBERS);
    case 2:
      return String(below(random, 1_000));
    case 3:
      return JSON.stringify(pick(random, STRINGS).repeat(1 + below(random, 3)));
    case 4:
      return deep(random, below(random, 3_000)).replace('{"command":', '{"x":');
    case 5:
      return `{"__proto__":${value(random, depth + 1)},"length":${value(random, depth + 1)}}`;
    case 6:
      return JSON.stringify("[".repeat(below(random, 3_000)));
    default:
      return `[${Array.from({ length: below(random, 5) }, () => value(random, depth + 1)).join(",")}]`;
  }
}

function deep(random: SeededRandom, levels: number): string {
  const [open, close] = pick(random, [
    ["[", "]"],
    ['{"command":', "}"],
    ['{"a":[', "]}"],
  ] as const);
  return `{"command":${open.repeat(levels)}1${close.repeat(levels)}}`;
}

function randomCharacters(random: SeededRandom): string {
  const codes = Array.from({ length: below(random, 60) }, () => below(random, 0x500));
  return codes.map((code) => String.fromCharCode(code === 10 ? 32 : code)).join("");
}

function pick<T>(random: SeededRandom, all: readonly T[]): T {
  return all[below(random, all.length)] as T;
}
