import type { ControlMessage } from "../../src/wire/message.ts";
import type { Scope } from "../../src/wire/publication.ts";
import { MISSED } from "../../src/engine/catch-up/publication-log.ts";
import { forgetTree, noteListed, PATHS, type SimulatedNode, type Version } from "./catch-up-versions.ts";
import { CatchUpWorld } from "./catch-up-world.ts";

/**
 * The fleet of CatchUpWorld, with more of what happens to real ones: pushes for some hosts only and without some paths, hosts that
 * exclude paths themselves, are renamed, stand still, have no space, lose their log or their files alone; networks that are cut into
 * three pieces and heal piece by piece, carry packets in one direction only, late, or not at all for some seconds. No packet arrives twice: the seal refuses that.
 */

/** Names of hosts: several may have the same. */
const NAMES = ["host1", "host2", "web", "db"];

export class MeanWorld extends CatchUpWorld {
  /** Directions in which no packet arrives: "from>to" by number. */
  private readonly deaf = new Set<string>();
  private burstUntilMs = -Infinity;
  /** What is never delivered: for tests of single messages. */
  drops: (message: ControlMessage, from: SimulatedNode, to: SimulatedNode) => boolean = () => false;

  constructor(seed: number, size?: number) {
    super(seed, undefined, size);
    for (const node of this.nodes)
      if (this.below(4) === 0) node.excludes = new Set([PATHS[this.below(PATHS.length)]!]);
  }

  protected override step(): void {
    this.fault();
    // Sometimes long enough for others to be forgotten.
    this.pass(this.below(this.below(8) === 0 ? 70_000 : 2_000));
  }

  override calm(mostMs = 3 * 60 * 60_000): void {
    this.deaf.clear();
    this.burstUntilMs = -Infinity;
    for (const node of this.nodes) {
      if (!node.isFull) continue;
      node.isFull = false;
      // The program looks for space by itself.
      if (node.isUp) this.planned.push({ atMs: this.nowMs + 5_000, run: () => this.nudge(node) });
    }
    super.calm(mostMs);
  }

  protected override fault(): void {
    const node = this.nodes[this.below(this.nodes.length)]!;
    const kind = this.below(22);
    if (kind <= 6) this.write(node);
    else if (kind <= 8) this.stop(node);
    else if (kind <= 10) this.start(node);
    else if (kind === 11) this.loseDisk(node);
    else if (kind === 12) for (const one of this.nodes) one.half = this.below(3);
    else if (kind === 13) node.half = this.nodes[this.below(this.nodes.length)]!.half;
    else if (kind === 14) this.heal();
    else if (kind <= 16) this.deafen(node);
    else if (kind === 17) node.pausedUntilMs = this.nowMs + this.below(15_000);
    else if (kind === 18) this.fill(node);
    else if (kind === 19) this.rename(node);
    else if (kind === 20) this.burstUntilMs = this.nowMs + this.below(4_000);
    else this.nudge(node);
  }

  protected heal(): void {
    for (const one of this.nodes) one.half = 0;
    this.deaf.clear();
  }

  /** Its user changes a path and pushes it, or more, to all or some. */
  private write(node: SimulatedNode): void {
    if (!node.isUp || this.isPaused(node)) return;
    const path = PATHS[this.below(PATHS.length)]!;
    if (node.excludes.has(path)) return;
    const isDeleted = this.below(3) === 0;
    node.tree.set(path, { publication: undefined, isDeleted });
    const directory = path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
    const isWhole = this.below(3) === 0;
    const excludes = [...node.excludes];
    const limits: Partial<Scope>[] = [{}, {}, {}, { targets: [NAMES[this.below(4)]!] }, { excepts: ["web"] }];
    const limit = limits[this.below(limits.length)]!;
    const paths = isDeleted || isWhole ? [directory] : [path];
    this.push(node, paths, isDeleted || this.below(2) === 0, { ...limit, excludes });
  }

  private stop(node: SimulatedNode): void {
    if (!node.isUp) return;
    node.isUp = false;
    node.pausedUntilMs = -Infinity;
    this.leave(node);
  }

  private start(node: SimulatedNode): void {
    if (!node.isUp) this.boot(node, false);
  }

  /** Its disk is lost, or only its log, or only its files. */
  private loseDisk(node: SimulatedNode): void {
    if (node.tree.size === 0) return;
    this.stop(node);
    const kind = this.below(3);
    node.ready = undefined;
    if (kind === 1) {
      for (const [path, { isDeleted }] of node.tree)
        node.tree.set(path, { publication: undefined, isDeleted });
      Object.assign(node, { listed: new Map(), lists: new Map(), disk: [] });
    } else if (kind === 2) {
      node.disk = node.disk.map(({ publication }) => ({ publication, here: MISSED }));
      forgetTree(node);
    } else {
      node.disk = [];
      forgetTree(node);
    }
    this.boot(node, kind !== 1);
  }

  /** Nothing arrives at a node, or nothing of what it sends, or nothing at one other. */
  protected deafen(node: SimulatedNode, kind = this.below(3)): void {
    const others = kind === 0 ? [this.nodes[this.below(this.nodes.length)]!] : this.nodes;
    for (const other of others)
      this.deaf.add(kind === 1 ? `${other.number}>${node.number}` : `${node.number}>${other.number}`);
  }

  private fill(node: SimulatedNode): void {
    node.isFull = !node.isFull;
    if (!node.isFull && node.isUp) this.nudge(node);
  }

  private rename(node: SimulatedNode): void {
    this.stop(node);
    node.hostName = NAMES[this.below(NAMES.length)]!;
    this.boot(node, false);
  }

  private nudge(node: SimulatedNode): void {
    if (!node.isUp || this.isPaused(node)) return;
    node.catchUp.nudge(this.nowMs);
    this.carryOut(node);
  }

  protected override hears(a: SimulatedNode, b: SimulatedNode): boolean {
    const isCut = this.nowMs < this.burstUntilMs || this.deaf.has(`${a.number}>${b.number}`);
    return super.hears(a, b) && !isCut;
  }

  /** Only what is said to the group introduces a node, and the other one has to answer. */
  protected override hear(node: SimulatedNode, other: SimulatedNode, isAlive: boolean): void {
    const known = node.members.get(other.epoch);
    if (known !== undefined) known.heardMs = this.nowMs;
    else if (isAlive && this.isInTouch(node, other)) {
      this.join(node, other);
      if (!other.members.has(node.epoch)) this.join(other, node);
    }
  }

  protected override sendPacket(
    from: SimulatedNode,
    to: SimulatedNode,
    message: ControlMessage | undefined,
  ): void {
    if (message !== undefined && this.drops(message, from, to)) return;
    super.sendPacket(from, to, message);
  }

  protected override lateMs(): number {
    return !this.isCalm && this.below(10) === 0 ? this.below(1_500) : 0;
  }

  /** What its patterns exclude stays as it is, and counts as published all the same. */
  protected override put(node: SimulatedNode, path: string, version: Version): void {
    if (!node.excludes.has(path)) super.put(node, path, version);
    else noteListed(node, path, version.publication!);
  }
}
