import { sentence } from "../../src/base/reason.ts";
import { publicationName } from "../../src/engine/catch-up/publication-log.ts";
import type { Effect, InboundKey } from "../../src/engine/types.ts";
import type { Publication } from "../../src/wire/publication.ts";
import { CatchUpNetwork } from "./catch-up-network.ts";
import {
  type CatchUpBug,
  isSamePublication,
  isWhole,
  PATHS,
  type SimulatedNode,
  type Version,
  within,
} from "./catch-up-versions.ts";

/** The transfers that bring what nodes lack: they take time, and others push meanwhile. */

/** The publications that one transfer brings wholly, by their positions, and its versions. */
interface Gathered {
  readonly whole: ReadonlySet<number>;
  /** Of these, and of later ones that had replaced a path of them, which somebody has changed. */
  readonly torn: readonly (readonly [number, number])[];
  readonly versions: ReadonlyMap<string, Version>;
}

export abstract class CatchUpServing extends CatchUpNetwork {
  protected readonly bug: CatchUpBug;
  /** How long such a transfer takes, at the most. */
  serveMs = 3_000;
  /** How many there were. */
  served = 0;

  constructor(seed: number, bug: CatchUpBug) {
    super(seed);
    this.bug = bug;
  }

  protected abstract bringTo(node: SimulatedNode, path: string, version: Version): void;

  protected transferMs(): number {
    return this.below(this.serveMs);
  }

  /** One transfer that brings publications. Others push while it goes on. */
  protected serve(node: SimulatedNode, effect: Extract<Effect, { kind: "serve" }>): void {
    this.served++;
    const transfer = ++node.lastTransfer;
    const { epoch } = node;
    const key = { epoch, transfer, admission: 1 };
    const began = { kind: "inbound-began", key, hostName: "h", dryRun: false } as const;
    const epochs = new Set(effect.members.map((member) => member.epoch));
    const targets = this.nodes.filter((one) => epochs.has(one.epoch) && this.isInTouch(node, one));
    const brought = this.gathered(node, effect);
    for (const target of targets) {
      target.catchUp.onEvent(began, this.nowMs);
      this.carryOut(target);
    }
    const end = () => {
      const isLost = !node.isUp || node.epoch !== epoch;
      if (!isLost && this.isPaused(node)) {
        this.planned.push({ atMs: node.pausedUntilMs, run: end });
        return;
      }
      for (const target of targets) {
        // It may have been started again.
        if (!target.isUp || !epochs.has(target.epoch)) continue;
        if (isLost || !this.isInTouch(node, target)) this.discardInbound(target, key);
        else this.end(target, key, effect.digest, brought);
      }
      if (isLost) return;
      const { positions } = effect;
      const whole = positions.filter((position) => brought.whole.has(position));
      const reason = whole.length < positions.length ? "changed by hand" : "";
      node.catchUp.serveEnded(transfer, whole, reason, this.nowMs, brought.torn);
      this.carryOut(node);
    };
    // What follows at once would come before the end of this call.
    this.planned.push({ atMs: this.nowMs + this.transferMs(), run: end });
  }

  /** Whether a transfer can go on between them. */
  protected isInTouch(node: SimulatedNode, other: SimulatedNode): boolean {
    return this.hears(node, other) && this.hears(other, node) && !this.isPaused(other);
  }

  /** A member hears nothing more of a transfer, as soon as it looks. */
  private discardInbound(target: SimulatedNode, key: InboundKey): void {
    const { epoch } = target;
    if (!this.isPaused(target)) this.endInbound(target, key, "discarded");
    else
      this.planned.push({
        atMs: target.pausedUntilMs,
        run: () => {
          if (target.isUp && target.epoch === epoch) this.discardInbound(target, key);
        },
      });
  }

  /** What a node has of publications when it begins to bring them. Later ones that reach it are brought by nobody. */
  private gathered(node: SimulatedNode, { positions }: Extract<Effect, { kind: "serve" }>): Gathered {
    const whole = new Set<number>();
    const versions = new Map<string, Version>();
    const publications = positions.map((position) => node.log.all[position]!.publication);
    for (const [index, position] of positions.entries())
      if (isWhole(node, publications[index]!)) whole.add(position);
    for (const path of PATHS) {
      const version = node.tree.get(path);
      if (version?.publication === undefined) continue;
      const isMeant = publications.some(({ scope }) => within(scope).includes(path));
      // What others have published last is not handed on.
      const isServed = publications.some((one) => isSamePublication(one, version.publication));
      if (isMeant && (isServed || this.bug === "serves-older")) versions.set(path, version);
    }
    return { whole, versions, torn: tornIn(node, positions, publications) };
  }

  /** It is committed at a member, except for what has come there since; or it is in vain. */
  private end(target: SimulatedNode, key: InboundKey, digest: string, { versions }: Gathered): void {
    const { log } = target;
    const state = log.stateOf(digest);
    const isInTime = state !== undefined && state >= target.lastState;
    const later = isInTime ? log.effectiveSince(state) : undefined;
    if (target.isFull) {
      this.endInbound(target, key, "failed", sentence("no-space", "2", "1"));
      return;
    }
    const isVain = later === undefined && this.bug !== "both-halves-win";
    if (!isVain) {
      target.lastState = state ?? 0;
      for (const [path, version] of versions) {
        const isLater = later?.some(({ publication }) =>
          isSamePublication(publication, target.listed.get(path)),
        );
        if (isLater !== true || this.bug === "overwrites-later") this.bringTo(target, path, version);
      }
    }
    this.endInbound(target, key, isVain ? "failed" : "done", isVain ? sentence("newer-push") : "");
  }

  private endInbound(
    target: SimulatedNode,
    key: InboundKey,
    outcome: "done" | "failed" | "discarded",
    reason = "",
  ): void {
    target.catchUp.onEvent({ kind: "inbound-ended", key, outcome, reason }, this.nowMs);
    this.carryOut(target);
  }
}

/** Each publication with each later one that has replaced a path of it, if that is not as published any more. */
function tornIn(
  { listed, lists, tree }: SimulatedNode,
  positions: readonly number[],
  publications: readonly Publication[],
): (readonly [number, number])[] {
  return publications.flatMap((publication, index) =>
    [...(lists.get(publicationName(publication)) ?? [])].flatMap((path) => {
      const later = publications.findIndex((one) => isSamePublication(one, listed.get(path)));
      const isHeld = later >= 0 && later !== index && tree.get(path)?.publication !== listed.get(path);
      return isHeld ? [[positions[index]!, positions[later]!] as const] : [];
    }),
  );
}
