import { type Reason, reason, sentenceOf } from "../../src/base/reason.ts";
import { reasonFor } from "../../src/tree/reasons/explain.ts";
import { below, fraction } from "../../src/base/random.ts";
import { type InboundKey, inboundName, type Input, type StageOutcome } from "../../src/engine/types.ts";
import { BlockKind } from "../../src/wire/datagram.ts";
import { EntryType } from "../../src/wire/entry.ts";
import type { MemoryDisk } from "../disk/memory-disk.ts";
import { deviationOf, type Expectation, exactly, mixtureOf } from "./announced.ts";
import { pathsOf, withArea } from "./areas.ts";
import { check } from "./check.ts";
import type { DiskTrouble } from "./disk-trouble.ts";
import type { Machine } from "./machine.ts";
import { directoryText, type Picture, pictureOf, unseen } from "./picture.ts";
import { judgeRoom } from "./judged-room.ts";
import type { SourceDriver, WireBlock } from "./source-driver.ts";
import { StageDriver } from "./stage-driver.ts";
import { watchOrder } from "./watched-order.ts";

/** How often the moment after a step is looked at as one at which the power may be lost. */
const SAMPLED_SHARE = 0.3;

/** One transfer at a member, while its process lives. */
interface Inbound {
  readonly dryRun: boolean;
  state: "staging" | "prepared" | "failed";
  readonly blocks: Set<number>;
  /** What local edits have made of paths since it began. */
  readonly touched: Map<string, Set<string>>;
  hadSyncFault: boolean;
  /** Whether another transfer has been committed since it began: what that one has brought may be in a directory that goes. */
  sawCommit: boolean;
  isCheck: boolean;
  /** Contents that it has to receive, and those that it has, in bytes. */
  neededBytes: number;
  receivedBytes: number;
  paths: string[];
}

/** The stages of one process, each of whose answers is held against the disk. */
export class JudgedStages {
  private readonly machine: Machine;
  private readonly trouble: DiskTrouble;
  private readonly driver: StageDriver;
  private readonly inbound = new Map<string, Inbound>();
  private readonly overtaken: Extract<Input, { kind: "overtaken" }>[] = [];
  /** Why commits have failed that still have something to delete; undefined for those that have not. */
  private readonly switched = new Map<string, string | undefined>();

  constructor(machine: Machine, trouble: DiskTrouble) {
    this.machine = machine;
    this.trouble = trouble;
    this.driver = new StageDriver(machine.disk, machine.settings);
    machine.onEdit = (path, before, after) => {
      for (const { touched } of this.inbound.values()) {
        const texts = touched.get(path) ?? new Set();
        touched.set(path, texts.add(before).add(after));
      }
    };
  }

  /** Nothing is judged where the process does not survive it. */
  recover(): void {
    const finished = this.alive(() => this.driver.recover());
    if (finished !== undefined) this.machine.judgeRecovery(finished);
  }

  open(key: InboundKey, dryRun: boolean): void {
    const name = inboundName(key);
    check(!this.inbound.has(name), `${name} is staged twice`);
    this.alive(() => this.driver.open(key, dryRun));
    const empty = { blocks: new Set<number>(), touched: new Map<string, Set<string>>(), paths: [] };
    const facts = { hadSyncFault: false, sawCommit: false, isCheck: false };
    const counts = { ...facts, neededBytes: 0, receivedBytes: 0 };
    this.inbound.set(name, { dryRun, state: "staging", ...empty, ...counts });
  }

  stage(key: InboundKey, number: number, block: WireBlock): StageOutcome | undefined {
    const name = inboundName(key);
    const inbound = this.inboundOf(name);
    check(inbound.state === "staging", `a block of ${name} is staged too late`);
    check(!inbound.blocks.has(number), `block ${number} of ${name} is staged twice`);
    inbound.blocks.add(number);
    const isManifest = block.kind === BlockKind.manifest;
    if (isManifest) inbound.paths = pathsOf(block.plaintext);
    else inbound.receivedBytes += block.plaintext.length;
    return this.staging(name, block, () => this.driver.stage(name, block.kind, block.plaintext));
  }

  planningOf(name: string): unknown {
    return this.driver.planningOf(name);
  }

  resume(name: string, planning: unknown, block: WireBlock): StageOutcome | undefined {
    return this.staging(name, block, () => this.driver.resume(name, planning));
  }

  prepare(key: InboundKey): Extract<Input, { kind: "prepared" }> | undefined {
    const name = inboundName(key);
    const inbound = this.inboundOf(name);
    check(!inbound.dryRun, `${name} is only a dry run`);
    check(inbound.state === "staging", `${name} is prepared twice`);
    this.trouble.takeMet();
    this.sampleSoon(`while it prepares ${name}`, [exactly(this.machine.expected)]);
    const prepared = this.alive(() => this.driver.prepare(key));
    if (this.trouble.isDead) return undefined;
    this.trouble.noSample();
    inbound.hadSyncFault ||= this.trouble.takeMet().syncs > 0;
    inbound.state = prepared?.failure === undefined ? "prepared" : "failed";
    if (inbound.state === "prepared") this.judgeReady(name, inbound);
    return prepared;
  }

  /** @returns the transfers that can no longer commit because of this one, and that the tree has changed */
  commit(key: InboundKey): Input[] {
    const hasSwitched = this.hasSwitched(key);
    return [...this.overtaken.splice(0), ...(hasSwitched ? [{ kind: "switched", key } as const] : [])];
  }

  /**
   * Deletes what a commit has taken out of the tree; others may have committed since.
   *
   * @returns how the commit has ended
   */
  clear(key: InboundKey): Extract<Input, { kind: "committed" }> | undefined {
    const name = inboundName(key);
    const { machine, driver, trouble } = this;
    trouble.takeMet();
    this.sampleSoon(`while it deletes for ${name}`, [exactly(machine.expected)], { endsAtFault: true });
    const why = this.alive(() => driver.clear(name));
    if (trouble.isDead) return undefined;
    trouble.noSample();
    const hasFaults = trouble.takeMet().faults > 0;
    const failure = why ?? this.switched.get(name);
    const actual = pictureOf(machine.disk);
    if (failure === this.switched.get(name)) {
      const deviation = deviationOf(actual, exactly(machine.expected));
      check(deviation === undefined, `${machine.name} deletes something else for ${name}: ${deviation}`);
    } else {
      check(hasFaults, `${machine.name} cannot delete for ${name}, without a reason: ${failure}`);
      // Something has come back.
      machine.expected = actual;
      machine.fates.set(name, "broken");
      machine.isUncertain = true;
    }
    this.switched.delete(name);
    return { kind: "committed", key, failure };
  }

  /** @returns false where the process has died */
  private hasSwitched(key: InboundKey): boolean {
    const name = inboundName(key);
    const { machine, driver, trouble } = this;
    const inbound = this.inboundOf(name);
    check(inbound.state === "prepared", `${name} is committed in state ${inbound.state}`);
    this.sampleSoon(`while others yield to ${name}`, [exactly(machine.expected)]);
    this.overtaken.push(...(this.alive(() => driver.letYield(name)) ?? []));
    trouble.noSample();
    if (trouble.isDead) return false;
    trouble.takeMet();
    const before = machine.lookAgain(`before the commit of ${name}`);
    const after = this.expectation(name, inbound, before);
    const mayFail = inbound.touched.size > 0 || inbound.sawCommit;
    machine.committing = { name, before, after, hasFailed: false, mayFail };
    this.sampleSoon(`in the commit of ${name}`, [exactly(before), after], { mayFail });
    if (!mayFail) watchOrder(machine, trouble, name, before, after);
    const failure = this.alive(() => driver.commit(name));
    for (const other of this.inbound.values()) other.sawCommit ||= other !== inbound;
    trouble.watch = undefined;
    const met = trouble.takeMet();
    machine.committing.hasFailed = met.faults > 0;
    if (trouble.isDead) return false;
    trouble.noSample();
    this.judgeCommit(name, inbound, failure, met.faults > 0);
    if (failure === undefined)
      check(met.syncs === 0, `${machine.name} says done after a failed sync, ${name}`);
    this.switched.set(name, failure);
    return true;
  }

  has(key: InboundKey): boolean {
    return this.inbound.has(inboundName(key));
  }

  /**
   * A transfer that would change what a later one of this host has said is not committed, nor is one whose changes cannot be
   * read.
   *
   * @param later the pushes of this host that come after it
   */
  refusalOf(key: InboundKey, later: readonly SourceDriver[]): Reason | undefined {
    const changes = () => this.driver.changesOf(inboundName(key));
    const conflicts = () => later.map((source) => source.conflictWith(changes()));
    try {
      const path = this.alive(conflicts)?.find((one) => one !== undefined);
      return path === undefined ? undefined : reason("own-push", path);
    } catch (error) {
      return { ...reasonFor(error), path: "" };
    }
  }

  refuse(key: InboundKey, why: Reason): Extract<Input, { kind: "committed" }> {
    this.machine.fates.set(inboundName(key), "refused");
    return { kind: "committed", key, failure: sentenceOf(why) };
  }

  /** Removes what is left of a transfer. */
  end(name: string): void {
    if (!this.driver.has(name)) return;
    const left = this.alive(() => this.driver.end(name));
    if (this.trouble.isDead) return;
    if (left !== undefined) {
      check(this.trouble.takeMet().faults > 0, `${this.machine.name} leaves something of ${name}: ${left}`);
      this.machine.isUncertain = true;
    }
    this.inbound.delete(name);
    if (fraction(this.machine.fleetwide.random) < SAMPLED_SHARE)
      this.machine.checkPowerLoss(`after ${name} has ended`, [exactly(this.machine.expected)]);
  }

  find(name: string, first: number) {
    return this.driver.find(name, first);
  }

  isStagedBelow(name: string, block: number): boolean {
    const inbound = this.inbound.get(name);
    for (let number = 0; number < block; number++) if (inbound?.blocks.has(number) !== true) return false;
    return true;
  }

  /** Whether all is there that READY says, and takes down what there is to tell by then. */
  isPrepared(name: string): boolean {
    const inbound = this.inbound.get(name);
    this.machine.findings.set(name, this.driver.find(name, 0));
    return inbound?.state === "prepared" || inbound?.dryRun === true;
  }

  /** @returns undefined where the process has died in the middle of it */
  private alive<T>(work: () => T): T | undefined {
    try {
      const result = work();
      this.trouble.rethrow();
      return this.trouble.isDead ? undefined : result;
    } catch (error) {
      this.trouble.rethrow();
      if (this.trouble.isDead) return undefined;
      throw error;
    }
  }

  private inboundOf(name: string): Inbound {
    const inbound = this.inbound.get(name);
    check(inbound !== undefined, `something of ${name} comes without its beginning`);
    return inbound;
  }

  /** A step of staging: a dry run changes nothing, and what has no room is refused. */
  private staging(
    name: string,
    block: WireBlock,
    work: () => StageOutcome | undefined,
  ): StageOutcome | undefined {
    const { machine, trouble } = this;
    const inbound = this.inbound.get(name);
    trouble.takeMet();
    const changes = machine.disk.changes;
    const outcome = this.alive(work);
    if (trouble.isDead || inbound === undefined) return outcome;
    const met = trouble.takeMet();
    if (met.syncs > 0) inbound.hadSyncFault = true;
    if (inbound.dryRun)
      check(machine.disk.changes === changes, `${machine.name} changes something for a dry run`);
    if (outcome === undefined) this.maybeWrite(inbound);
    else if (outcome.kind === "failed") inbound.state = "failed";
    else if (outcome.kind === "staged" && outcome.wants !== undefined && met.faults === 0)
      judgeRoom(this.machine, name, inbound, block, outcome);
    return outcome;
  }

  /** Between two steps of a comparison, a program writes to a file that it is about. */
  private maybeWrite(inbound: Inbound): void {
    const { random } = this.machine.fleetwide;
    if (fraction(random) >= this.trouble.writers) return;
    const { expected } = this.machine;
    const files = inbound.paths.filter((one) => expected.get(one)?.startsWith("file") === true);
    // Those with holes are copied in several steps.
    const sparse = files.filter((one) => expected.get(one)?.includes("sparse") === true);
    const chosen = sparse.length > 0 ? sparse : files;
    const path = chosen[below(random, Math.max(1, chosen.length))];
    if (path !== undefined) this.machine.edit((edits) => edits.overwrite(path));
  }

  /** All that is said to be ready is durable: also after a loss of power, a commit of it would give the new tree. */
  private judgeReady(name: string, inbound: Inbound): void {
    const { machine } = this;
    check(!inbound.hadSyncFault, `${machine.name} is ready for ${name} after a failed sync`);
    const after = this.expectation(name, inbound, machine.expected);
    const hasArea = unseen(machine.disk, () => withArea(machine.disk, name, () => true)) === true;
    if (!hasArea) {
      const deviation = deviationOf(machine.expected, after);
      check(deviation === undefined, `${machine.name} has nothing to do for ${name}: ${deviation}`);
      return;
    }
    const change = (disk: MemoryDisk) => {
      const isThere = withArea(disk, name, (area) => {
        if (disk.stat(area, "ready") === undefined) return false;
        disk.rename(area, "ready", area, "commit");
        return true;
      });
      check(machine.isUncertain || isThere === true, `${machine.name} is ready for ${name}, not durably`);
    };
    machine.checkPowerLoss(`as ready for ${name}`, [after], {
      isWorst: true,
      change,
      mayFail: inbound.touched.size > 0 || inbound.sawCommit,
    });
  }

  private judgeCommit(name: string, inbound: Inbound, failure: string | undefined, hasFaults: boolean): void {
    const { machine } = this;
    const { committing } = machine;
    if (committing === undefined) return;
    const actual = pictureOf(machine.disk);
    machine.expected = actual;
    machine.committing = undefined;
    if (failure === undefined) {
      const deviation = deviationOf(actual, committing.after);
      check(deviation === undefined, `${machine.name} says done for ${name}: ${deviation}`);
      machine.noteCommitted(name);
      machine.checkPowerLoss(`as done with ${name}`, [exactly(actual)], { isWorst: true });
      return;
    }
    const isOld = deviationOf(actual, exactly(committing.before)) === undefined;
    const deviation = deviationOf(actual, mixtureOf(committing.before, committing.after));
    check(deviation === undefined, `${machine.name} fails at the commit of ${name}: ${deviation}`);
    const isExcused = hasFaults || inbound.touched.size > 0 || inbound.sawCommit;
    check(isOld || isExcused, `${machine.name} breaks the commit of ${name} without a reason: ${failure}`);
    machine.fates.set(name, isOld ? "failed at its commit" : "broken");
    // It may have been told that the new tree is not durable.
    if (hasFaults) machine.isUncertain = true;
  }

  /** What a commit has to make of a tree, with all that local edits may have come to be part of it. */
  private expectation(name: string, { touched, sawCommit }: Inbound, before: Picture): Expectation {
    const announced = this.machine.fleetwide.announced.get(name);
    check(announced !== undefined, `nobody has announced ${name}`);
    const { picture, alternatives } = announced.applyTo(before);
    const all = new Map(alternatives);
    // A passage that was missing when it was planned, and that another transfer has made since, gets its attributes anyway.
    for (const { path, entry } of announced.entries)
      if (sawCommit && entry.type === EntryType.passage)
        all.set(
          path,
          new Set([...(all.get(path) ?? []), picture.get(path) ?? "", directoryText(entry.metadata.mode)]),
        );
    for (const [path, texts] of touched) {
      const known = [...texts, ...(all.get(path) ?? []), before.get(path) ?? "", picture.get(path) ?? ""];
      all.set(path, new Set(known));
    }
    // Where something else was put in a directory's place, all in it went.
    for (const path of new Set([...before.keys(), ...picture.keys()]))
      if ([...touched.keys()].some((other) => path.startsWith(`${other}/`)))
        all.set(
          path,
          new Set([...(all.get(path) ?? []), "", before.get(path) ?? "", picture.get(path) ?? ""]),
        );
    for (const { path, entry } of announced.entries) {
      const texts = entry.type === EntryType.hardLink ? touched.get(entry.target) : undefined;
      if (texts === undefined) continue;
      all.set(
        path,
        new Set([...texts, ...(all.get(path) ?? []), before.get(path) ?? "", picture.get(path) ?? ""]),
      );
      // If the link cannot be made, a directory in its place stays with all that is in it.
      for (const [other, was] of before) if (other.startsWith(`${path}/`)) all.set(other, new Set([was, ""]));
    }
    return { picture, alternatives: all };
  }

  private sampleSoon(
    when: string,
    allowed: readonly Expectation[],
    { mayFail = false, endsAtFault = allowed.length > 1 } = {},
  ): void {
    const { machine } = this;
    if (fraction(machine.fleetwide.random) >= SAMPLED_SHARE) return;
    const { random } = machine.fleetwide;
    const atSyncs = fraction(random) < 0.5;
    const calls = 1 + below(random, atSyncs ? 3 : fraction(random) < 0.7 ? 12 : 60);
    this.trouble.sampleSoon(calls, atSyncs, () => {
      // A disk that fails in the middle of a commit may leave a mixture, which is told.
      if (endsAtFault && this.trouble.hasMet) return;
      machine.checkPowerLoss(when, allowed, { mayFail });
    });
  }
}
