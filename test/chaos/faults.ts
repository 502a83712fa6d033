import fs from "node:fs";
import path from "node:path";
import { below, fraction, type Random } from "../../src/base/random.ts";
import type { Host } from "../support/host.ts";
import type { NamespaceFleet } from "../support/namespaces.ts";
import { must, run, sleep } from "../support/processes.ts";

/** Faults of a chaos run: each begins at a random moment, and is over when the round is healed. */

/** The longest of them is longer than a sender waits for a silent member. */
const LONGEST_MS = 7_000;
/** Room of a full disk beyond the part in use. */
const FULL_KIB = 64;
export const ROOM = "64m";

/** What a kill waits for: a name that a transfer gets in the staging area, or nothing. */
const WORDS = ["ready", "commit", "done", undefined] as const;

/** Faults that last for a while; a kill is over at once. */
const LASTING = ["stop", "lose", "cut", "fill"] as const;

export class Faults {
  private readonly fleet: NamespaceFleet;
  private readonly random: Random;
  private readonly killed = new Set<Host>();
  private readonly undo: (() => Promise<unknown> | void)[] = [];
  /** What is done in this round, for the report. */
  plan: string[] = [];

  constructor(fleet: NamespaceFleet, random: Random) {
    this.fleet = fleet;
    this.random = random;
  }

  /** Draws some faults, and lets each begin and end in its time. */
  begin(): Promise<void>[] {
    this.plan = [];
    const running: Promise<void>[] = [];
    for (let count = below(this.random, 5); count > 0; count--) {
      const host = this.fleet.hosts[below(this.random, this.fleet.hosts.length)];
      if (host === undefined) continue;
      const [delayMs, lengthMs] = [this.within(400), this.within(LONGEST_MS)];
      const kind = below(this.random, 2 + LASTING.length);
      if (kind <= 1) this.kill(host, WORDS[below(this.random, WORDS.length)], delayMs);
      else running.push(this.last(LASTING[kind - 2] ?? "stop", host, delayMs, lengthMs));
    }
    return running;
  }

  /** Whether a host has been killed in this round. */
  wasKilled(host: Host): boolean {
    return this.killed.has(host);
  }

  /** Ends all faults, and starts all daemons again. */
  async heal(): Promise<void> {
    for (const undo of this.undo.splice(0)) await undo();
    for (const host of this.killed) {
      await host.stop("SIGKILL");
      await host.start();
    }
    this.killed.clear();
  }

  private within(mostMs: number): number {
    return Math.floor(fraction(this.random) * mostMs);
  }

  private async last(
    fault: (typeof LASTING)[number],
    host: Host,
    delayMs: number,
    lengthMs: number,
  ): Promise<void> {
    this.plan.push(`${fault} ${host.name} at ${delayMs} for ${lengthMs}`);
    await sleep(delayMs);
    const end = await this[fault](host);
    this.undo.push(end);
    await sleep(lengthMs);
    await end();
  }

  private kill(host: Host, word: string | undefined, delayMs: number): void {
    this.plan.push(`kill ${host.name} at ${word ?? delayMs}`);
    const now = () => {
      if (this.killed.has(host)) return;
      this.killed.add(host);
      host.kill("SIGKILL");
    };
    if (word === undefined) {
      const timer = setTimeout(now, delayMs);
      this.undo.push(() => clearTimeout(timer));
    } else this.undo.push(onName(host.base, word, now));
  }

  private stop(host: Host): () => void {
    host.kill("SIGSTOP");
    return () => host.kill("SIGCONT");
  }

  private async lose(host: Host): Promise<() => Promise<void>> {
    await this.fleet.lose(host, 5 + below(this.random, 40));
    return () => this.fleet.loseNothing(host);
  }

  private async cut(host: Host): Promise<() => Promise<unknown>> {
    await host.run("ip", ["link", "set", "eth0", "down"]);
    return () => host.run("ip", ["link", "set", "eth0", "up"]);
  }

  private async fill(host: Host): Promise<() => Promise<unknown>> {
    const { blocks, bfree, bsize } = fs.statfsSync(host.base);
    const sizeKib = Math.ceil(((blocks - bfree) * bsize) / 1024) + FULL_KIB;
    // By then more may be in use: then it stays as it is.
    await run("mount", ["-o", `remount,size=${sizeKib}k`, host.base]);
    return () => must("mount", ["-o", `remount,size=${ROOM}`, host.base]);
  }
}

/** Calls back as soon as a name appears in the staging area of a transfer; returns how to stop looking. */
function onName(base: string, word: string, found: () => void): () => void {
  const watchers = new Map<string, fs.FSWatcher>();
  const watch = (directory: string, depth: number) => {
    if (watchers.has(directory)) return;
    try {
      const watcher = fs.watch(directory, (_, name) => look(directory, depth, name));
      watcher.on("error", () => watcher.close());
      watchers.set(directory, watcher);
      for (const name of fs.readdirSync(directory)) look(directory, depth, name);
    } catch {
      // It is gone again.
    }
  };
  const look = (directory: string, depth: number, name: string | null) => {
    if (name === null) return;
    if (depth === 2) {
      if (name === word) found();
    } else if (depth === 1 || name === ".makuosan") watch(path.join(directory, name), depth + 1);
  };
  watch(base, 0);
  return () => {
    for (const watcher of watchers.values()) watcher.close();
  };
}
