import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitStatus, UserError } from "../../src/base/user-error.ts";
import { parseRequest } from "../../src/console/parse-request.ts";

const SEND = {
  command: "send",
  paths: ["etc/motd"],
  recursive: false,
  dryRun: false,
  allOrNothing: false,
  targets: [],
  excepts: [],
  excludes: [],
  group: "",
  deletes: "nothing",
  syncs: false,
  isForced: false,
  comparesContents: false,
  isCheck: false,
  sendsAttributes: false,
  detail: "none",
  progress: false,
} as const;

const parse = (value: unknown) => parseRequest(JSON.stringify(value));

/** With one sentence for the client. */
const refuses = (line: string, sentence: string | RegExp) =>
  assert.throws(
    () => parseRequest(line),
    (error) =>
      error instanceof UserError &&
      (typeof sentence === "string" ? error.message === sentence : sentence.test(error.message)) &&
      error.exitStatus === ExitStatus.usage,
    line.slice(0, 200),
  );

test("requests are taken as they are", () => {
  const every = {
    ...SEND,
    paths: ["a", ""],
    recursive: true,
    dryRun: true,
    allOrNothing: true,
    progress: true,
  };
  for (const request of [
    SEND,
    { ...every, targets: ["alpha", "10.0.0.2"], detail: "all" },
    { ...every, compression: "yes" },
    { ...every, compression: "no" },
    { command: "status" },
    { command: "members" },
    { command: "loglevel", level: "debug" },
    { command: "history", count: 20 },
    { command: "wait", members: 3, seconds: 60, targets: ["web*"], excepts: ["@tokyo"] },
  ]) {
    assert.deepEqual(parse(request), request);
  }
  for (const detail of ["none", "paths", "updates", "all"]) {
    assert.deepEqual(parse({ ...SEND, detail }), { ...SEND, detail });
  }
});

test("what nobody asked for is left out", () => {
  assert.deepEqual(parse({ ...SEND, uid: 0, __proto__: { x: 1 } }), SEND);
  assert.deepEqual(parseRequest('{"command":"status","__proto__":{"command":"send"},"level":1}'), {
    command: "status",
  });
});

test("what is no JSON object is refused", () => {
  for (const line of ["", " ", "{", "status", "{'command':'status'}", '{"command":"status"}{}', "\u0000"]) {
    refuses(line, "the request is not JSON");
  }
  for (const line of ["null", "1", '"status"', "true"]) refuses(line, "the request is not an object");
});

test("an unknown command is refused by its name", () => {
  refuses('{"command":"shutdown"}', 'the daemon does not know the command "shutdown"');
  refuses('{"command":"Send"}', 'the daemon does not know the command "Send"');
  refuses('{"command":["send"]}', "the request's command is not text");
  for (const line of ["{}", "[]", '["send"]', '{"__proto__":{"command":"status"}}']) {
    refuses(line, "the request's command is not text");
  }
});

test("nothing that is nested without end, or long, is entered or repeated", () => {
  for (const [open, close] of [
    ["[", "]"],
    ['{"command":', "}"],
  ] as const) {
    const deep = `${open.repeat(200_000)}1${close.repeat(200_000)}`;
    refuses(`{"command":${deep}}`, "the request's command is not text");
    refuses(`{"command":"loglevel","level":${deep}}`, "the request's level is not text");
    refuses(
      JSON.stringify(SEND).replace('["etc/motd"]', deep),
      /^the request's paths (is not a|are not byte)/,
    );
  }
  const long = "x".repeat(1_000_000);
  refuses(`{"command":"${long}"}`, `the daemon does not know the command "${"x".repeat(40)}"`);
  refuses(`{"command":"loglevel","level":"${long}"}`, "the request's level is longer than 255 characters");
  refuses(JSON.stringify({ ...SEND, group: long }), "the request's group is longer than 255 characters");
  refuses(
    JSON.stringify({ ...SEND, targets: ["a", long] }),
    "one of the request's targets is longer than 4096 bytes",
  );
  refuses(
    JSON.stringify({ ...SEND, excepts: Array.from({ length: 20 }, () => "*x".repeat(2_000)) }),
    "the request's excepts have 80000 bytes: give 65536 at the most",
  );
});

test("a field that is missing or of another type is refused by its name", () => {
  for (const name of ["recursive", "dryRun", "allOrNothing", "progress"]) {
    for (const value of [undefined, null, 0, 1, "true", []]) {
      refuses(JSON.stringify({ ...SEND, [name]: value }), `the request's ${name} is not true or false`);
    }
  }
  for (const name of ["paths", "targets", "excepts", "excludes"]) {
    for (const value of [undefined, null, "etc/motd", 1, {}, { length: 1, 0: "x" }]) {
      refuses(JSON.stringify({ ...SEND, [name]: value }), `the request's ${name} is not a list`);
    }
  }
  for (const value of [undefined, null, "", "ALL", 1, ["all"]]) {
    refuses(
      JSON.stringify({ ...SEND, detail: value }),
      "the request's detail is none of none, paths, updates, all",
    );
  }
  for (const value of [undefined, null, 3, {}]) {
    refuses(JSON.stringify({ command: "loglevel", level: value }), "the request's level is not text");
  }
});

test("names of any bytes but NUL pass, and nothing else does", () => {
  const bytes = Array.from({ length: 255 }, (_, index) => String.fromCharCode(index + 1)).join("");
  const names = [bytes, "a\nb", "-rf", "\u00ff\u00fe"];
  const request = { ...SEND, paths: names, targets: names, excepts: names, excludes: names };
  assert.deepEqual(parse(request), request);
  for (const name of ["paths", "targets", "excepts", "excludes"]) {
    for (const item of ["\u0000", "a\u0000b", "\u0100", "\u65e5\u672c", "\ud83d\ude00", 1, null, ["a"], {}]) {
      refuses(
        JSON.stringify({ ...SEND, [name]: ["good", item] }),
        `the request's ${name} are not byte strings`,
      );
    }
  }
});
