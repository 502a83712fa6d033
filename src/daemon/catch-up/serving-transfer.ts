/** One transfer that brings to members what they have missed. */
import { isFor } from "../../engine/catch-up/scopes.ts";
import type { Here, Kept } from "../../engine/catch-up/publication-log.ts";
import type { Effect, Input } from "../../engine/types.ts";
import type { Publication } from "../../wire/publication.ts";
import type { Log } from "../service/log.ts";
import { sentenceOfWithheld } from "./catch-up-words.ts";
import type { TransferServer } from "./publication-hearer.ts";
import { serviceOf } from "./scope-of-push.ts";

type Ended = Omit<Extract<Input, { kind: "serve-ended" }>, "kind">;

export class ServingTransfer {
  private readonly effect: Extract<Effect, { kind: "serve" }>;
  private readonly transfers: TransferServer | undefined;
  private readonly log: Log;
  private readonly controller = new AbortController();
  /** Its number; 0 before it has begun. */
  private transfer = 0;
  /** Later publications that have taken effect before it has begun. */
  private readonly early: (readonly [Publication, Here])[] = [];

  constructor(effect: Extract<Effect, { kind: "serve" }>, transfers: TransferServer | undefined, log: Log) {
    this.effect = effect;
    this.transfers = transfers;
    this.log = log;
  }

  /** Gives it up, if its commit has not begun. */
  stop(): void {
    this.controller.abort();
  }

  /**
   * A publication has taken effect here since. If all who are served get it as well, its paths need not be brought; if not, they
   * count as changed.
   */
  noteEffect(publication: Publication, here: Here): void {
    if (here.atMs === undefined || here.list === "") return;
    if (this.transfer === 0) {
      this.early.push([publication, here]);
      return;
    }
    const { members } = this.effect;
    const isForAll = members.every(({ info, address }) =>
      isFor(publication.scope, { hostName: info.hostName, ip: address.ip, labels: info.labels }),
    );
    const { list: name, atMs } = here;
    if (isForAll) this.transfers?.supersede(this.transfer, { name, atMs, isServed: false });
  }

  /**
   * Carries it out.
   *
   * @param log this host's log at the beginning
   * @param removedBy reads the paths that are gone because of an undo, by its list
   */
  async run(
    log: readonly Kept[],
    ownExcludes: readonly string[],
    removedBy: (list: string) => readonly string[],
  ): Promise<Ended> {
    const { members, positions, digest } = this.effect;
    const { signal } = this.controller;
    // Pushes change the log meanwhile.
    const all = [...log];
    let brought: readonly number[] = [];
    let why = "";
    try {
      const service = serviceOf(all, positions, digest, ownExcludes, removedBy);
      if (service !== undefined && this.transfers !== undefined) {
        const { request, rules } = service;
        const names = members.map(({ info }) => info.hostName).join(", ");
        this.log.info(`brings ${service.positions.length} pushes to ${names}`);
        const onStart = (number: number) => this.begin(number);
        const served = await this.transfers.serve(members, request, rules, onStart, signal);
        const { withheld } = served.totals;
        if (served.result.aborted === undefined) {
          const lacking = new Set(withheld?.lists);
          brought = service.positions.filter((position) => !lacking.has(all[position]?.here.list ?? ""));
          if (withheld !== undefined) why = sentenceOfWithheld(withheld);
        } else if (!signal.aborted) why = served.result.aborted;
      }
    } catch (error) {
      // The daemon is stopping, or the transfer was given up while it waited for its turn.
      this.log.debug(`serves nobody: ${(error as Error).message}`);
    }
    if (why !== "") this.log.warn(`cannot bring all: ${why}`);
    return { transfer: this.transfer, brought, reason: why };
  }

  private begin(transfer: number): void {
    this.transfer = transfer;
    for (const [publication, here] of this.early.splice(0)) this.noteEffect(publication, here);
  }
}
