/** Decides on a member whether it can take part when a push is taken back, and how. */
import { type Reason, reason } from "../../base/reason.ts";
import type { NodeEngine } from "../../engine/node.ts";
import { publicationName } from "../../engine/catch-up/publication-log.ts";
import { idOf, obstacleTo } from "../../engine/catch-up/undo-choice.ts";
import { inboundName } from "../../engine/types.ts";
import type { Origin } from "../../wire/origin.ts";
import type { PublicationId } from "../../wire/publication.ts";
import type { StageAnswer } from "../disk/messages.ts";
import type { NodeIdentity } from "../service/node-identity.ts";
import type { Settings } from "../settings/settings.ts";

/** The parts that it judges by. */
export interface UndoJudgeParts {
  readonly engine: Pick<NodeEngine, "catchUp">;
  readonly identity: Pick<NodeIdentity, "nodeId">;
  readonly settings: Pick<Settings, "catchUp">;
}

/**
 * The disk knows whether this host keeps what it had before a push. The log knows the rest (PROTOCOL.md 9.6): whether the sender
 * has chosen by the same log, and whether this host never had its files changed by that push. Such a host follows: it agrees, its
 * log then says that it lacks the undo, and it gets the former files from another host.
 */
export class UndoJudge {
  private readonly parts: UndoJudgeParts;
  /** The transfers that this host follows, by name. */
  private readonly followed = new Set<string>();

  constructor(parts: UndoJudgeParts) {
    this.parts = parts;
  }

  /** The answer of the staging thread, with what the log adds to it. */
  judged(answer: StageAnswer): StageAnswer {
    if (answer.kind !== "prepared" || answer.origin?.kind !== "undo") return answer;
    const failure = this.verdictOn(answer.failure, answer.origin);
    if (answer.failure !== undefined && failure === undefined) this.followed.add(inboundName(answer.inbound));
    return { ...answer, failure };
  }

  /** Whether this host follows a transfer. */
  follows(name: string): boolean {
    return this.followed.has(name);
  }

  /** A transfer is over. */
  forget(name: string): void {
    this.followed.delete(name);
  }

  private verdictOn(
    failure: Reason | undefined,
    { announced, digest }: Extract<Origin, { kind: "undo" }>,
  ): Reason | undefined {
    const log = this.parts.engine.catchUp?.log;
    if (log === undefined) return reason("undo-no-log");
    if (log.digest !== digest) return reason("undo-other-log");
    const obstacle = obstacleTo(log, announced.undoes);
    if (obstacle !== undefined) return reason("undo-obstacle", undefined, idOf(obstacle));
    if (failure?.code !== "undo-gone" || !this.isWithout(announced.undoes)) return failure;
    return this.parts.settings.catchUp ? undefined : reason("undo-stays-behind");
  }

  /** Whether that push has never changed a file here, so that there was nothing to keep. */
  private isWithout(undone: PublicationId): boolean {
    const { engine, identity } = this.parts;
    // Its files were changed by hand before it pushed them.
    if (undone.nodeId === identity.nodeId) return true;
    const { log } = engine.catchUp ?? {};
    const name = publicationName(undone);
    const known =
      log?.find(undone) ?? log?.former.find(({ publication }) => publicationName(publication) === name);
    if (known?.here.atMs === undefined) return true;
    // It came by a transfer that has brought others as well, or with other names.
    return known.here.list !== "" && known.here.list !== idOf(undone);
  }
}
