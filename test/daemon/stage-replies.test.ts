import { reason } from "../../src/base/reason.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import type { StageAnswer, StageReply } from "../../src/daemon/disk/messages.ts";
import { passStageReplies } from "../../src/daemon/pushes/stage-replies.ts";

const INBOUND = { epoch: "aa".repeat(8), transfer: 3, admission: 1 };
const WORKED: StageReply = { kind: "worked", inbound: INBOUND };
const COMMITTED: StageReply = { kind: "committed", inbound: INBOUND, failure: undefined, beganMs: 0 };

/** The parts that hear of replies; `held` is the kind of answer that a hook holds back. */
function begin(held?: StageAnswer["kind"]) {
  const heard: string[] = [];
  let pass: (() => void) | undefined;
  const log = pino(
    { level: "warn" },
    { write: (line) => heard.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const hearers = {
    log,
    received: { onStage: (reply: StageReply) => heard.push(`history: ${reply.kind}`) },
    hooks: {
      hold: (answer: StageAnswer, passOn: (answer: StageAnswer) => void) => {
        if (answer.kind !== held) return false;
        pass = () => passOn(answer);
        return true;
      },
    },
    catchUp: {
      hold: () => false,
      judged: (answer: StageAnswer) => answer,
      noteKept: () => undefined,
      finished: { noteAreas: () => undefined },
    },
    driver: {
      onStage: (answers: readonly StageAnswer[]) =>
        heard.push(`driver: ${answers.map(({ kind }) => kind).join(" ")}`),
    },
  };
  return { heard, hearers, passHeld: () => pass?.() };
}

test("all answers of a bunch go to the driver at once, after the history has heard of them", () => {
  const { heard, hearers } = begin();
  passStageReplies([WORKED, COMMITTED], hearers);
  assert.deepEqual(heard, ["history: worked", "history: committed", "driver: worked committed"]);
});

test("an answer that a hook holds back goes to the driver when the hook passes it on", () => {
  const { heard, hearers, passHeld } = begin("committed");
  passStageReplies([COMMITTED, WORKED], hearers);
  assert.deepEqual(heard, ["history: committed", "history: worked", "driver: worked"]);
  passHeld();
  assert.equal(heard.at(-1), "driver: committed");
});

test("recovery and what is left over go to the log alone", () => {
  const { heard, hearers } = begin();
  const finished = [
    { name: "one", failure: undefined, isLeft: false },
    { name: "two", failure: reason("EIO", "d/f"), isLeft: false },
    { name: "three", failure: reason("EPERM"), isLeft: true },
  ];
  const left: StageReply = { kind: "left", inbound: INBOUND, failure: reason("EACCES") };
  passStageReplies(
    [{ kind: "recovered", finished, kept: [], undos: [], failure: reason("EROFS") }, left],
    hearers,
  );
  assert.deepEqual(heard, [
    "the commit of transfer one was interrupted, and is finished now",
    "the commit of transfer two was interrupted, and could not be finished: d/f: the disk reports an input/output error",
    "the commit of transfer three was interrupted, and could not be finished: it stays as it is: the operation is not permitted",
    "what an earlier run has left cannot be cleared away: the file system is read-only",
    "what transfer aaaaaaaaaaaaaaaa-3 has left cannot be removed: permission denied",
    "driver: ",
  ]);
});

test("a command that the log names does nothing but remove one path, whatever the path is called", () => {
  const { heard, hearers } = begin();
  passStageReplies([{ kind: "strange", path: "/srv/.makuosan/x; id" }], hearers);
  assert.match(heard[0] ?? "", /remove it with 'rm -r '\/srv\/\.makuosan\/x; id''$/);
});

test("what cannot be taken back any more, and why, goes to the log", () => {
  const { heard, hearers } = begin();
  const change = (why: "bounds" | "space" | "commit", more: object = {}): StageReply => ({
    ...{ kind: "undo-areas", areas: [], dropped: ["one"], why, path: undefined, failure: undefined },
    ...more,
  });
  const failure = reason("EIO");
  passStageReplies(
    [
      ...[change("space"), change("bounds", { dropped: [], failure })],
      ...[
        change("commit"),
        change("commit", { path: "d/f" }),
        change("commit", { path: "" }),
        change("commit", { path: "", failure }),
      ],
    ],
    hearers,
  );
  assert.deepEqual(heard, [
    "transfer one cannot be taken back any more: its space was needed",
    "what was kept to take back a push cannot be removed: the disk reports an input/output error",
    "transfer one cannot be taken back: some of what was replaced could not be kept",
    "transfer one cannot be taken back: what was replaced at d/f could not be kept",
    "transfer one cannot be taken back: there was no room to keep what was replaced",
    "transfer one cannot be taken back: the disk reports an input/output error",
    "driver: ",
  ]);
});
