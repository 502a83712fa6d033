import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import type { SendRequest } from "../../src/console/protocol.ts";
import { commandLine, logRequest } from "../../src/daemon/pushes/audit.ts";

const REQUEST: SendRequest = {
  ...{ command: "send", paths: ["htdocs"], recursive: true, dryRun: false, allOrNothing: false },
  ...{ targets: [], excepts: [], group: "", excludes: [], detail: "none", progress: false },
  ...{ deletes: "nothing", syncs: false, isForced: false, comparesContents: false, isCheck: false },
  sendsAttributes: false,
};

function logged(level: string, request: SendRequest, by = { user: "alice", uid: 1000, pid: 7 }): string[] {
  const lines: string[] = [];
  const log = pino({ level, base: null }, { write: (line: string) => lines.push(line) });
  logRequest(log, 3, request, by, 2);
  return lines.map((line) => {
    const { msg, path = "" } = JSON.parse(line) as { msg: string; path?: string };
    return `${msg} ${path}`.trim();
  });
}

test("the log says who has asked for what", () => {
  assert.deepEqual(logged("info", REQUEST), [
    "transfer 3 to 2 members, for alice (uid 1000): msync -r htdocs",
  ]);
  assert.deepEqual(logged("info", REQUEST, { user: "", uid: 77, pid: 7 }), [
    "transfer 3 to 2 members, for user (uid 77): msync -r htdocs",
  ]);
});

test("paths are named at the level debug, up to a bound", () => {
  const paths = Array.from({ length: 1_002 }, (_, index) => `f${index}`);
  const [line, ...others] = logged("debug", { ...REQUEST, paths });
  assert.match(line ?? "", /msync -r f0 f1 f2 \(and 999 more: paths\)$/);
  assert.equal(others.length, 1_001);
  assert.equal(others[0], "transfer 3 has f0");
  assert.equal(others.at(-1), "transfer 3 has 2 more paths");
});

test("a request is written as a command line", () => {
  const request: SendRequest = {
    ...REQUEST,
    ...{
      paths: ["", "it's"],
      deletes: "also",
      isForced: true,
      targets: ["web*"],
      excludes: ["*.o"],
      group: "www",
    },
    ...{ dryRun: true, isCheck: true, comparesContents: true, sendsAttributes: true, allOrNothing: true },
  };
  assert.equal(
    commandLine(request),
    "-r --delete --force-delete --check --xattrs --all-or-nothing -t 'web*' --exclude '*.o' -g www . 'it'\\''s'",
  );
});
