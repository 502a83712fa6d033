import { reasonOf } from "../../src/base/reason.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitStatus } from "../../src/base/user-error.ts";
import {
  EMPTY_TALLY,
  exitStatusOf,
  resultOfTransfer,
  resultWithoutTransfer,
} from "../../src/daemon/pushes/transfer-result.ts";
import type { MissingHost } from "../../src/console/protocol.ts";
import type { Member, Verdict } from "../../src/engine/types.ts";
import { nodeInfo } from "../support/node-info.ts";

const PUSH = { allOrNothing: false, isCheck: false, dryRun: false };
const TOTALS = { entries: 7, wantedBytes: 300, sentEntries: 3, sentBytes: 200, savedBytes: 0 };

function verdict(number: number, outcome: Verdict["outcome"] = "done"): Verdict {
  const reason = outcome === "done" ? "" : "because";
  const address = { ip: `10.0.0.${number}`, port: 5000 };
  return { epoch: `e${number}`, hostName: `host${number}`, address, outcome, reason };
}

function member(number: number): Member {
  const info = nodeInfo(`host${number}`);
  const { epoch, address } = verdict(number);
  return { nodeId: epoch, epoch, address, info, joinedMs: 0 };
}

const DONE = [verdict(1), verdict(2)];
const FAILED = [verdict(1), verdict(2, "failed")];
const UNCONFIRMED = [verdict(1), verdict(2, "unconfirmed")];

/** What came of a push, and the exit status that msync(1) promises for it. */
const TABLE: readonly {
  readonly name: string;
  readonly request?: Partial<typeof PUSH>;
  readonly unknown?: readonly string[];
  readonly missing?: readonly MissingHost[];
  readonly tally?: Partial<typeof EMPTY_TALLY>;
  readonly verdicts?: readonly Verdict[];
  readonly aborted?: string;
  readonly status: number;
}[] = [
  { name: "done everywhere", status: 0 },
  { name: "deletes are no failure", tally: { deleted: 3 }, status: 0 },
  { name: "a member failed", verdicts: FAILED, status: 3 },
  { name: "a member did not confirm", verdicts: UNCONFIRMED, status: 3 },
  { name: "a named host is missing", unknown: ["host9"], status: 3 },
  { name: "an entry could not be read", tally: { unreadable: 1 }, status: 3 },
  { name: "nothing was changed", verdicts: FAILED, aborted: "refused", status: 3 },
  { name: "nothing was changed, all members done", aborted: "interrupted", status: 3 },
  {
    name: "nothing was changed, and that was asked for",
    request: { allOrNothing: true },
    verdicts: FAILED,
    aborted: "host2 failed",
    status: 6,
  },
  {
    name: "a member failed behind the barrier of --all-or-nothing",
    request: { allOrNothing: true },
    verdicts: FAILED,
    status: 3,
  },
  { name: "all or nothing, and it was all", request: { allOrNothing: true }, status: 0 },
  { name: "a check finds nothing", request: { isCheck: true, dryRun: true }, status: 0 },
  {
    name: "a check finds an entry that differs",
    request: { isCheck: true, dryRun: true },
    tally: { differing: 1 },
    status: 5,
  },
  {
    name: "a check finds an entry that would be deleted",
    request: { isCheck: true, dryRun: true },
    tally: { deleted: 1 },
    status: 5,
  },
  {
    name: "a check finds differences, and a member failed",
    request: { isCheck: true, dryRun: true },
    tally: { differing: 1 },
    verdicts: FAILED,
    status: 3,
  },
  {
    name: "a repair has mended what differs",
    request: { isCheck: true },
    tally: { differing: 4, deleted: 1 },
    status: 0,
  },
  {
    name: "a host is heard that is no member",
    missing: [{ host: "host3", address: "10.0.0.3", reason: "host3 (10.0.0.3) is heard" }],
    status: 3,
  },
  { name: "a dry run without a check", request: { dryRun: true }, tally: { deleted: 2 }, status: 0 },
];

for (const { name, request, unknown = [], missing = [], tally, verdicts = DONE, aborted, status } of TABLE) {
  test(`exit status ${status}: ${name}`, () => {
    const terms = { ...PUSH, ...request };
    const found = exitStatusOf(
      terms,
      { unknown, missing },
      { ...EMPTY_TALLY, ...tally },
      { verdicts, aborted },
    );
    assert.equal(found, status);
  });
}

test("the result names hosts as people see them, in the order of their names", () => {
  const targets = {
    members: [member(1), member(2)],
    unknown: ["host9"],
    unknownExcepts: ["host8"],
    apart: [],
    missing: [],
  };
  const tally = { totals: TOTALS, unreadable: 1, deleted: 2, differing: 4 };
  const ended = {
    transfer: 1,
    verdicts: [verdict(2, "failed"), verdict(1)],
    aborted: undefined,
    order: 3,
    sentFragments: 90,
    repairedFragments: 5,
    parityFragments: 3,
  };
  const nameOf = (epoch: string) => (epoch === "e1" ? "host1(10.0.0.1)" : undefined);
  assert.deepEqual(resultOfTransfer(PUSH, targets, tally, nameOf, ended, 12.5), {
    result: "send",
    exitStatus: ExitStatus.partial,
    hosts: [
      { host: "host1(10.0.0.1)", address: "10.0.0.1", outcome: "done", reason: "" },
      {
        host: "host2",
        address: "10.0.0.2",
        outcome: "failed",
        reason: "because",
        cause: reasonOf("because"),
      },
    ],
    unknown: ["host9"],
    unknownExcepts: ["host8"],
    missing: [],
    aborted: undefined,
    entries: 7,
    sentEntries: 3,
    sentBytes: 200,
    savedBytes: 0,
    unreadable: 1,
    deleted: 2,
    differing: 4,
    durationMs: 12.5,
    repairedFragments: 5,
  });
});

test("a transfer begins as soon as there is a member, unless one is missing that must not be", () => {
  const targets = {
    members: [member(1)],
    unknown: ["host8", "host9"],
    unknownExcepts: [],
    apart: [],
    missing: [],
  };
  assert.equal(resultWithoutTransfer(PUSH, targets), undefined);
  const refused = resultWithoutTransfer({ ...PUSH, allOrNothing: true }, targets);
  assert.equal(refused?.exitStatus, ExitStatus.aborted);
  assert.equal(refused.aborted, "host8, host9 cannot be reached");
  assert.deepEqual([refused.hosts, refused.unknown], [[], ["host8", "host9"]]);
});

test("without a member, missing hosts make a result, and nobody at all is an error", () => {
  const missing = { members: [], unknown: ["host9"], unknownExcepts: ["host8"], apart: [], missing: [] };
  const result = resultWithoutTransfer(PUSH, missing);
  assert.equal(result?.exitStatus, ExitStatus.partial);
  assert.deepEqual(
    [result.aborted, result.unknown, result.unknownExcepts],
    [undefined, ["host9"], ["host8"]],
  );
  for (const allOrNothing of [false, true]) {
    assert.throws(
      () => resultWithoutTransfer({ ...PUSH, allOrNothing }, { ...missing, unknown: [] }),
      (error: { exitStatus?: number }) => error.exitStatus === ExitStatus.noMembers,
    );
  }
});
