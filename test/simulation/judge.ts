import type { NodeEvent, TransferResult } from "../../src/engine/types.ts";
import type { Finding } from "../../src/wire/findings.ts";
import { check } from "./check.ts";
import type { Push, SimulatedHost } from "./host.ts";
import type { Machine } from "./machine.ts";
import { pictureOf } from "./picture.ts";

/** A transfer that was begun, with all that was told of it. */
export interface Begun {
  readonly sender: SimulatedHost;
  readonly transfer: number;
  readonly name: string;
  readonly push: Push;
  readonly isCalm: boolean;
  /** Its sender stands still for some time. */
  isStill: boolean;
  /** Another host sends the same at the same time. */
  isClash: boolean;
  result: TransferResult | undefined;
  /** The findings that each member has told of, by epoch. */
  readonly findings: Map<string, Finding[]>;
}

export function noteFindings(
  begun: Begun | undefined,
  { epoch, findings }: Extract<NodeEvent, { kind: "findings" }>,
): void {
  check(begun !== undefined && begun.result === undefined, "findings come while a transfer goes on");
  begun.findings.set(epoch, [...(begun.findings.get(epoch) ?? []), ...findings]);
}

/** What a sender is told is what the members have on their disks. */
export function judgeTransfer(
  { result, sender, name, push, isCalm, isClash, findings }: Begun,
  machines: readonly Machine[],
): void {
  if (result === undefined) {
    check(!sender.isAlive, `${name} never ended`);
    return;
  }
  let failedBefore: string | undefined;
  for (const verdict of result.verdicts) {
    const machine = machines.find((one) => one.name === verdict.hostName);
    check(machine !== undefined, `${name} has a verdict on nobody`);
    const fate = machine.fates.get(name);
    const where = `${name} at ${verdict.hostName}, ${verdict.outcome} (${verdict.reason})`;
    if (verdict.outcome === "done") {
      check((fate === "new") !== push.dryRun, `${where}: the tree is ${fate ?? "old"}`);
      const told = findings.get(verdict.epoch) ?? [];
      const found = machine.findings.get(name) ?? [];
      check(
        JSON.stringify(told) === JSON.stringify(found),
        `${where}: ${told.length} of ${found.length} findings`,
      );
    }
    if (verdict.outcome === "failed") {
      check(fate !== "new", `${where}: the tree is new`);
      if (fate === undefined || fate === "refused") failedBefore ??= where;
    }
    if (isCalm && !isClash) check(verdict.outcome === "done", `${where}: without any fault`);
  }
  const changed = machines.find((one) => ["new", "broken"].includes(one.fates.get(name) ?? ""));
  const isAllOrNothing = push.allOrNothing && failedBefore !== undefined;
  if (isAllOrNothing)
    check(changed === undefined, `${failedBefore}: all or nothing, and ${changed?.name} has it`);
  if (result.aborted !== undefined)
    check(changed === undefined, `${name} was aborted, not at ${changed?.name}`);
}

/**
 * Of two transfers that came at once, the later one is what all hosts have, also those that have sent them; or a sender
 * is told. The one that is refused by the sender of the other one was the earlier one.
 */
export function judgeClash(
  path: string,
  names: readonly string[],
  begun: ReadonlyMap<string, Begun>,
  machines: readonly Machine[],
): void {
  const both = names.flatMap((name) => begun.get(name) ?? []);
  if (both.length < 2 || both[0]?.sender === both[1]?.sender) return;
  const done = both.filter(({ result }) => result?.verdicts.every(({ outcome }) => outcome === "done"));
  const [first] = done;
  const other = both.find((one) => one !== first);
  if (first === undefined || other === undefined) return;
  const refusal = other.result?.verdicts.find(({ outcome }) => outcome !== "done");
  const isEarlier = refusal?.hostName === first.sender.name && refusal.reason.includes("pushes it itself");
  if (done.length < 2 && !isEarlier) return;
  const mine = filesBelow(path, first.sender.machine);
  for (const machine of machines) {
    for (const [one, there] of filesBelow(path, machine)) {
      const here = mine.get(one);
      // Users make and delete entries before each of the pushes: an entry that is nowhere else may be of that moment.
      if (here === undefined) continue;
      const where = `${first.sender.name} has '${here}' and ${machine.name} '${there}'`;
      check(here === there, `after ${names.join(" and ")}, ${one}: ${where}`);
    }
  }
}

function filesBelow(path: string, { disk }: Machine): Map<string, string> {
  const isFile = ([one, text]: readonly [string, string]) =>
    one.startsWith(`${path}/`) && !text.startsWith("directory");
  return new Map([...pictureOf(disk)].filter(isFile));
}

/** What two hosts have both committed, they have committed in the same order, across all their crashes. */
export function judgeOrders(machines: readonly Machine[]): void {
  for (const [index, machine] of machines.entries())
    for (const other of machines.slice(index + 1)) judgeOrder(machine, other);
}

function judgeOrder(machine: Machine, other: Machine): void {
  const common = [...machine.committed].filter((name) => other.committed.has(name));
  const elsewhere = [...other.committed].filter((name) => machine.committed.has(name));
  const where = `${common.join(", ")} at ${machine.name}, ${elsewhere.join(", ")} at ${other.name}`;
  check(common.join() === elsewhere.join(), `not in one order: ${where}`);
}
