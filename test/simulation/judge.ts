import type { NodeEvent, TransferResult } from "../../src/engine/types.ts";
import type { Finding } from "../../src/wire/findings.ts";
import { check } from "./check.ts";
import type { Push, SimulatedHost } from "./host.ts";
import type { Machine } from "./machine.ts";

/** A transfer that was begun, with all that was told of it. */
export interface Begun {
  readonly sender: SimulatedHost;
  readonly transfer: number;
  readonly name: string;
  readonly push: Push;
  readonly isCalm: boolean;
  /** Its sender stands still for some time. */
  isStill: boolean;
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
  { result, sender, name, push, isCalm, findings }: Begun,
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
      if (fate === undefined) failedBefore ??= where;
    }
    if (isCalm) check(verdict.outcome === "done", `${where}: without any fault`);
  }
  const changed = machines.find((one) => ["new", "broken"].includes(one.fates.get(name) ?? ""));
  const isAllOrNothing = push.allOrNothing && failedBefore !== undefined;
  if (isAllOrNothing)
    check(changed === undefined, `${failedBefore}: all or nothing, and ${changed?.name} has it`);
  if (result.aborted !== undefined)
    check(changed === undefined, `${name} was aborted, not at ${changed?.name}`);
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
