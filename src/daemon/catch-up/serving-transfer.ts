/** Brings to members what they have missed. */
import { UserError } from "../../base/user-error.ts";
import { isFor } from "../../engine/catch-up/scopes.ts";
import type { Here, Kept } from "../../engine/catch-up/publication-log.ts";
import type { Effect, Input } from "../../engine/types.ts";
import type { Publication } from "../../wire/publication.ts";
import type { Log } from "../service/log.ts";
import { sentenceOfWithheld } from "./catch-up-words.ts";
import type { TransferServer } from "./publication-hearer.ts";
import { type Service, serviceOf } from "./scope-of-push.ts";

/** What one transfer has brought, by positions in the log, and why not all. */
interface Outcome {
  readonly brought: readonly number[];
  readonly reason: string;
  /** Of those that were brought, each with a later one of which an entry was left out that the first one had, too. */
  readonly torn: readonly (readonly [number, number])[];
}

const NOTHING: Outcome = { brought: [], reason: "", torn: [] };

type Ended = Omit<Extract<Input, { kind: "serve-ended" }>, "kind">;

export class ServingTransfer {
  private readonly effect: Extract<Effect, { kind: "serve" }>;
  private readonly transfers: TransferServer | undefined;
  private readonly log: Log;
  private readonly controller = new AbortController();
  /** Its number; 0 before it has begun. */
  private transfer = 0;
  /** Whether it ends with the transfer that runs. */
  private isStopped = false;
  /** Later publications that have taken effect here. */
  private readonly later: (readonly [Publication, Here])[] = [];

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
    this.later.push([publication, here]);
    this.supersede(publication, here);
  }

  private supersede(publication: Publication, { atMs, list: name }: Here): void {
    if (atMs === undefined || name === "" || this.transfer === 0) return;
    const { members } = this.effect;
    const isForAll = members.every(({ info, address }) =>
      isFor(publication.scope, { hostName: info.hostName, ip: address.ip, labels: info.labels }),
    );
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
    const { positions } = this.effect;
    // Pushes change the log meanwhile.
    const all = [...log];
    const serviceOfThese = (some: readonly number[]) =>
      serviceOf(all, some, positions, this.effect.digest, ownExcludes, removedBy);
    let left = positions;
    let ended = NOTHING;
    try {
      // If nothing of some can be handed on, that does not keep the others back.
      while (left.length > 0 && ended.brought.length === 0 && !this.isStopped) {
        const service = serviceOfThese(left);
        if (service === undefined) break;
        left = left.filter((position) => !service.positions.includes(position));
        ended = await this.serve(all, service);
      }
    } catch (error) {
      if (!(error instanceof UserError)) {
        this.log.error(`serving others has met a mistake of the program: ${(error as Error).stack}`);
        throw error;
      }
      // The daemon is stopping, or the transfer was given up while it waited for its turn.
      this.log.debug(`serves nobody: ${error.message}`);
      ended = NOTHING;
    }
    const { brought, torn, reason } = ended;
    if (reason !== "") this.log.warn(`cannot bring all: ${reason}`);
    // With a reason they would not ask this host again; it has not tried all yet.
    const isTried = left.length === 0 || brought.length === 0;
    return { transfer: this.transfer, brought, torn, reason: isTried ? reason : "" };
  }

  /** One transfer, for publications that were made with the same patterns. */
  private async serve(all: readonly Kept[], service: Service): Promise<Outcome> {
    const { members, positions } = this.effect;
    const { signal } = this.controller;
    if (this.transfers === undefined) return NOTHING;
    const names = members.map(({ info }) => info.hostName).join(", ");
    this.log.info(`brings ${service.positions.length} pushes to ${names}`);
    this.transfer = 0;
    const onStart = (number: number) => this.begin(number);
    const { request, rules } = service;
    const { totals, result } = await this.transfers.serve(members, request, rules, onStart, signal);
    if (result.aborted !== undefined) {
      this.isStopped = true;
      return { ...NOTHING, reason: signal.aborted ? "" : result.aborted };
    }
    const { withheld } = totals;
    const lacking = new Set(withheld?.lists);
    const brought = service.positions.filter((position) => !lacking.has(all[position]?.here.list ?? ""));
    if (withheld === undefined) return { ...NOTHING, brought };
    const those = (name: string) => positions.filter((position) => all[position]?.here.list === name);
    const torn = withheld.torn.flatMap(([list, later]) =>
      those(list).flatMap((one) => those(later).map((other) => [one, other] as const)),
    );
    return { brought, reason: sentenceOfWithheld(withheld), torn };
  }

  private begin(transfer: number): void {
    this.transfer = transfer;
    for (const [publication, here] of this.later) this.supersede(publication, here);
  }
}
