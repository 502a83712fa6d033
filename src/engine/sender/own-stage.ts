/** The part of a transfer that changes the tree of its own sender: a push that is taken back. */
import { sentence } from "../../base/reason.ts";
import { MemberPhase } from "../../wire/status-message.ts";
import { LifeCycle } from "../life-cycle.ts";
import type { OwnTarget } from "../own-target.ts";
import type { Delay, Effect, InboundKey, Input, Verdict } from "../types.ts";
import type { Barrier } from "./barrier.ts";
import type { Ordering } from "./ordering.ts";

/** The answers of the disk about what a node stages for its own transfer. */
export type OwnStageInput = Extract<
  Input,
  { kind: "prepared" | "found" | "weighed" | "overtaken" | "switched" | "committed" | "worked" }
>;

/**
 * The only transitions (PROTOCOL.md 9.6):
 *
 * - preparing: the disk stages, or its findings are being read.
 * - prepared: everything is staged and durable.
 * - weighing: all members have the same place for it, and it is its turn here: the disk looks whether another transfer of this node
 *   is in the way.
 * - ready: nothing is in the way of the switch.
 * - committing: the disk switches.
 */
export const NEXT_OWN_STATES = {
  preparing: ["prepared", "failed"],
  prepared: ["weighing", "failed"],
  weighing: ["ready", "failed"],
  ready: ["committing", "failed"],
  committing: ["done", "failed"],
  done: [],
  failed: [],
} as const;

/** What it judges by. */
export interface OwnStageParts {
  readonly barrier: Barrier;
  readonly ordering: Ordering;
}

/**
 * The sender as one of the hosts of its transfer. Its disk does the same as that of a member, and it needs no messages. It switches
 * when a member is known to switch in any case: if this node dies before, the logs of the others tell what has become of the
 * transfer, as they tell a member.
 */
export class OwnStage {
  readonly target: OwnTarget;
  private readonly key: InboundKey;
  private readonly effects: Effect[];
  private readonly parts: OwnStageParts;
  private readonly life = new LifeCycle(NEXT_OWN_STATES, "preparing");
  /** When the disk last showed that it works, or was asked for something. */
  private signMs: number;
  private findings = 0;
  private reason = "";

  /** @param effects where it puts what it asks of the disk */
  constructor(target: OwnTarget, key: InboundKey, effects: Effect[], parts: OwnStageParts, nowMs: number) {
    this.signMs = nowMs;
    this.target = target;
    this.key = key;
    this.effects = effects;
    this.parts = parts;
    const { hostName } = target;
    effects.push({ kind: "open-stage", key, dryRun: false });
    effects.push({ kind: "event", event: { kind: "own-stage-began", key, hostName } });
    effects.push({ kind: "prepare", key });
  }

  /** Whether everything is staged, so that a place can be asked for. */
  get isPrepared(): boolean {
    return this.life.state !== "preparing" && this.life.state !== "failed";
  }

  private get isReady(): boolean {
    return this.life.state === "ready";
  }

  /** Whether it has switched, or never will. */
  get isOver(): boolean {
    return this.life.state === "done" || this.life.state === "failed";
  }

  /** Why it has failed; undefined if it has not. */
  get failure(): string | undefined {
    return this.life.state === "failed" ? this.reason : undefined;
  }

  /** Since when nothing has been heard of the disk, in milliseconds, if it is to do something; undefined if it is not. */
  get owing(): Delay | undefined {
    const { state } = this.life;
    if (state !== "preparing" && state !== "weighing" && state !== "committing") return undefined;
    const doing = state === "committing" ? "switching" : "making durable";
    return { epoch: this.key.epoch, doing, sinceMs: this.signMs };
  }

  /** This process stood still for a while: the disk is not to blame for that time. */
  forgive(standstillMs: number): void {
    this.signMs += standstillMs;
  }

  get verdict(): Verdict {
    const outcome = this.life.state === "done" ? "done" : "failed";
    return { ...this.target, outcome, reason: this.reason };
  }

  /** The disk has answered. */
  handle(input: OwnStageInput, nowMs: number): void {
    const { state } = this.life;
    this.signMs = nowMs;
    if (input.kind === "prepared" && state === "preparing") this.takePrepared(input);
    else if (input.kind === "found" && state === "preparing") this.takeFound(input);
    else if (input.kind === "weighed" && state === "weighing") {
      if (input.failure === undefined) this.life.become("ready");
      else this.giveUp(input.failure);
    } else if (input.kind === "overtaken" && !this.isOver && state !== "committing")
      this.giveUp(input.failure);
    else if (input.kind === "switched" && state === "committing") this.parts.ordering.settle();
    else if (input.kind === "committed" && state === "committing") {
      this.reason = input.failure ?? "";
      this.end(input.failure === undefined ? "done" : "failed");
    }
  }

  /**
   * All have the same place for it. The transfers that come before it have to be over here. Neither they nor a push of this node itself
   * may be in its way: that has to be known before COMMIT, because nothing stops the members after that.
   *
   * @returns whether it is ready for the switch
   */
  isReadyInTurn(nowMs: number): boolean {
    if (this.life.state === "prepared" && this.parts.ordering.isItsTurn) {
      this.signMs = nowMs;
      this.life.become("weighing");
      this.effects.push({ kind: "weigh", key: this.key, own: this.parts.ordering.ownOpenBeside });
    }
    return this.isReady;
  }

  /** COMMIT has been said: switches as soon as it is known that the transfer takes effect, and when it is its turn. */
  commitInTurn(): void {
    const { barrier, ordering } = this.parts;
    if (!this.isReady || !ordering.isItsTurn) return;
    const isRefused = barrier.size === 0 && barrier.verdicts.length > 0 && !this.hasTakenEffect;
    if (isRefused) this.giveUp(sentence("undo-no-switch"));
    else if (barrier.size === 0 || this.hasTakenEffect) {
      this.life.become("committing");
      const { order, ownAfter } = ordering;
      this.effects.push({ kind: "commit", key: this.key, order, ownAfter });
    }
  }

  /** It must not switch, or cannot. Does nothing if it has begun to. */
  giveUp(reason: string): void {
    if (this.isOver || this.life.state === "committing") return;
    this.reason = reason;
    this.effects.push({ kind: "discard", key: this.key });
    this.end("failed");
  }

  /** Whether a member switches, or may have: then others get the transfer from it. */
  private get hasTakenEffect(): boolean {
    const { barrier } = this.parts;
    for (const { phase } of barrier.progress) if (phase >= MemberPhase.committing) return true;
    return barrier.verdicts.some(({ outcome }) => outcome !== "failed");
  }

  private takePrepared({ failure, findings }: Extract<OwnStageInput, { kind: "prepared" }>): void {
    if (failure !== undefined) {
      this.giveUp(failure);
      return;
    }
    this.findings = findings;
    if (findings === 0) this.life.become("prepared");
    else this.effects.push({ kind: "read-findings", key: this.key, first: 0 });
  }

  private takeFound({ first, findings }: Extract<OwnStageInput, { kind: "found" }>): void {
    const { epoch, transfer } = this.key;
    this.effects.push({ kind: "event", event: { kind: "findings", transfer, epoch, findings } });
    const next = first + findings.length;
    if (findings.length === 0 || next >= this.findings) this.life.become("prepared");
    else this.effects.push({ kind: "read-findings", key: this.key, first: next });
  }

  private end(outcome: "done" | "failed"): void {
    this.life.become(outcome);
    // Later transfers need not wait for it.
    this.parts.ordering.settle();
    const event = { kind: "own-stage-ended", key: this.key, outcome, reason: this.reason } as const;
    this.effects.push({ kind: "event", event });
  }
}
