/** The areas that a start has kept, in the thread that writes: commits them, or takes them away. */
import type { Reason } from "../../base/reason.ts";
import { inboundName, type InboundKey, transferOfName } from "../../engine/types.ts";
import { ReadyAreas, type ResumedCommit } from "../../tree/apply/ready-areas.ts";
import { stageFailure } from "../../tree/apply/stage.ts";
import type { Protection } from "../../tree/decide/protection.ts";
import type { AttributeRules } from "../../tree/entries/attributes.ts";
import { attemptSteps } from "./attempts.ts";
import { type LongWork, seldom } from "./long-work.ts";
import type { StageReply } from "./messages.ts";
import type { StageBase } from "./stage-base.ts";
import { writeListOfUndo } from "./transfer-record.ts";
import type { UndoKeeper } from "./undo-areas.ts";

/** The parts of the thread. */
export interface KeptAreasParts {
  readonly base: StageBase;
  readonly rules: AttributeRules;
  /** Deletes what is left of transfers. */
  readonly endings: LongWork;
  readonly reply: (message: StageReply) => void;
  /** The beginning of the path of each list; undefined if none are kept. */
  readonly lists: string | undefined;
  /** Keeps what commits replace. */
  readonly undo: Pick<UndoKeeper, "isOn" | "bound" | "nextNumber" | "noteUnkept">;
}

export class KeptAreas {
  private readonly parts: KeptAreasParts;
  private readonly areas = new ReadyAreas();

  constructor(parts: KeptAreasParts) {
    this.parts = parts;
  }

  add(name: string): void {
    this.areas.add(name);
  }

  /**
   * Takes all of them away: they are in the way of a transfer, or need its space.
   *
   * @returns whether there was any
   */
  giveWay(): boolean {
    const { all } = this.areas;
    for (const name of all) this.remove(name);
    return all.length > 0;
  }

  /** One of them is not to be committed; does nothing about other transfers. */
  discard(inbound: InboundKey): void {
    this.remove(inboundName(inbound));
  }

  /**
   * Commits one of them; answered by "switched" and "committed", or by "committed" alone if it must not be.
   *
   * @param isIdle whether no transfer is staged
   * @param order the place of the transfer
   */
  commit(inbound: InboundKey, order: number, isIdle: boolean, protection: Protection | undefined): void {
    const { base, rules, reply, endings, undo } = this.parts;
    const name = inboundName(inbound);
    const beganMs = performance.timeOrigin + performance.now();
    try {
      if (!isIdle) this.giveWay();
      base.check(isIdle);
      const onWork = seldom(() => reply({ kind: "worked", inbound }));
      const number = undo.isOn ? undo.nextNumber() : undefined;
      const resumed = this.areas.commit(base.directories, rules, name, protection, number, onWork);
      reply({ kind: "switched", inbound });
      for (const other of this.areas.all) this.remove(other);
      const rest = this.finish(resumed, inbound, order, beganMs);
      endings.start(name, rest, () => reply({ kind: "worked", inbound }));
    } catch (error) {
      reply({ kind: "committed", inbound, failure: stageFailure(error), beganMs, order });
      this.remove(name);
    }
  }

  private *finish(
    resumed: ResumedCommit,
    inbound: InboundKey,
    order: number,
    beganMs: number,
  ): Generator<undefined> {
    const { reply } = this.parts;
    const failure = (yield* attemptSteps(resumed.clear())) ?? resumed.failure;
    // The list of its paths has died with the former process: this host cannot hand it on. Only an undo has it in its area, because
    // other hosts may have nothing of that.
    const { lists } = this.parts;
    const file = (lists ?? "") + inboundName(inbound);
    const isListed =
      failure === undefined &&
      lists !== undefined &&
      resumed.list !== undefined &&
      writeListOfUndo(file, resumed.list);
    reply({ kind: "committed", inbound, failure, beganMs, order, isListed });
    let kept: "too full" | undefined;
    const removal = function* () {
      kept = yield* resumed.removal();
    };
    this.tellLeft(inbound, yield* attemptSteps(removal()));
    const lacking = kept === "too full" ? "" : resumed.lacking;
    if (lacking !== undefined) this.parts.undo.noteUnkept(inboundName(inbound), lacking);
    if (this.parts.undo.isOn) yield* this.parts.undo.bound();
  }

  private remove(name: string): void {
    if (!this.areas.has(name)) return;
    const { endings, reply } = this.parts;
    const inbound = { ...transferOfName(name), admission: 0 };
    endings.start(name, this.removal(name, inbound), () => reply({ kind: "worked", inbound }));
  }

  private *removal(name: string, inbound: InboundKey): Generator<undefined> {
    const { base, rules } = this.parts;
    this.tellLeft(inbound, yield* attemptSteps(this.areas.discard(base.directories, rules, name)));
  }

  private tellLeft(inbound: InboundKey, failure: Reason | undefined): void {
    if (failure !== undefined) this.parts.reply({ kind: "left", inbound, failure });
  }
}
