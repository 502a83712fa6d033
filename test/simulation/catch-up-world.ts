import assert from "node:assert/strict";
import { CatchUp } from "../../src/engine/catch-up/catch-up.ts";
import { MISSED, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import { CommitOrder } from "../../src/engine/commit-order.ts";
import { isFor } from "../../src/engine/catch-up/scopes.ts";
import type { Effect, InboundKey } from "../../src/engine/types.ts";
import { CatchUpServing } from "./catch-up-serving.ts";
import {
  addressee,
  PATHS,
  type CatchUpBug,
  describe,
  done,
  ForgetfulLog,
  isBefore,
  isSame,
  isSamePublication,
  isWholeWith,
  type Ready,
  forgetTree,
  isForNode,
  lastFor,
  noteListed,
  scopeOf,
  type SimulatedNode,
  type Version,
  versionsOf,
} from "./catch-up-versions.ts";
import type { Publication, Scope } from "../../src/wire/publication.ts";

/**
 * A fleet that only catches up: the real engines of CatchUp with their logs, on a network that loses, delays and is cut, and trees of
 * versions. A transfer is one step for each of its members here, in any order; the rest of the protocol has a simulation of its own.
 *
 * Oracles: no path goes back to an earlier version; nothing is handed on that nobody has published; when the faults are over, every
 * live node has every path as the last publication in the order left it; and few transfers bring it.
 */

export class CatchUpWorld extends CatchUpServing {
  protected readonly published: Publication[] = [];
  /** Whether all nodes had everything in the end. */
  wereEqual = false;
  /** Areas that were committed after a loss of power. */
  resumed = 0;

  constructor(seed: number, bug?: CatchUpBug, size?: number) {
    super(seed, bug);
    const count = size ?? 3 + this.below(4);
    for (let number = 1; number <= count; number++) this.nodes.push(this.node(number));
    for (const node of this.nodes) this.boot(node, true);
  }

  /** Faults first, then a calm time in which all have to become equal. */
  run(steps = 60): void {
    for (let step = 0; step < steps; step++) this.step();
    this.calm();
  }

  protected step(): void {
    this.fault();
    this.pass(this.below(1500));
  }

  /** Heals everything, and waits until all are current. */
  calm(mostMs = 20 * 60_000): void {
    this.isCalm = true;
    for (const node of this.nodes) {
      node.half = 0;
      if (!node.isUp) this.boot(node, false);
    }
    const endMs = this.nowMs + mostMs;
    while (this.nowMs < endMs && !this.isAtRest()) this.pass(500);
    this.judge();
  }

  /**
   * The network is cut in halves for less than the silence after which a member is forgotten, and both push.
   *
   * @returns how long after the end of the cut all had everything, in milliseconds
   */
  cutAndHeal(cutMs: number): number {
    this.isCalm = true;
    this.serveMs = 100;
    this.pass(40_000);
    for (const node of this.nodes) node.half = node.number % 2;
    const pushMs = this.below(cutMs);
    this.pass(pushMs);
    for (const [index, paths] of [["a", "b"], this.below(2) === 0 ? ["d/x"] : ["a"]].entries()) {
      const node = this.nodes[index]!;
      for (const path of paths) node.tree.set(path, { publication: undefined, isDeleted: false });
      this.push(node, paths, false);
    }
    this.pass(cutMs - pushMs);
    for (const node of this.nodes) node.half = 0;
    const healedMs = this.nowMs;
    while (this.nowMs - healedMs < 10 * 60_000 && !this.isEqual()) this.pass(100);
    const tookMs = this.nowMs - healedMs;
    this.judge();
    return tookMs;
  }

  /**
   * A node is down during a push. Others push after it has started, all the time.
   *
   * @returns how long after its start it had that push, in milliseconds
   */
  catchUpWhileBusy(pushEveryMs: number, mostMs: number): number {
    this.isCalm = true;
    this.pass(40_000);
    const [first, second] = this.nodes as [SimulatedNode, SimulatedNode];
    const late = this.nodes.at(-1)!;
    late.isUp = false;
    this.leave(late);
    const write = (node: SimulatedNode, path: string) =>
      node.tree.set(path, { publication: undefined, isDeleted: false });
    for (const path of PATHS) write(first, path);
    this.push(first, [""], true);
    const missed = this.published.at(-1);
    this.boot(late, false);
    const bootedMs = this.nowMs;
    for (let count = 0; late.tree.get("a")?.publication !== missed; count++) {
      if (this.nowMs - bootedMs >= mostMs) break;
      const [node, path] = count % 2 === 0 ? [first, "b"] : [second, "d/x"];
      write(node, path);
      this.push(node, [path], false);
      this.pass(this.below(2 * pushEveryMs));
    }
    const tookMs = this.nowMs - bootedMs;
    this.calm();
    return tookMs;
  }

  /** Messages in ten minutes in which nothing happens, some time after the last change. */
  idle(): number {
    this.pass(120_000);
    const before = this.messages;
    this.pass(600_000);
    return this.messages - before;
  }

  protected isEqual(): boolean {
    const [first] = this.nodes;
    return this.nodes.every(({ log }) => log.digest === first?.log.digest && log.missing.length === 0);
  }

  protected judge(): void {
    // What no live node has any more is lacked for ever, and shown.
    for (const node of this.nodes)
      for (const position of node.log.missing)
        assert.ok(!this.canServe(node, position), `host${node.number} lacks what another one could bring`);
    if (this.nodes.some(({ log }) => log.missing.length > 0)) return;
    this.wereEqual = true;
    for (const node of this.nodes) {
      for (const path of PATHS) {
        if (node.excludes.has(path)) continue;
        const last = lastFor(node, this.nodes, path);
        const has = node.tree.get(path);
        // A later one that it has sent to others, or got under another name.
        if (has?.publication !== undefined && !isForNode(has, node)) continue;
        const shown = `path ${path} of host${node.number}: ${describe(has)} in place of ${describe(last)}`;
        assert.ok(isSame(has, last), shown);
      }
    }
  }

  /** One node pushes while all but some are down; then they start at once. */
  startTogether(up: number): void {
    const [first] = this.nodes;
    this.pass(1_000);
    for (const node of this.nodes.slice(up)) {
      node.isUp = false;
      this.leave(node);
    }
    first?.tree.set("a", { publication: undefined, isDeleted: false });
    this.isCalm = true;
    if (first !== undefined) this.push(first, ["a"], false);
    this.pass(3_000);
    this.calm();
  }

  /** A push of some paths from a node to those that it reaches. */
  push(node: SimulatedNode, paths: string[], deletes: boolean, limits: Partial<Scope> = {}): void {
    const scope = scopeOf(paths, deletes, limits);
    const reached = this.nodes.filter(
      (other) =>
        node.members.has(other.epoch) && this.isInTouch(node, other) && isFor(scope, addressee(other)),
    );
    if (reached.length === 0) return;
    // The members agree on a place, as in the barrier: the highest that any of them proposes.
    const key = { epoch: node.epoch, transfer: ++node.lastTransfer };
    const all = [node, ...reached];
    const place = Math.max(...all.map(({ places }) => places.place(key, 0)));
    for (const { places } of all) {
      places.place(key, place);
      places.leave(key);
    }
    const { nodeId, epoch } = node;
    const common = { nodeId, epoch, number: key.transfer, place, timeMs: this.nowMs, user: "", host: "h" };
    const publication: Publication = { ...common, scope };
    const lost = reached.filter(() => !this.isCalm && this.below(8) === 0);
    const taking = reached.filter((one) => !lost.includes(one) && !one.isFull);
    const versions = versionsOf(node, publication);
    for (const one of lost) this.losePower(one, { publication, versions });
    if (taking.length === 0) return;
    this.published.push(publication);
    for (const [path, version] of versions) {
      this.put(node, path, version);
      for (const one of taking) this.bringTo(one, path, version);
    }
    for (const one of taking) this.take(one, publication, "list");
    this.take(node, publication, "list");
  }

  /** A member that gets nothing of a push may have died between READY and COMMIT: its area is on its disk. */
  private losePower(node: SimulatedNode, ready: Ready): void {
    if (this.below(2) === 0) return;
    node.ready = ready;
    node.isUp = false;
    this.leave(node);
  }

  private node(number: number): SimulatedNode {
    const nodeId = `${number}`.padStart(2, "0").repeat(16);
    const empty = {
      number,
      nodeId,
      hostName: `host${number}`,
      epoch: "",
      excludes: new Set<string>(),
      isFull: false,
      pausedUntilMs: -Infinity,
      tree: new Map(),
      listed: new Map(),
      lists: new Map(),
      disk: [],
      effects: [],
      half: 0,
      members: new Map(),
      nextAliveMs: 0,
    };
    const parts = { isUp: false, lastTransfer: 0, lastState: 0, ready: undefined };
    return { ...empty, ...parts, log: undefined!, catchUp: undefined!, places: undefined! };
  }

  protected boot(node: SimulatedNode, isFirst: boolean): void {
    // An empty disk has no log either.
    const lastEpoch = isFirst || node.disk.length === 0 ? undefined : node.epoch;
    node.epoch = `${this.random.u32().toString(16).padStart(8, "0")}${`${node.number}`.padStart(8, "0")}`;
    node.isUp = true;
    node.effects = [];
    node.lastTransfer = 0;
    node.lastState = 0;
    const self = addressee(node);
    node.log = this.bug === "forgets-delete" ? new ForgetfulLog(self) : new PublicationLog(self);
    for (const { publication, here } of node.disk) node.log.restore(publication, here);
    node.log.takeOvertaken();
    if (this.bug === "stale-ready" && node.ready !== undefined) {
      for (const [path, version] of node.ready.versions) this.put(node, path, version);
      node.ready = undefined;
    }
    node.places = new CommitOrder();
    const { effects, nodeId, places, log } = node;
    node.members = new Map();
    const memberOf = (epoch: string) => node.members.get(epoch)?.member;
    const members = () => [...node.members.values()].map(({ member }) => member);
    const isHeardSince = (epoch: string, sinceMs: number) =>
      (node.members.get(epoch)?.heardMs ?? -Infinity) >= sinceMs;
    const parts = {
      selfNodeId: nodeId,
      random: this.random,
      effects,
      places,
      memberOf,
      members,
      isHeardSince,
      isIdle: () => true,
    };
    node.catchUp = new CatchUp(parts, { log, isOn: true, lastEpoch });
    if (node.ready !== undefined) {
      const { epoch, number } = node.ready.publication;
      // Without a log, nobody knows what comes after it.
      if (lastEpoch === undefined) node.ready = undefined;
      else node.catchUp.keepAreas([{ epoch, transfer: number }], this.nowMs);
    }
    this.sayAlive(node);
  }

  protected fault(): void {
    const node = this.nodes[this.below(this.nodes.length)]!;
    const kind = this.below(12);
    if (kind <= 4 && node.isUp) {
      const path = PATHS[this.below(PATHS.length)]!;
      // A push sends what its user has just written, or deletes it.
      const isDeleted = this.below(3) === 0;
      node.tree.set(path, { publication: undefined, isDeleted });
      const directory = path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
      const whole = this.below(3) === 0;
      this.push(node, isDeleted || whole ? [directory] : [path], isDeleted || this.below(2) === 0);
    } else if (kind === 5 && node.isUp) {
      node.isUp = false;
      this.leave(node);
    } else if (kind <= 7 && !node.isUp) this.boot(node, false);
    else if (kind === 8 && node.isUp && node.tree.size > 0) {
      // The disk is lost with the log and the files.
      forgetTree(node);
      Object.assign(node, { disk: [], isUp: false, ready: undefined });
      this.leave(node);
      this.boot(node, false);
      if (this.bug === "newcomer-is-current")
        for (const { publication } of this.nodes[0]!.log.all)
          node.log.add(publication, done(this.nowMs, "x"));
    } else if (kind === 9) {
      for (const one of this.nodes) one.half = this.below(2);
    } else if (kind === 10) {
      for (const one of this.nodes) one.half = 0;
    }
  }

  protected carryOutEffect(node: SimulatedNode, effect: Effect): void {
    if (effect.kind === "serve") this.serve(node, effect);
    else if (effect.kind === "commit") this.commitArea(node, effect.key);
    else if (effect.kind === "discard") node.ready = undefined;
    else if (effect.kind === "event" && effect.event.kind === "publications-learned") {
      for (const one of effect.event.publications) this.keep(node, one);
    } else if (effect.kind === "event" && effect.event.kind === "caught-up") {
      for (const one of effect.event.publications) this.take(node, one, "list");
    }
  }

  /** A transfer from another node brings something. As on a real disk, that takes the area of a crash away. */
  protected override bringTo(node: SimulatedNode, path: string, version: Version): void {
    node.ready = undefined;
    this.put(node, path, version);
  }

  /** The area of a crash takes effect, if it is still there. */
  private commitArea(node: SimulatedNode, key: InboundKey): void {
    const { ready } = node;
    if (ready !== undefined) {
      assert.equal(ready.publication.number, key.transfer);
      node.ready = undefined;
      this.resumed++;
      for (const [path, version] of ready.versions) this.put(node, path, version);
      this.take(node, ready.publication, "");
    }
    node.catchUp.committed(key, this.nowMs);
    this.carryOut(node);
  }

  /** The path of a node becomes another version: never an earlier one. */
  protected put(node: SimulatedNode, path: string, version: Version): void {
    const before = node.tree.get(path)?.publication;
    const { publication } = version;
    assert.ok(
      publication !== undefined && this.published.includes(publication),
      `${path} was never published`,
    );
    if (before !== undefined && isFor(before.scope, addressee(node)))
      assert.ok(!isBefore(publication, before), `${path} of host${node.number} goes back`);
    node.tree.set(path, version);
    noteListed(node, path, publication);
  }

  private take(node: SimulatedNode, publication: Publication, list: string): void {
    node.log.add(publication, done(this.nowMs, list));
    node.catchUp.logged(this.nowMs);
    if (this.bug !== "done-before-log" || this.below(2) === 0) this.keep(node, publication);
    this.carryOut(node);
  }

  private keep(node: SimulatedNode, publication: Publication): void {
    const kept = node.log.find(publication);
    node.disk.push({ publication, here: kept?.here ?? MISSED });
    for (const one of node.log.takeOvertaken()) node.disk.push({ ...one });
  }

  private isAtRest(): boolean {
    const [first] = this.nodes;
    return (
      this.packets.length === 0 &&
      this.planned.length === 0 &&
      this.nodes.every(({ log }) => log.digest === first?.log.digest) &&
      this.nodes.every((node) => node.log.missing.every((position) => !this.canServe(node, position)))
    );
  }

  /** Whether a node could bring a publication to another one. */
  private canServe(node: SimulatedNode, position: number): boolean {
    const publication = node.log.all[position]!.publication;
    const lacked = node.log.missing.map((one) => node.log.all[one]!.publication);
    const asking = addressee(node);
    return this.nodes.some((other) => {
      const there = other.log.all.findIndex((kept) => isSamePublication(kept.publication, publication));
      if (other === node || other.log.whyNotServed(there, [asking]) !== undefined) return false;
      return isWholeWith(other, publication, lacked);
    });
  }
}
