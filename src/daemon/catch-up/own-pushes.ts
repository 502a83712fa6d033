/** The pushes of this node that run, and what each of them tells its members of itself. */
import type { PushedBy, SendRequest } from "../../console/protocol.ts";
import type { NodeEngine } from "../../engine/node.ts";
import { type Here, MISSED } from "../../engine/catch-up/publication-log.ts";
import { inboundName, type InboundKey, type Member, type TransferResult } from "../../engine/types.ts";
import { PROTOCOL_VERSION } from "../../wire/limits.ts";
import type { Publication } from "../../wire/publication.ts";
import type { SourceRules, SourceTotals } from "../disk/messages.ts";
import type { NodeIdentity } from "../service/node-identity.ts";
import type { Settings } from "../settings/settings.ts";
import type { EffectTimes } from "./effect-times.ts";
import { asTold, reverseOf, scopeOfPush } from "./scope-of-push.ts";
import type { UnloggedPushes } from "./unlogged-pushes.ts";

/** The parts that it works with. */
export interface OwnPushParts {
  readonly engine: Pick<NodeEngine, "catchUp">;
  readonly identity: NodeIdentity;
  readonly settings: Pick<Settings, "hostName">;
  /** Undefined where no log is kept. */
  readonly file: object | undefined;
}

/** A push of this node that runs. */
interface OwnPush {
  readonly publication: Omit<Publication, "place">;
  readonly list: string;
  /** When it began, as the log counts. */
  readonly atMs: number;
}

/** A push that has taken effect, for the log. */
export interface Published {
  readonly publication: Publication;
  readonly here: Here;
}

/** A name on a terminal. */
const UNSHOWN = /[^\x21-\x7e]/g;

export class OwnPushes {
  private readonly parts: OwnPushParts;
  private readonly times: EffectTimes;
  private readonly unlogged: UnloggedPushes;
  private readonly running = new Map<number, OwnPush>();

  constructor(parts: OwnPushParts, times: EffectTimes, unlogged: UnloggedPushes) {
    this.parts = parts;
    this.times = times;
    this.unlogged = unlogged;
  }

  get isIdle(): boolean {
    return this.running.size === 0;
  }

  /**
   * A push begins.
   *
   * @param request its paths are below the base directory
   * @returns what it tells its members of itself
   */
  begin(
    transfer: number,
    request: SendRequest,
    rules: SourceRules,
    by: PushedBy | undefined,
    members: readonly Member[],
  ): Pick<SourceRules, "origin" | "list"> {
    const { identity, file } = this.parts;
    // Nodes of an earlier version take a manifest with an origin for malformed.
    const isOld = members.some(({ info }) => info.protocol < PROTOCOL_VERSION);
    const scope = isOld ? undefined : scopeOfPush(request, rules);
    if (scope === undefined) {
      this.unlogged.begin(transfer);
      return {};
    }
    const { nodeId, epoch } = identity;
    const announced = { ...this.announcedBy(by), nodeId, scope };
    const list = inboundName({ epoch, transfer });
    if (file !== undefined) this.note(transfer, { ...announced, epoch, number: transfer }, list);
    return { origin: { kind: "publication", announced }, list: file === undefined ? undefined : list };
  }

  /**
   * A push begins to be taken back.
   *
   * @returns what the transfer tells its members of itself
   */
  beginUndo(transfer: number, undone: Publication, by: PushedBy | undefined): Pick<SourceRules, "origin"> {
    const { nodeId, epoch } = this.parts.identity;
    const announced = { ...this.announcedBy(by), nodeId, ...reverseOf(undone) };
    this.note(transfer, { ...announced, epoch, number: transfer }, "");
    return { origin: { kind: "undo", announced, digest: this.parts.engine.catchUp?.log.digest ?? "" } };
  }

  /**
   * One of them has ended.
   *
   * @returns what it has published; undefined if that is nothing, or nothing for the log
   */
  end(
    transfer: number,
    { order, verdicts }: TransferResult,
    { isListed, toldPaths }: SourceTotals,
  ): Published | undefined {
    const own = this.running.get(transfer);
    this.running.delete(transfer);
    const isPublished = order > 0 && verdicts.some(({ outcome }) => outcome !== "failed");
    this.unlogged.end(transfer, isPublished);
    const told = own === undefined || !isPublished ? undefined : asTold(own.publication, toldPaths);
    if (own === undefined || told === undefined) return undefined;
    // A file that was changed after its beginning may not be the one that was sent.
    const here = { atMs: own.atMs, list: isListed === true ? own.list : "", reason: "" };
    return {
      publication: { ...told, place: order },
      here: told.undoes === undefined ? here : MISSED,
    };
  }

  /** Those that run beside a transfer, with their numbers. */
  beside({ epoch, transfer }: InboundKey): (readonly [number, OwnPush])[] {
    const isOwn = epoch === this.parts.identity.epoch;
    return [...this.running].filter(([number]) => !isOwn || number !== transfer);
  }

  private note(transfer: number, publication: OwnPush["publication"], list: string): void {
    this.running.set(transfer, { publication, list, atMs: this.times.next() });
  }

  private announcedBy(by: PushedBy | undefined): Pick<Publication, "timeMs" | "user" | "host"> {
    const user = (by?.user ?? "").replace(UNSHOWN, "?").slice(0, 64);
    return { timeMs: Date.now(), user, host: this.parts.settings.hostName };
  }
}
