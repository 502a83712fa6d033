import assert from "node:assert/strict";
import { test } from "node:test";
import { Conditions } from "../../src/daemon/doctor/conditions.ts";
import { judgeDisk } from "../../src/daemon/doctor/disk-findings.ts";
import { UNKNOWN_DISK } from "../../src/daemon/doctor/disk-facts.ts";
import {
  Examination,
  FAST_PROBES,
  type Measurement,
  SINGLE_PROBES,
  SLOW_PROBES,
} from "../../src/daemon/doctor/examination.ts";
import { Findings } from "../../src/daemon/doctor/findings.ts";
import { judgeMember, type OwnFacts } from "../../src/daemon/doctor/member-findings.ts";
import type { Destination, Member, NodeEvent } from "../../src/engine/types.ts";
import { type Condition, ProbeSeries } from "../../src/wire/examination-messages.ts";
import type { ExaminationMessage } from "../../src/wire/message.ts";

const OWN_EPOCH = "00000000000000aa";
const ALL = [SLOW_PROBES, SLOW_PROBES, FAST_PROBES, SINGLE_PROBES];
const GB = 1_000_000_000;
const GOOD_DISK = {
  ...UNKNOWN_DISK,
  isKnown: true,
  isWritable: true,
  freeBytes: 50 * GB,
  allBytes: 100 * GB,
};

function member(more: Partial<Member["info"]> = {}, epoch = "00000000000000bb"): Member {
  const info = { hostName: "web1", version: "2.1.0", protocol: 3, receives: true, sends: true, labels: [] };
  const address = { ip: "127.0.0.9", port: 5000 };
  return { nodeId: "0".repeat(32), epoch, address, info: { ...info, ...more }, joinedMs: 0 };
}

const CONDITION: Condition = {
  ...{ to: OWN_EPOCH, examination: 1, number: 1, arrived: ALL, clockMs: 0, keepsOwner: true },
  ...{ disk: GOOD_DISK, receiveBufferBytes: 16_000_000, dropped: 0, members: 2 },
};

const OWN: OwnFacts = {
  ...{ hostName: "web0", port: 5000, interfaceName: "lo", version: "2.1.0", keepsOwner: true },
  ...{ key: "aaaaaaaa", memberCount: 2, fastBitsPerSecond: 2e8, longBytes: 1440 },
};

function measured(condition: Partial<Condition> | undefined, more: Partial<Measurement> = {}): Measurement {
  const whole = condition === undefined ? undefined : { ...CONDITION, ...condition };
  const counts = { clockAheadMs: 0, answersSent: 10, answersHeard: 10 };
  return { member: member(), roundTripsMs: [1, 2], condition: whole, first: whole, ...counts, ...more };
}

/** What is not all right, such as "problem loss". */
function judged(measurement: Measurement, isAlive = true, own = OWN): string[] {
  const findings = judgeMember("web1", measurement, isAlive, own);
  return findings.filter(({ level }) => level !== "ok").map(({ level, check }) => `${level} ${check}`);
}

test("a member that answered before the probes, and not after them, is judged by neither", () => {
  const silent = measured(undefined, { first: CONDITION });
  assert.deepEqual(judged(silent), ["problem loss"]);
  assert.deepEqual(judged(silent, false), ["problem unicast"]);
});

test("a member with which all is well has no finding but ok", () => {
  assert.deepEqual(judged(measured({})), []);
});

const CASES: readonly [string, Measurement, readonly string[]][] = [
  [
    "nothing of the group arrives there",
    measured({ arrived: [0, 0, 0, 5] }),
    ["problem multicast-out", "hint loss"],
  ],
  ["nothing of the group comes back", measured({}, { answersHeard: 0 }), ["problem multicast-in"]],
  ["long ones to the group are lost", measured({ arrived: [40, 0, 0, 0] }), ["problem long-datagrams"]],
  ["long single ones are lost", measured({ arrived: [40, 40, 400, 0] }), ["problem long-datagrams"]],
  ["two slow ones are lost", measured({ arrived: [39, 39, 400, 5] }), ["problem loss"]],
  ["one slow one is lost by chance", measured({ arrived: [39, 40, 400, 5] }), []],
  ["fast ones are lost", measured({ arrived: [40, 40, 379, 5] }), ["hint loss"]],
  ["its buffer is small", measured({ receiveBufferBytes: 425_984 }), ["hint receive-buffer"]],
  [
    "its kernel drops while it is examined",
    measured({ dropped: 9 }, { first: { ...CONDITION, dropped: 8 } }),
    ["hint receive-buffer"],
  ],
  ["its clock is ahead", measured({}, { clockAheadMs: 2_100 }), ["hint clock"]],
  ["its clock is behind", measured({}, { clockAheadMs: -2_100 }), ["hint clock"]],
  ["it does not set owners", measured({ keepsOwner: false }), ["hint owners"]],
  ["it knows fewer members", measured({ members: 1 }), ["hint members"]],
  ["its disk hangs", measured({ disk: UNKNOWN_DISK }), ["problem base"]],
  ["another program", measured({}, { member: member({ version: "2.0.0" }) }), ["hint version"]],
  ["it does not receive", measured({}, { member: member({ receives: false }) }), ["hint receives"]],
  ["another key", measured({}, { member: member({ keys: ["bbbbbbbb"] }) }), ["problem key"]],
  ["one of its keys is ours", measured({}, { member: member({ keys: ["bbbbbbbb", "aaaaaaaa"] }) }), []],
];

for (const [name, measurement, expected] of CASES) {
  test(`the doctor judges a member: ${name}`, () => {
    assert.deepEqual(judged(measurement), expected);
  });
}

test("each check of a member that answers is in the report, also if there was nothing to measure", () => {
  const checks = [
    "route",
    "unicast",
    "round-trip",
    "multicast-out",
    "multicast-in",
    "long-datagrams",
    "loss",
  ];
  checks.push("receive-buffer", "base", "space", "inodes", "clock", "members", "version", "key");
  const cases: readonly [Measurement, OwnFacts][] = [
    [measured({}, { member: member({ keys: ["aaaaaaaa"] }) }), OWN],
    [measured({}), OWN],
    [measured({}), { ...OWN, key: undefined }],
    [measured({ arrived: [0, 0, 0, 0], disk: { ...UNKNOWN_DISK, isKnown: true } }), OWN],
  ];
  for (const [measurement, own] of cases)
    assert.deepEqual(
      judgeMember("web1", measurement, true, own).map(({ check }) => check),
      checks,
    );
});

test("the keys of a member that has not said them are named as such, unless it has opened packets under ours", () => {
  const keyOf = (measurement: Measurement) => {
    const findings = judgeMember("web1", measurement, true, OWN);
    return findings.filter(({ check }) => check === "key").map(({ level, text }) => `${level} ${text}`);
  };
  assert.deepEqual(keyOf(measured({})), ["ok it opens packets under the key of this host, aaaaaaaa"]);
  assert.deepEqual(keyOf(measured(undefined)), ["hint it has not said which keys it accepts"]);
  const told = { member: member({ keys: ["aaaaaaaa"] }) };
  assert.deepEqual(keyOf(measured(undefined, told)), ["ok it seals with the key aaaaaaaa, accepts aaaaaaaa"]);
});

test("a member that says nothing is silent, refuses what is sent to it, or is of an earlier version", () => {
  const earlier = { member: member({ protocol: 2 }) };
  assert.deepEqual(judged(measured(undefined), false), ["problem unicast", "hint key"]);
  assert.deepEqual(judged(measured(undefined, earlier), false), ["problem unicast", "hint key"]);
  const behind = ["problem unicast", "hint key"];
  assert.deepEqual(judged(measured(undefined), true), behind, "heard through its firewall");
  assert.deepEqual(judged(measured(undefined, earlier), true), ["hint unicast", "hint key"]);
});

test("a member that packets are routed to over another interface is named", () => {
  assert.deepEqual(judged(measured({}), true, { ...OWN, interfaceName: "eth9" }), ["problem route"]);
});

test("disks that are full, nearly full, or cannot be written", () => {
  const of = (disk: Partial<typeof GOOD_DISK>) => {
    const findings = new Findings("web1", "");
    judgeDisk(findings, { ...GOOD_DISK, ...disk }, "/srv");
    return findings.list.filter(({ level }) => level !== "ok").map(({ level, check }) => `${level} ${check}`);
  };
  assert.deepEqual(of({}), []);
  assert.deepEqual(of({ isWritable: false }), ["problem base"]);
  assert.deepEqual(of({ freeBytes: 0 }), ["problem space"]);
  assert.deepEqual(of({ freeBytes: 4 * GB }), ["hint space"]);
  assert.deepEqual(of({ freeInodes: 0, allInodes: 1000 }), ["problem inodes"]);
  assert.deepEqual(of({ freeInodes: 40, allInodes: 1000 }), ["hint inodes"]);
});

interface Said {
  readonly destination: Destination;
  readonly message: ExaminationMessage;
}

/** A host that is examined, and what it has said. */
function examined(nowMs: () => number = () => 0): { conditions: Conditions; said: Said[] } {
  const said: Said[] = [];
  const conditions = new Conditions({
    epoch: OWN_EPOCH,
    disk: { current: () => Promise.resolve(GOOD_DISK) },
    transport: { receiveBufferBytes: 1_000_000, droppedDatagrams: 3 },
    keepsOwner: false,
    memberCount: () => 4,
    say: (destination, message) => said.push({ destination, message }),
    nowMs,
  });
  return { conditions, said };
}

const heard = (from: Member, message: ExaminationMessage): NodeEvent => ({
  kind: "examination",
  member: from,
  message,
});

const inspect = (to: string, answers = 0, examination = 7): ExaminationMessage => ({
  type: "inspect",
  body: { to, examination, number: 5, answers },
});

const probe = (series: number, examination = 7): ExaminationMessage => ({
  type: "probe",
  body: { examination, series, fillerBytes: 0 },
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("probes are counted by series and sender, and told to the one that asks", async () => {
  const { conditions, said } = examined();
  const [one, other] = [member(), member({}, "00000000000000cc")];
  for (const series of [1, 1, 2, 4, 5]) conditions.onEvent(heard(one, probe(series)));
  conditions.onEvent(heard(other, probe(3)));
  conditions.onEvent(heard(one, inspect("ffffffffffffffff")));
  conditions.onEvent(heard(one, inspect(OWN_EPOCH, 2)));
  await turn();
  assert.deepEqual(
    said.map(({ destination, message }) => [destination.to, message.type]),
    [
      ["group", "probe"],
      ["group", "probe"],
      ["address", "condition"],
    ],
    "the one for another node is not answered",
  );
  const { body } = said[2]?.message as Extract<ExaminationMessage, { type: "condition" }>;
  const { arrived, to, number, dropped, members } = body;
  assert.deepEqual([arrived, to, number], [[2, 1, 0, 1], one.epoch, 5]);
  assert.deepEqual([dropped, members], [3, 4]);
});

test("a member is answered twenty times a second, whatever examinations it begins", async () => {
  let nowMs = 0;
  const { conditions, said } = examined(() => nowMs);
  for (let number = 0; number < 30; number++)
    conditions.onEvent(heard(member(), inspect(OWN_EPOCH, 0, number)));
  await turn();
  assert.equal(said.length, 20);
  nowMs = 1_000;
  conditions.onEvent(heard(member(), inspect(OWN_EPOCH)));
  await turn();
  assert.equal(said.length, 21);
});

test("an examination hears the answers to its own questions, and no others", async () => {
  const { conditions, said } = examined(() => performance.now());
  const [asked, stranger] = [member(), member({}, "00000000000000cc")];
  const sent: Said[] = [];
  const examination = new Examination([{ ...asked, epoch: OWN_EPOCH }], {
    say: (destination, message) => {
      sent.push({ destination, message });
      // What it says arrives at the other host, whose answers arrive here.
      conditions.onEvent(heard({ ...asked, epoch: "00000000000000dd" }, message));
      setImmediate(() => {
        for (const { message: answer } of said.splice(0)) {
          examination.onEvent(heard(stranger, answer));
          examination.onEvent(heard({ ...asked, epoch: OWN_EPOCH }, answer));
        }
      });
    },
    nowMs: () => performance.now(),
    datagramBytes: 1372,
    mostBitsPerSecond: Infinity,
  });
  const { members, longBytes } = await examination.run();
  assert.equal(longBytes, 1372);
  assert.equal(members.length, 1);
  const [measurement] = members as [Measurement];
  assert.deepEqual(measurement.condition?.arrived, ALL);
  assert.ok(measurement.roundTripsMs.length >= 2);
  assert.ok(measurement.answersHeard === measurement.answersSent && measurement.answersSent >= 10);
  const long = sent.find(
    ({ message }) => message.type === "probe" && message.body.series === ProbeSeries.long,
  );
  // Header 40, tag 16, number and fields 8.
  assert.equal((long?.message.body as { fillerBytes: number }).fillerBytes, 1372 - 64);
});
