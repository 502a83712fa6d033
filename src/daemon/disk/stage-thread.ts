/** The thread that writes: opens blocks, stages them, and carries out commits, one thing after the other. */
import type { MessagePort } from "node:worker_threads";
import { type Reason, reason } from "../../base/reason.ts";
import { type BlockKindNumber, inboundName, type InboundKey, type Restoration } from "../../engine/types.ts";
import { openBlock } from "../../net/block-sealing.ts";
import { PAGE_BYTES } from "../../net/page-pool.ts";
import { restoreBlock } from "../../net/parity.ts";
import { type AttributeRules, groupsOfProcess } from "../../tree/entries/attributes.ts";
import { Leftovers } from "../../tree/apply/leftovers.ts";
import { exactReason } from "../../tree/apply/no-inodes.ts";
import { recover } from "../../tree/apply/recovery.ts";
import type { Disk } from "../../tree/disk/disk.ts";
import { withClosedDirectories } from "../../tree/disk/closed-directories.ts";
import { withRoom } from "../../tree/disk/making-room.ts";
import { LinuxDisk } from "../../tree/disk/linux-disk.ts";
import { HeapKeeper } from "../../sys/heap.ts";
import { Owners } from "../../tree/entries/owners.ts";
import { Protection } from "../../tree/decide/protection.ts";
import { Stage, stageFailure } from "../../tree/apply/stage.ts";
import { BlockKind } from "../../wire/datagram.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import { attempt, attemptSteps, blockFailure } from "./attempts.ts";
import { KeptAreas } from "./kept-areas.ts";
import { leaveToLater } from "./leaving.ts";
import { LongWork, seldom, SIGN_MS } from "./long-work.ts";
import { Room } from "./room.ts";
import { TransferRecord } from "./transfer-record.ts";
import { UndoKeeper } from "./undo-areas.ts";
import {
  bitmapData,
  STAGE_NUMBERS,
  type StageCommand,
  type StageCommandOf,
  type StagedOutcome,
  type StageReply,
  type StageRules,
  type WorkerSettings,
} from "./messages.ts";
import { endPlanning, type OpenStage } from "./open-stage.ts";
import { Replies } from "./replies.ts";
import { StageBase } from "./stage-base.ts";

/** Findings in one answer; the engine cuts them into messages. */
const FINDINGS = 800;

export function runStageThread(port: MessagePort, settings: WorkerSettings): void {
  const replies = new Replies(port);
  const thread = new StageThread(settings, (reply) => replies.add(reply));
  thread.recover();
  replies.flush();
  thread.afterStep = () => replies.flush();
  port.on("message", (commands: readonly StageCommand[]) => {
    for (const command of commands) {
      if (command.kind === "stop") {
        thread.stop();
        port.close();
      } else thread.handle(command);
    }
    replies.flush();
  });
}

/** A commit that has changed the tree. */
type BegunCommit = Required<
  Pick<Extract<StageReply, { kind: "committed" }>, "inbound" | "order" | "failure" | "beganMs">
>;

/** One block of a command. */
interface StageBlock {
  readonly inbound: InboundKey;
  readonly blockKind: BlockKindNumber;
  readonly block: number;
  readonly sealedBytes: number;
  /** Where it lies. */
  readonly page: number;
  readonly restoration: Restoration | undefined;
}

const CORRUPT = { kind: "corrupt" } as const;
const WRITTEN = { kind: "written" } as const;

class StageThread {
  private readonly settings: WorkerSettings;
  private readonly reply: (message: StageReply) => void;
  private readonly rules: AttributeRules;
  private readonly disk: Disk;
  private protection: Protection | undefined;
  private allowed: StageRules;
  private readonly pages: Uint8Array;
  /** Transfers that have not switched yet. */
  private readonly stages = new Map<string, OpenStage>();
  /** Deletes what is left of the others. */
  private readonly endings = new LongWork(
    () => this.afterStep(),
    () => this.heap.noteEnd(),
    () => this.onWork(),
  );
  /** All transfers wait while the thread works: their senders hear that it does. */
  private readonly onWork = seldom(() => {
    for (const { inbound } of this.stages.values()) this.reply({ kind: "worked", inbound });
  });
  private readonly heap = new HeapKeeper(() => this.isIdle);
  private readonly leftovers = new Leftovers();
  private readonly base: StageBase;
  private readonly kept: KeptAreas;
  private readonly undo: UndoKeeper;
  private readonly room: Room;
  /** Called when a step has been taken that no command has asked for. */
  afterStep: () => void = () => undefined;

  constructor(settings: WorkerSettings, reply: (message: StageReply) => void) {
    this.settings = settings;
    this.reply = reply;
    this.pages = new Uint8Array(settings.pages);
    this.rules = { owners: new Owners(), keepOwner: settings.keepOwner, ownGroups: groupsOfProcess() };
    const ClosedDisk = withClosedDirectories(LinuxDisk, (group) => this.rules.ownGroups.has(group));
    this.disk = new (withRoom(ClosedDisk, (lack) => this.base.isOpen && this.room.giveUpMeanwhile(lack)))();
    const base = (this.base = new StageBase(settings, this.disk));
    this.allowed = settings.rules;
    const undo = (this.undo = new UndoKeeper(base, this.rules, settings.rules.undo, reply));
    const { rules, endings, stages, onWork } = this;
    const kept = (this.kept = new KeptAreas({ base, rules, endings, reply, undo, lists: settings.lists }));
    const fileSystem = () => this.disk.fileSystemOf(base.directories.root);
    this.room = new Room({ stages, endings, kept, undo, fileSystem, onWork });
    this.changeRules(settings.rules);
  }

  private get isIdle(): boolean {
    return this.stages.size === 0 && this.endings.isEmpty;
  }

  /** Other rules hold for transfers that are opened from now on. */
  changeRules(rules: StageRules): void {
    this.allowed = rules;
    this.undo.bounds = rules.undo;
    this.protection = Protection.of(rules.excludes, Buffer.from(this.settings.base).toString("latin1"));
  }

  /** Before anything else: finishes or removes what an earlier run has left. */
  recover(): void {
    try {
      this.rules.owners.refresh();
      const kept: string[] = [];
      const onKept = (name: string) => kept.push(name);
      const finished = recover(this.base.directories, this.rules, {
        ...(this.settings.keepsReady ? { onKept } : {}),
        onMoved: (name) => this.tellMoved(name),
        onUnkept: (name) => this.undo.noteUnkept(name),
        onStrange: (name) =>
          this.reply({ kind: "strange", path: this.base.pathOf(`${STAGING_NAME}/${name}`) }),
      });
      for (const { name, isLeft } of finished) if (isLeft) this.leftovers.add(name);
      for (const name of kept) this.kept.add(name);
      const undos = this.undo.recover(this.settings.lists);
      this.reply({ kind: "recovered", finished, kept, undos, failure: undefined });
      this.heap.noteStart();
    } catch (error) {
      this.reply({ kind: "recovered", finished: [], kept: [], undos: [], failure: stageFailure(error) });
    }
  }

  handle(command: Exclude<StageCommand, { kind: "stop" }>): void {
    if (command.kind === "rules") return void this.changeRules(command.rules);
    const name = inboundName(command.inbound);
    if (command.kind === "open") {
      this.stages.set(name, this.open(command));
      return;
    }
    const open = this.stages.get(name);
    if (command.kind === "stage") {
      this.stageBlocks(open, command);
      return;
    }
    if (open === undefined) {
      if (command.kind === "commit")
        this.kept.commit(command.inbound, command.order, this.isIdle, this.protection);
      else if (command.kind === "discard") this.kept.discard(command.inbound);
      return;
    }
    switch (command.kind) {
      case "prepare": {
        let isRefusal = false;
        const prepare = () => {
          // Before the switch, so that it is short.
          if (open.record?.origin?.kind === "undo") this.endings.finishAll();
          this.undo.stage(open);
          open.stage?.prepare();
        };
        const failure = this.exact(open.failure ?? attempt(prepare, () => (isRefusal = true)));
        const totals = open.stage?.totals ?? { entries: 0, bytes: 0 };
        const isListed = failure === undefined && open.stage?.isListed === true;
        const changes = isListed ? [STAGING_NAME, name, "changes"] : undefined;
        const { origin } = open.record ?? {};
        const rest = { isRefusal, findings: open.stage?.findingCount ?? 0, totals, changes, origin };
        this.reply({ kind: "prepared", inbound: command.inbound, failure, ...rest });
        break;
      }
      case "commit":
        if (command.follows !== undefined) open.record?.follow(command.follows);
        this.commit(open, command);
        break;
      case "discard":
        this.end(command.inbound, open);
        break;
      case "find": {
        const { inbound, first } = command;
        this.reply({
          kind: "found",
          inbound,
          first,
          findings: open.stage?.findingsFrom(first, FINDINGS) ?? [],
        });
        break;
      }
    }
  }

  private open(command: StageCommandOf<"open">): OpenStage {
    const recorded = { ...this.settings, ...this.allowed };
    const record = command.dryRun ? undefined : new TransferRecord(recorded, command.origin);
    const common = { inbound: command.inbound, key: Buffer.from(command.key), record };
    try {
      this.base.check(this.isIdle);
      const { inbound, dryRun } = command;
      // A transfer that has given back its place, and is admitted again, has the same name.
      this.endings.finish(inboundName(inbound));
      if (!dryRun) this.leftovers.tryAgain(this.base.directories, this.rules);
      const name = inboundName(inbound);
      const stage = new Stage(this.base.directories, this.rules, name, dryRun, {
        protection: this.protection,
        listsChanges: this.allowed.listsChanges,
        deleteLimit: this.allowed.deleteLimit,
        onMoved: (moved) => this.tellMoved(moved),
        onWork: this.onWork,
        room: this.room,
        keeping: record === undefined ? undefined : this.undo.rulesFor(record),
        manifest: record,
      });
      return { ...common, stage, failure: undefined };
    } catch (error) {
      return { ...common, stage: undefined, failure: { ...stageFailure(error), path: "" } };
    }
  }

  private stageBlocks(open: OpenStage | undefined, command: StageCommandOf<"stage">): void {
    const { inbound, blockKind, blocks, restoration } = command;
    for (let index = 0; index < blocks.length; index += STAGE_NUMBERS) {
      const [block, sealedBytes, page] = blocks.slice(index, index + STAGE_NUMBERS) as [
        number,
        number,
        number,
      ];
      // Also where the transfer has ended meanwhile: the page has to come back.
      const staged = { inbound, blockKind, block, sealedBytes, page, restoration };
      const outcome = open === undefined ? CORRUPT : this.stage(open, staged);
      if (outcome !== undefined) this.reply({ kind: "staged", inbound, blocks: [block, page], outcome });
    }
  }

  /** @returns undefined where the answer comes later */
  private stage(open: OpenStage, command: StageBlock): StagedOutcome | undefined {
    const { inbound, block, sealedBytes, blockKind, page } = command;
    if (open.stage === undefined) return { kind: "failed", reason: open.failure ?? reason("other") };
    const start = page * PAGE_BYTES;
    if (command.restoration !== undefined) {
      const { fullBytes, parity } = command.restoration;
      const bytes = this.pages.subarray(start, start + PAGE_BYTES);
      restoreBlock({ bytes, start: 0, stride: fullBytes, fullBytes, sealedBytes }, parity);
    }
    const sealed = this.pages.subarray(start, start + sealedBytes);
    const plaintext = openBlock(open.key, inbound.transfer, block, blockKind, sealed);
    if (plaintext === undefined) return CORRUPT;
    try {
      if (blockKind === BlockKind.manifest) {
        open.planning = open.stage.plan(plaintext);
        return this.goOn(open, open.planning, command, performance.now());
      }
      const { stage } = open;
      this.room.during(stage, () => stage.write(plaintext));
      return WRITTEN;
    } catch (error) {
      return { kind: "failed", reason: this.exact(blockFailure(error)) };
    }
  }

  /**
   * Takes one step of a comparison. A short one is done with it; between two steps of a long one, other transfers get
   * their turn.
   *
   * @returns the outcome of the last step
   */
  private goOn(
    open: OpenStage,
    planning: NonNullable<OpenStage["planning"]>,
    command: StageBlock,
    signMs: number,
  ): StagedOutcome | undefined {
    const step = planning.next();
    if (step.done !== true) {
      const isDue = performance.now() - signMs >= SIGN_MS;
      if (isDue) this.reply({ kind: "worked", inbound: command.inbound });
      setImmediate(() => this.resume(open, planning, command, isDue ? performance.now() : signMs));
      return undefined;
    }
    delete open.planning;
    const { wants, differences } = step.value;
    const findings = open.stage?.findingCount ?? 0;
    return { kind: "staged", wants: bitmapData(wants), differences, findings };
  }

  private resume(
    open: OpenStage,
    planning: NonNullable<OpenStage["planning"]>,
    command: StageBlock,
    signMs: number,
  ): void {
    const { inbound, block, page } = command;
    let outcome: StagedOutcome | undefined;
    try {
      // The transfer may have ended since the last step.
      outcome = open.planning === planning ? this.goOn(open, planning, command, signMs) : CORRUPT;
    } catch (error) {
      outcome = { kind: "failed", reason: this.exact(blockFailure(error)) };
    }
    if (outcome !== undefined) this.reply({ kind: "staged", inbound, blocks: [block, page], outcome });
    this.afterStep();
  }

  /** Gives up what is not finished; a commit is never half done. */
  stop(): void {
    for (const open of this.stages.values()) endPlanning(open);
    // If that takes too long, this thread is ended from outside, and the next start does the rest.
    this.endings.finishAll();
  }

  private commit(open: OpenStage, { inbound, order, later }: StageCommandOf<"commit">): void {
    leaveToLater(open, this.settings.lists, later);
    const changing = open.stage?.hasChanges === true ? open.stage : undefined;
    if (changing !== undefined) this.kept.giveWay();
    // An earlier attempt may have links to the files that come back: when they go later, that looks like a change by hand.
    if (changing?.undone !== undefined) this.endings.finishAll();
    for (const other of this.stages.values()) {
      if (other === open || changing === undefined) continue;
      const failure = other.stage?.yieldTo(changing.steps());
      if (failure !== undefined) this.reply({ kind: "overtaken", inbound: other.inbound, failure });
    }
    const beganMs = performance.timeOrigin + performance.now();
    const failure = this.exact(attempt(() => open.stage?.commit()));
    open.isCommitted = failure === undefined;
    this.reply({ kind: "switched", inbound });
    this.end(inbound, open, this.finishCommit(open, { inbound, order, failure, beganMs }));
  }

  /** What has left the tree is deleted. Entries of it may turn out to be undeletable, so only then all is known. */
  private *finishCommit(open: OpenStage, { inbound, order, ...begun }: BegunCommit): Generator<undefined> {
    const failure = this.exact(yield* attemptSteps(open.stage?.clear())) ?? begun.failure;
    const { origin } = open.record ?? {};
    const isListed = failure === undefined && origin !== undefined && this.keepList(open, inbound);
    this.reply({ kind: "committed", inbound, failure, beganMs: begun.beganMs, origin, order, isListed });
    yield* this.clean(open, inbound);
  }

  private keepList({ record }: OpenStage, inbound: InboundKey): boolean {
    const { lists } = this.settings;
    return lists !== undefined && record?.write(lists + inboundName(inbound)) === true;
  }

  private *clean(open: OpenStage, inbound: InboundKey): Generator<undefined> {
    const failure = yield* attemptSteps(open.stage?.clean());
    if (failure !== undefined) {
      this.leftovers.add(inboundName(inbound));
      this.reply({ kind: "left", inbound, failure });
    }
    yield* this.undo.noteEnd(inboundName(inbound), open);
    this.reply({ kind: "closed", inbound });
  }

  /** Nothing more is staged or committed for a transfer. */
  private end(inbound: InboundKey, open: OpenStage, rest = this.clean(open, inbound)): void {
    const name = inboundName(inbound);
    this.stages.delete(name);
    endPlanning(open);
    this.endings.start(name, rest, () => this.reply({ kind: "worked", inbound }));
  }

  private tellMoved(name: string): void {
    this.reply({ kind: "moved", from: this.base.pathOf(STAGING_NAME), to: this.base.pathOf(name) });
  }

  private exact<Why extends Reason | undefined>(why: Why): Why | Reason {
    return why === undefined || !this.base.isOpen ? why : exactReason(why, this.base.directories);
  }
}
