import assert from "node:assert/strict";
import { below, type Random } from "../../src/base/random.ts";
import { finish } from "../../src/base/steps.ts";
import { UndoJudge } from "../../src/daemon/catch-up/undo-judge.ts";
import type { StageBase } from "../../src/daemon/disk/stage-base.ts";
import { TransferRecord } from "../../src/daemon/disk/transfer-record.ts";
import { type StagedTransfer, UndoKeeper } from "../../src/daemon/disk/undo-areas.ts";
import { followedUndo, idOf } from "../../src/engine/catch-up/undo-choice.ts";
import { type Kept, MISSED, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import { transferOfName } from "../../src/engine/types.ts";
import { ReadyAreas } from "../../src/tree/apply/ready-areas.ts";
import { recover } from "../../src/tree/apply/recovery.ts";
import { RefusalError, StageError } from "../../src/tree/reasons/stage-error.ts";
import type { Reason } from "../../src/base/reason.ts";
import type { Origin } from "../../src/wire/origin.ts";
import type { Publication } from "../../src/wire/publication.ts";
import { PowerFailure, stopAt } from "../disk/faults.ts";
import { RecordingDisk } from "../disk/recording-disk.ts";
import { Member, type Push } from "../tree/memory/member.ts";

/** A host with a disk in memory, its log, and what it keeps: the parts of a daemon that take pushes back, without a network. */

/** A transfer that a host has staged. */
export interface Staged {
  readonly name: string;
  readonly push: Push;
  readonly open: StagedTransfer;
  /** Why the host cannot switch; undefined if it is ready. */
  readonly failure: Reason | undefined;
  /** Whether it only agrees, and gets the former files from another host. */
  readonly isFollower: boolean;
}

/** So many changes of the disk most commits of this simulation have, with all that follows them. */
const CHANGES = 30;

export class UndoHost {
  readonly name: string;
  readonly nodeId: string;
  readonly epoch: string;
  readonly log: PublicationLog;
  private readonly random: Random;
  private readonly judge: UndoJudge;
  /** Transfers that were ready when this host died, as a start has kept them. */
  private areas = new ReadyAreas();
  member: Member;
  isUp = true;

  constructor(number: number, random: Random) {
    const digits = `${number}`.padStart(2, "0");
    this.name = `host${number}`;
    this.nodeId = digits.repeat(16);
    this.epoch = digits.repeat(8);
    this.random = random;
    this.log = new PublicationLog({ hostName: this.name, ip: `10.0.0.${number}`, labels: [] });
    this.member = new Member({
      canExchange: below(random, 4) !== 0,
      crashModel: below(random, 2) === 0 ? "ordered" : "unordered",
    });
    const { log, nodeId } = this;
    const engine = { catchUp: { log } } as never;
    this.judge = new UndoJudge({ engine, identity: { nodeId }, settings: { catchUp: true } });
  }

  /** Every path below the base directory, with its contents. */
  get tree(): ReadonlyMap<string, string> {
    const entries = Object.entries(this.member.tree());
    return new Map(entries.filter(([path]) => !path.startsWith(".makuosan")));
  }

  /** Stages a transfer; it is ready for the barrier, or says why it is not. */
  stage(name: string, origin: Origin, bring: (push: Push) => void): Staged {
    const record = new TransferRecord({ isNewcomer: false, recordsLists: false }, origin);
    const follows = followedUndo(this.log);
    if (follows !== undefined) record.follow(follows);
    const keeper = this.keeper();
    const push = this.member.push(name, { keeping: keeper.rulesFor(record) });
    const open: StagedTransfer = { stage: push.stage, record };
    let failure: Reason | undefined;
    try {
      bring(push);
      keeper.stage(open);
      push.prepare();
    } catch (error) {
      if (!(error instanceof StageError) || error instanceof RefusalError) throw error;
      failure = error.reason;
    }
    const inbound = { ...transferOfName(name), admission: 1 };
    const totals = { entries: 0, bytes: 0 };
    const facts = { isRefusal: false, findings: 0, totals, changes: undefined };
    const answer = this.judge.judged({ kind: "prepared", inbound, failure, origin, ...facts });
    const judged = answer.kind === "prepared" ? answer.failure : failure;
    return { name, push, open, failure: judged, isFollower: judged === undefined && failure !== undefined };
  }

  /**
   * Switches. The power may be lost at any change of the disk.
   *
   * @param publication as the log names it; undefined for a transfer that brings what this host lacks
   * @param mayDie whether the power may be lost
   * @returns whether the log knows that it has taken effect
   */
  commit(staged: Staged, publication: Publication | undefined, mayDie: boolean): boolean {
    const { push, open, name, isFollower } = staged;
    const { memory } = this.member;
    this.giveWay(staged);
    if (mayDie && below(this.random, 2) === 0)
      memory.before = stopAt(memory.changes + 1 + below(this.random, CHANGES));
    try {
      const failure = push.stage.commit();
      assert.equal(finish(push.stage.clear()) ?? failure, undefined);
      open.isCommitted = true;
      finish(push.stage.clean());
      finish(this.keeper().noteEnd(name, open));
    } catch (error) {
      if (!(error instanceof PowerFailure)) throw error;
      this.restart();
      if (publication !== undefined) this.log.add(publication, MISSED);
      return false;
    } finally {
      this.member.memory.before = undefined;
    }
    // All of it is durable by now, and so is the log.
    memory.settle();
    const here = { atMs: 1, list: name, reason: "" };
    if (publication !== undefined) this.log.add(publication, isFollower ? MISSED : here);
    return true;
  }

  /**
   * Dies while a transfer is ready. It does not know then whether others have committed it.
   *
   * @param publication that it hears of later
   */
  dieReady(publication: Publication): void {
    this.restart();
    this.log.add(publication, MISSED);
  }

  /** Commits what was ready when it died and others have committed; discards what something later has passed. As KeptAreas does. */
  commitKept(): void {
    const { base, rules } = this.member;
    for (const name of this.areas.all) {
      const position = this.log.all.findIndex(({ publication }) => idOf(publication) === name);
      if (position < 0) continue;
      const { publication } = this.log.all[position] as Kept;
      const isMissing = this.log.missing.includes(position) && !this.log.isSucceeded(position);
      if (isMissing && this.resume(name)) this.log.add(publication, { atMs: 1, list: name, reason: "" });
      finish(this.areas.discard(base, rules, name));
    }
  }

  /** @returns whether an area was committed */
  private resume(name: string): boolean {
    const { base, rules, memory } = this.member;
    const keeper = this.keeper();
    try {
      const number = keeper.nextNumber();
      const resumed = this.areas.commit(base, rules, name, undefined, number, () => undefined);
      assert.equal(finish(resumed.clear()) ?? resumed.failure, undefined);
      finish(resumed.removal());
      finish(keeper.bound());
      return true;
    } catch (error) {
      if (!(error instanceof StageError)) throw error;
      return false;
    } finally {
      memory.settle();
    }
  }

  /** A commit that changes the tree takes kept areas away before it begins. */
  private giveWay({ push }: Staged): void {
    if (!push.stage.hasChanges) return;
    const { base, rules } = this.member;
    for (const name of this.areas.all) finish(this.areas.discard(base, rules, name));
  }

  /** Gives up a transfer that it has staged. */
  discard({ push }: Staged): void {
    finish(push.stage.clean());
  }

  keeper(): UndoKeeper {
    const base = { directories: this.member.base } as unknown as StageBase;
    const keeper = new UndoKeeper(base, this.member.rules, { pushes: 100, sizeBytes: 1e9 }, () => undefined);
    keeper.look();
    return keeper;
  }

  /** The machine starts again, with what its disk has kept. */
  private restart(): void {
    const memory = this.member.memory.crash(this.random);
    const member = new Member();
    Object.defineProperty(member, "memory", { value: memory });
    Object.defineProperty(member, "disk", { value: new RecordingDisk(memory, { withLooks: false }) });
    this.member = member;
    const areas = (this.areas = new ReadyAreas());
    const onKept = (name: string) => areas.add(name);
    for (const { failure } of recover(member.base, member.rules, { onKept }))
      assert.equal(failure, undefined);
  }
}
