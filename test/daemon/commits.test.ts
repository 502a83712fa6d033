import assert from "node:assert/strict";
import { test } from "node:test";
import { reason } from "../../src/base/reason.ts";
import type { DiskThreads } from "../../src/daemon/disk/disk-threads.ts";
import type { SourceCommand, StageCommand } from "../../src/daemon/disk/messages.ts";
import { type CommitDecision, Commits, GO_ON } from "../../src/daemon/pump/commits.ts";
import type { FollowedUndo } from "../../src/engine/catch-up/undo-choice.ts";
import type { Input } from "../../src/engine/types.ts";

/** Commits between the two disk threads, which are told and never answer by themselves. */

const KEY = { epoch: "b".repeat(16), transfer: 4, admission: 1 };
const AGAIN = { ...KEY, admission: 2 };
const WHY = reason("own-push", "f");

function begin(lacks?: FollowedUndo) {
  const said: string[] = [];
  const disks = {
    toSource: ({ kind }: SourceCommand) => said.push(`source: ${kind}`),
    toStage: (command: StageCommand) => {
      const follows = command.kind === "commit" ? command.follows : undefined;
      said.push(`stage: ${command.kind}${follows === undefined ? "" : `, follows ${follows.undo}`}`);
    },
  } as unknown as DiskThreads;
  const tell = (input: Input) =>
    said.push(`engine: ${input.kind}${"failure" in input && input.failure !== undefined ? ", failed" : ""}`);
  const commits = new Commits(
    () => disks,
    tell,
    () => lacks,
  );
  return { commits, take: () => said.splice(0) };
}

test("a commit holds the reading thread until the tree has switched", () => {
  const { commits, take } = begin();
  commits.begin({ kind: "commit", key: KEY, order: 7, ownAfter: [] });
  assert.deepEqual(take(), ["source: hold", "stage: commit"]);
  commits.switched(KEY);
  assert.deepEqual(take(), ["source: go-on", "engine: switched"]);
  commits.end(WHY, KEY);
  assert.deepEqual(take(), ["engine: committed, failed"]);
});

test("a commit is told which undo this host lacks", () => {
  const { commits, take } = begin({ undo: "bb-2", undone: "bb-1" });
  commits.begin({ kind: "commit", key: KEY, order: 7, ownAfter: [] });
  assert.deepEqual(take(), ["source: hold", "stage: commit, follows bb-2"]);
});

test("a commit that tells only its end holds the reading thread until then, and one with a veto holds nothing", () => {
  const { commits, take } = begin();
  commits.begin({ kind: "commit", key: KEY, order: 7, ownAfter: [] });
  take();
  commits.end(undefined, KEY);
  assert.deepEqual(take(), ["source: go-on", "engine: committed"]);
  commits.begin({ kind: "commit", key: KEY, order: 7, ownAfter: [1] }, { ...GO_ON, veto: WHY });
  assert.deepEqual(take(), ["stage: discard", "engine: committed, failed"]);
});

test("a commit that may change what an own transfer has said waits for a look, and may fail for it", () => {
  const { commits, take } = begin();
  const commit = { kind: "commit", key: KEY, order: 7, ownAfter: [1] } as const;
  commits.begin(commit);
  assert.deepEqual(take(), ["source: hold"]);
  commits.takeChecked({ kind: "checked", inbound: KEY, failure: undefined });
  assert.deepEqual(take(), ["stage: commit"]);
  commits.switched(KEY);
  take();
  commits.begin(commit);
  take();
  commits.takeChecked({ kind: "checked", inbound: KEY, failure: WHY });
  assert.deepEqual(take(), ["source: go-on", "stage: discard", "engine: committed, failed"]);
});

test("a transfer that brings earlier publications comes before all own ones, and leaves alone what is later", () => {
  const stage: StageCommand[] = [];
  const source: SourceCommand[] = [];
  const disks = {
    toSource: (command: SourceCommand) => source.push(command),
    toStage: (command: StageCommand) => stage.push(command),
  } as unknown as DiskThreads;
  const commits = new Commits(
    () => disks,
    () => undefined,
    () => undefined,
  );
  const decision = { veto: undefined, later: ["list"], own: [1, 2] };
  commits.begin({ kind: "commit", key: KEY, order: 7, ownAfter: [2] }, decision);
  assert.deepEqual(source, [{ kind: "hold", inbound: KEY, ownAfter: [2, 1] }]);
  commits.takeChecked({ kind: "checked", inbound: KEY, failure: undefined });
  assert.deepEqual(stage, [{ kind: "commit", inbound: KEY, order: 7, later: ["list"], follows: undefined }]);
});

test("with all or nothing the look comes before the place, and the reading thread stands still from then on", () => {
  const { commits, take } = begin();
  commits.weigh({ kind: "weigh", key: KEY, own: [] });
  assert.deepEqual(take(), ["source: hold", "engine: weighed"]);
  commits.discard(KEY);
  assert.deepEqual(take(), ["source: go-on", "stage: discard"]);
  commits.weigh({ kind: "weigh", key: KEY, own: [1] });
  assert.deepEqual(take(), ["source: hold"]);
  commits.takeChecked({ kind: "checked", inbound: KEY, failure: undefined });
  assert.deepEqual(take(), ["engine: weighed"]);
  commits.begin({ kind: "commit", key: KEY, order: 7, ownAfter: [1] });
  assert.deepEqual(take(), ["stage: commit"]);
  commits.switched(KEY);
  assert.deepEqual(take(), ["source: go-on", "engine: switched"]);
});

test("with all or nothing, what is in the way by the log is told before the place, and not after the end of the transfer", () => {
  const { commits, take } = begin();
  const weigh = { kind: "weigh", key: KEY, own: [] } as const;
  commits.weigh(weigh, (then) => then({ ...GO_ON, veto: WHY }));
  assert.deepEqual(take(), ["engine: weighed, failed"]);
  let later: () => void = () => assert.fail();
  const putOff = (then: (decision: CommitDecision) => void) => (later = () => then(GO_ON));
  commits.weigh(weigh, putOff);
  assert.deepEqual(take(), []);
  later();
  assert.deepEqual(take(), ["source: hold", "engine: weighed"]);
  commits.discard(KEY);
  commits.weigh(weigh, putOff);
  commits.discard(KEY);
  take();
  later();
  assert.deepEqual(take(), []);
});

test("a look at a transfer that is over by then, or has begun again, commits nothing", () => {
  const { commits, take } = begin();
  commits.weigh({ kind: "weigh", key: KEY, own: [1] });
  commits.discard(KEY);
  take();
  commits.takeChecked({ kind: "checked", inbound: KEY, failure: undefined });
  commits.weigh({ kind: "weigh", key: AGAIN, own: [1] });
  assert.deepEqual(take(), ["source: hold"]);
  commits.takeChecked({ kind: "checked", inbound: KEY, failure: WHY });
  assert.deepEqual(take(), []);
  commits.discard(KEY);
  assert.deepEqual(take(), ["stage: discard"]);
});
