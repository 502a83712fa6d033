/** Pushes that change the tree and are not in the log: with a host of version 2, or with too many patterns. */
import { inboundName } from "../../engine/types.ts";
import type { NodeEngine } from "../../engine/node.ts";
import type { Publication } from "../../wire/publication.ts";
import type { StageAnswer } from "../disk/messages.ts";
import type { EffectTimes } from "./effect-times.ts";
import type { PublicationFile } from "./publication-file.ts";

/** The parts that it works with. */
export interface UnloggedParts {
  readonly engine: Pick<NodeEngine, "catchUp">;
  readonly file: Pick<PublicationFile, "unloggedMs" | "noteUnlogged"> | undefined;
}

/**
 * Remembers when the last of them took effect here. Nothing tells what they have changed from changes by hand. So this host must not
 * get the entries of earlier publications again, and it must not take an earlier push for the last one.
 */
export class UnloggedPushes {
  private readonly parts: UnloggedParts;
  private readonly times: EffectTimes;
  private readonly own = new Set<number>();
  /** Incoming ones that change something here, by name. */
  private readonly incoming = new Set<string>();

  constructor(parts: UnloggedParts, times: EffectTimes) {
    this.parts = parts;
    this.times = times;
  }

  /** A push of this host begins that is one of them. */
  begin(transfer: number): void {
    this.own.add(transfer);
  }

  /** A push of this host has ended, which may be one of them. */
  end(transfer: number, isPublished: boolean): void {
    if (this.own.delete(transfer) && isPublished) void this.record();
  }

  /** An answer of the staging thread. */
  note(answer: StageAnswer): void {
    const name = inboundName(answer.inbound);
    const isOver = answer.kind === "closed" || ("failure" in answer && answer.failure !== undefined);
    if (isOver) this.incoming.delete(name);
    else if (answer.kind === "prepared" && answer.origin === undefined && answer.totals.entries > 0)
      this.incoming.add(name);
  }

  /** Whether a transfer is one of them, and has not failed. */
  has(name: string): boolean {
    return this.incoming.has(name);
  }

  /** One of them has taken effect; resolves when that is durable, or cannot be written. */
  async record(): Promise<void> {
    const { engine, file } = this.parts;
    if (engine.catchUp !== undefined) await file?.noteUnlogged(engine.catchUp.log, this.times.next());
  }

  /** Whether one of them has taken effect here after a publication. */
  isAfter(publication: Publication): boolean {
    const { engine, file } = this.parts;
    const atMs = engine.catchUp?.log.find(publication)?.here.atMs;
    return file !== undefined && atMs !== undefined && atMs < file.unloggedMs;
  }
}
