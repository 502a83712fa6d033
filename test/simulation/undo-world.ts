import { below, SeededRandom } from "../../src/base/random.ts";
import { chooseUndo, idOf } from "../../src/engine/catch-up/undo-choice.ts";
import { type Kept, MISSED, PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import { removeUndoArea, undoAreas } from "../../src/tree/apply/undo-areas.ts";
import { finish } from "../../src/base/steps.ts";
import { reverseOf } from "../../src/daemon/catch-up/scope-of-push.ts";
import { EntryType } from "../../src/wire/entry.ts";
import type { Origin } from "../../src/wire/origin.ts";
import type { Publication, Scope } from "../../src/wire/publication.ts";
import { directoryOf, nameOf } from "../../src/wire/path-rules.ts";
import { directory, entry, file, type Push } from "../tree/memory/member.ts";
import { check } from "./check.ts";
import { type Staged, UndoHost } from "./undo-host.ts";

/**
 * A fleet that pushes, and takes pushes back, with the real stages, kept areas and logs on disks that lose their power. A transfer
 * is one step for each of its members; the rest of the protocol has simulations of its own.
 *
 * Oracles: when everything is healed, all hosts have what the log says, so an undo of an undo has brought back the push; no host
 * switches if one has said before that it cannot; and an undo that could be carried out was carried out.
 */

const STEPS = 40;
/** The directories and the file that are pushed. */
const TOPS = ["a", "d", "e"];
const PATHS: Readonly<Record<string, readonly string[]>> = {
  a: ["a"],
  d: ["d/x", "d/y", "d/s/z", "d/s/w"],
  e: ["e/v", "e/u/t"],
};
const SCOPE: Omit<Scope, "paths"> = {
  ...{ recursive: true, deletes: "also", syncs: false, sendsAttributes: false },
  ...{ isPartial: false, excludes: [], targets: [], excepts: [] },
};

type Tree = ReadonlyMap<string, string>;

/** Runs one seed. Throws OracleError. */
export function runUndoSeed(seed: number): void {
  new UndoWorld(seed).run();
}

class UndoWorld {
  private readonly random: SeededRandom;
  private readonly hosts: UndoHost[] = [];
  /** All that was published, as a host knows it that has missed nothing. */
  private readonly whole = new PublicationLog({ hostName: "", ip: "", labels: [] });
  /** The tree by the log. */
  private tree: Tree = new Map();
  /** What was in the scope of each publication before it. */
  private readonly before = new Map<string, Tree>();
  /** Hosts that have lost something that they had kept. */
  private readonly losers = new Set<string>();
  private place = 0;
  private version = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    const count = 2 + below(this.random, 3);
    for (let number = 1; number <= count; number++) this.hosts.push(new UndoHost(number, this.random));
  }

  run(): void {
    for (let step = 0; step < STEPS; step++) this.step();
    for (const host of this.hosts) host.isUp = true;
    for (let round = 0; round < ROUNDS; round++) this.heal();
    for (const host of this.hosts) this.judge(host);
  }

  private step(): void {
    const host = this.hosts[below(this.random, this.hosts.length)] as UndoHost;
    const kind = below(this.random, 10);
    if (kind < 4) this.push(host);
    else if (kind < 7) this.takeBack(host);
    else if (kind === 7) host.isUp = false;
    else if (kind === 8 && below(this.random, 5) === 0) this.loseArea(host);
    else for (const one of this.hosts) one.isUp ||= below(this.random, 2) === 0;
    if (below(this.random, 3) > 0) this.heal();
  }

  private isCurrent({ isUp, log }: UndoHost): boolean {
    return isUp && log.missing.length === 0 && log.digest === this.whole.digest;
  }

  /** The members of a transfer; none if it cannot begin. Others miss it, and so do some at random. */
  private membersOf(sender: UndoHost): UndoHost[] {
    if (!this.isCurrent(sender)) return [];
    return this.hosts.filter((one) => one !== sender && this.isCurrent(one) && below(this.random, 6) > 0);
  }

  private push(sender: UndoHost): void {
    const members = this.membersOf(sender);
    if (members.length === 0) return;
    const top = TOPS[below(this.random, TOPS.length)] ?? "a";
    this.edit(sender, top);
    const brings = within(sender.tree, [top]);
    const publication = this.publication(sender, { ...SCOPE, paths: [top] });
    const origin: Origin = { kind: "publication", announced: publication };
    const name = idOf(publication);
    const staged = members.map((one) => one.stage(name, origin, (push) => bring(push, [top], brings)));
    for (const { failure } of staged) check(failure === undefined, `${name} fails: ${failure?.code}`);
    this.publish(publication, brings);
    for (const [index, one] of members.entries()) one.commit(staged[index] as Staged, publication, true);
    sender.log.add(publication, doneWith(name));
  }

  /** Takes back a push, or an undo, as a host chooses it by its log. */
  private takeBack(sender: UndoHost): void {
    const members = this.membersOf(sender);
    if (members.length === 0) return;
    const known = knownTo(sender);
    const one = known[below(this.random, Math.max(1, known.length))];
    const choice = chooseUndo(known, below(this.random, 2) === 0 || one === undefined ? "" : idOf(one));
    if (choice.kind !== "chosen") return;
    const { scope, undoes } = reverseOf(choice.publication);
    const publication = { ...this.publication(sender, scope), undoes };
    const origin: Origin = { kind: "undo", announced: publication, digest: sender.log.digest };
    const hosts = [sender, ...members];
    const name = idOf(publication);
    const trees = hosts.map((each) => text(each.tree));
    const staged = hosts.map((each) => each.stage(name, origin, () => undefined));
    const first = staged.findIndex(({ isFollower }) => !isFollower);
    if (first >= 0 && staged.every(({ failure }) => failure === undefined)) {
      this.publish(publication, this.before.get(idOf(choice.publication)) ?? new Map());
      this.switchAll(hosts, staged, first, publication);
      return;
    }
    for (const [index, each] of hosts.entries()) {
      const { failure } = staged[index] as Staged;
      each.discard(staged[index] as Staged);
      check(text(each.tree) === trees[index], `${each.name} switches to ${name}, which was given up`);
      // The sender may not know of an undo that a later push has covered before the sender heard of it.
      const isExcused =
        failure === undefined || this.losers.has(each.name) || failure.code === "undo-obstacle";
      check(isExcused, `${each.name} cannot take part in ${name}: ${failure?.code}`);
    }
  }

  /**
   * The sender is the first of the hosts, and switches last: when one of the others has, or may have. Each may die while it is
   * ready. One of them lives that brings its own former files: if all that have switched were lost, nobody would know.
   */
  private switchAll(
    hosts: readonly UndoHost[],
    staged: readonly Staged[],
    living: number,
    publication: Publication,
  ): void {
    const order = [...hosts.keys()].slice(1);
    for (const index of [...order, 0]) {
      const host = hosts[index] as UndoHost;
      const isSafe = index === living;
      if (!isSafe && below(this.random, 5) === 0) host.dieReady(publication);
      else host.commit(staged[index] as Staged, publication, !isSafe);
    }
  }

  private publication({ epoch, nodeId, name }: UndoHost, scope: Scope): Publication {
    const number = ++this.version;
    const names = { epoch, nodeId, number, user: "root", host: name };
    return { ...names, place: ++this.place, timeMs: number, scope };
  }

  private publish(publication: Publication, brings: Tree): void {
    const { paths } = publication.scope;
    this.before.set(idOf(publication), within(this.tree, paths));
    const outside = [...this.tree].filter(([path]) => !isWithin(path, paths));
    this.tree = new Map([...outside, ...brings]);
    this.whole.add(publication, doneWith(""));
  }

  /** Somebody changes files on a host before pushing them. */
  private edit({ member }: UndoHost, top: string): void {
    for (const path of PATHS[top] ?? []) {
      const kind = below(this.random, 4);
      if (kind === 0 || (kind === 1 && path === top)) continue;
      const isThere = member.has(path);
      if (isThere) member.in(directoryOf(path), (parent, disk) => disk.unlink(parent, nameOf(path)));
      if (kind > 1 || path === top) member.put({ [path]: nameOf(path).repeat(++this.version) });
      else member.put({ [`${top}/`]: "" });
    }
    if (!member.has(top)) member.put({ [PATHS[top]?.[0] ?? top]: nameOf(top) });
    member.memory.settle();
  }

  /** What a host has kept is lost, as by the bounds. */
  private loseArea({ name, member, isUp }: UndoHost): void {
    const areas = isUp ? undoAreas(member.base, member.rules) : [];
    const area = areas[below(this.random, Math.max(1, areas.length))];
    if (area === undefined) return;
    finish(removeUndoArea(member.base, member.rules, area.name));
    member.memory.settle();
    this.losers.add(name);
  }

  /** All that are up compare their logs, and get what they lack. */
  private heal(): void {
    const up = this.hosts.filter(({ isUp }) => isUp);
    for (const { log } of up)
      for (const other of up) for (const { publication } of other.log.all) log.add(publication, MISSED);
    for (const host of up) {
      // Another host may bring it first.
      if (below(this.random, 4) > 0) host.commitKept();
      for (const server of up) {
        const { log } = host;
        if (server === host || log.missing.length === 0 || server.log.digest !== log.digest) continue;
        const asking = { hostName: host.name, ip: "", labels: [] };
        const positions = server.log.servable(log.missing, [asking]);
        if (positions.length > 0) this.serve(server, host, positions);
      }
    }
  }

  private serve(server: UndoHost, host: UndoHost, positions: readonly number[]): void {
    const publications = positions.map((position) => (server.log.all[position] as Kept).publication);
    const tops = [...new Set(publications.flatMap(({ scope }) => scope.paths))];
    const name = `${server.epoch}-${++this.version}`;
    const origin: Origin = { kind: "catch-up", digest: server.log.digest };
    const staged = host.stage(name, origin, (push) => bring(push, tops, within(server.tree, tops)));
    check(staged.failure === undefined, `${name} cannot bring anything: ${staged.failure?.code}`);
    if (!host.commit(staged, undefined, host.isUp && below(this.random, 4) === 0)) return;
    for (const publication of publications) host.log.add(publication, doneWith(name));
  }

  private judge({ name, log, tree }: UndoHost): void {
    check(log.missing.length === 0 && log.digest === this.whole.digest, `${name} lacks something`);
    check(
      text(tree) === text(this.tree),
      `${name} has\n${text(tree)}\nand by the log it should be\n${text(this.tree)}`,
    );
  }
}

/** Transfers after which a host that dies in one of four has everything. */
const ROUNDS = 40;

/** All publications that a host can take back, or knows to be taken back. */
function knownTo({ log }: UndoHost): Publication[] {
  return [...log.former, ...log.all].map(({ publication }) => publication);
}

function doneWith(list: string) {
  return { atMs: 1, list, reason: "" };
}

function isWithin(path: string, tops: readonly string[]): boolean {
  return tops.some((top) => path === top || path.startsWith(`${top}/`));
}

function within(tree: Tree, tops: readonly string[]): Tree {
  return new Map([...tree].filter(([path]) => isWithin(path, tops)));
}

function text(tree: Tree): string {
  return [...tree]
    .map(([path, contents]) => `${path} ${contents.length}`)
    .sort()
    .join("\n");
}

/** Writes a manifest with everything below some paths; what is not in the tree is deleted. */
function bring(push: Push, tops: readonly string[], tree: Tree): void {
  push.plan({ terms: { deletes: true, isForced: true } });
  const of = (path: string) => {
    if (tree.has(`${path}/`)) return directory(nameOf(path));
    const contents = tree.get(path);
    return contents === undefined ? entry(EntryType.gone, nameOf(path)) : file(nameOf(path), contents.length);
  };
  for (const top of tops) push.bring("", [of(top)]);
  for (const path of [...tree.keys()].filter((one) => one.endsWith("/")).sort()) {
    const here = path.slice(0, -1);
    const children = [...tree.keys()]
      .map((one) => one.replace(/\/$/, ""))
      .filter((one) => one !== "" && directoryOf(one) === here);
    push.bring(here, children.map(of), { isComplete: true });
  }
}
