/** Carries out `msync --watch`: pushes what changes, as it changes. */
import fs from "node:fs";
import { ExitStatus, UserError } from "../base/user-error.ts";
import { ConsoleClient } from "../console/client.ts";
import { socketPathOf } from "../console/socket-path.ts";
import { compileExcludes } from "../wire/excludes.ts";
import { joinPath } from "../wire/path-rules.ts";
import { normalizePath, pathsBelowBase } from "../wire/request-paths.ts";
import { type Batch, ChangeSet } from "./change-set.ts";
import { Interrupt } from "./interrupt.ts";
import type { CommandOptions } from "./options.ts";
import { printSentence, printWarning } from "./output.ts";
import { send, waitForMembers } from "./send.ts";
import type { SendOptions } from "./send-options.ts";
import { WatchedTree } from "./watched-tree.ts";

/** A push that failed is repeated after this time, after twice that, and so on up to the longest. */
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 60_000;

/** What the daemon says of itself, as far as a watch has to know it. */
interface Place {
  readonly base: string;
  readonly excludes: readonly string[];
}

/**
 * Pushes the given paths, and from then on all that changes below them, until a signal comes.
 *
 * @returns the exit status
 * @throws UserError if the paths cannot be watched
 */
export async function watch(options: CommandOptions): Promise<number> {
  const watcher = await Watcher.start(options);
  return watcher.run();
}

class Watcher {
  private readonly options: CommandOptions;
  private readonly place: Place;
  private readonly roots: readonly string[];
  private readonly tree: WatchedTree;
  private readonly interrupt: Interrupt;
  private readonly changes = new ChangeSet();
  private restMs = FIRST_REST_MS;
  private hasFailed = false;
  /** Ends the present wait, because something has happened. */
  private wake: () => void = () => undefined;

  private constructor(options: CommandOptions, place: Place, interrupt: Interrupt) {
    this.options = options;
    this.place = place;
    this.interrupt = interrupt;
    interrupt.onHappened = () => this.wake();
    const given = options.paths.length === 0 ? [""] : options.paths;
    const hasEntry = (name: string) => isThere(joinPath(place.base, name));
    this.roots = pathsBelowBase(given, place.base, hasEntry).map(normalizePath);
    const excludes = [...place.excludes, ...options.send.excludes];
    this.tree = new WatchedTree(place.base, this.roots, compileExcludes(excludes, place.base), {
      changed: (path) => this.note(() => this.changes.add(path, performance.now())),
      lost: () => this.note(() => this.changes.addAll(performance.now())),
    });
  }

  static async start(options: CommandOptions): Promise<Watcher> {
    const client = await ConsoleClient.connect(socketPathOf(options.console));
    const interrupt = new Interrupt(client);
    try {
      await waitForMembers(client, options.send);
      return new Watcher(options, await askPlace(client), interrupt);
    } finally {
      client.close();
    }
  }

  async run(): Promise<number> {
    // Something may have changed while nobody watched.
    this.changes.addAll(performance.now());
    if (this.options.send.verbosity > 0)
      printSentence(`watching ${this.tree.size} directories below ${this.place.base}`);
    const watching = this.tree.listen();
    const pushing = this.pushAll();
    await Promise.race([watching, pushing]);
    return this.interrupt.wasCancelled ? ExitStatus.interrupted : ExitStatus.ok;
  }

  private note(change: () => void): void {
    change();
    this.wake();
  }

  /** Pushes one batch after the other. */
  private async pushAll(): Promise<void> {
    while (!this.interrupt.happened) {
      const waitMs = this.changes.dueMs() - performance.now();
      if (waitMs > 0) await this.sleep(waitMs);
      else await this.pushBatch(this.changes.take());
    }
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === Infinity ? undefined : setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async pushBatch(batch: Batch): Promise<void> {
    const failure = await this.push(batch).catch((error: unknown) => {
      if (error instanceof UserError && !(error instanceof EndError)) return error.message;
      throw error;
    });
    if (this.interrupt.happened) return;
    if (failure === undefined) {
      if (this.hasFailed) printWarning("all that had failed has been pushed now");
      this.hasFailed = false;
      this.restMs = FIRST_REST_MS;
      return;
    }
    this.hasFailed = true;
    printWarning(`${failure}; it is tried again in ${this.restMs / 1000} s`);
    this.changes.giveBack(batch, performance.now(), this.restMs);
    this.restMs = Math.min(2 * this.restMs, LONGEST_REST_MS);
  }

  /** @returns why it has to be repeated; undefined if all went well */
  private async push(batch: Batch): Promise<string | undefined> {
    const client = await ConsoleClient.connect(socketPathOf(this.options.console));
    this.interrupt.follow(client);
    try {
      const { base } = await askPlace(client);
      if (base !== this.place.base)
        throw new EndError(`the daemon works on ${base} now: start msync --watch again`);
      let worst = 0;
      for (const [paths, options] of this.requestsOf(batch)) {
        const status = await send(client, paths, options, this.options.json, this.interrupt);
        worst = Math.max(worst, status);
      }
      return worst === 0 ? undefined : "the push failed";
    } finally {
      client.close();
    }
  }

  /** The pushes for a batch, with the rules of each. */
  private requestsOf(batch: Batch): [paths: readonly string[], options: SendOptions][] {
    const { send: options } = this.options;
    const deletes = options.deletes === "also";
    const rules = { ...options, recursive: true, syncs: deletes };
    if (batch.isAll) return [[this.roots, rules]];
    const there = batch.paths.filter((path) => this.tree.exists(path));
    if (!deletes) return there.length === 0 ? [] : [[there, rules]];
    // The daemon takes an empty directory with --delete for one that is not mounted.
    const empty = there.filter((path) => this.isEmptyDirectory(path));
    const gone = batch.paths.filter((path) => !this.tree.exists(path) && this.tree.canBeGone(path));
    const others = [...there.filter((path) => !empty.includes(path)), ...gone];
    const requests: [readonly string[], SendOptions][] = [];
    if (others.length > 0) requests.push([others, rules]);
    if (empty.length > 0) requests.push([empty, { ...rules, deletes: "nothing", syncs: false }]);
    return requests;
  }

  private isEmptyDirectory(path: string): boolean {
    try {
      return fs.readdirSync(Buffer.from(joinPath(this.place.base, path), "latin1")).length === 0;
    } catch {
      return false;
    }
  }
}

/** A watch that makes no sense any more. */
class EndError extends UserError {}

async function askPlace(client: ConsoleClient): Promise<Place> {
  const result = await client.request({ command: "status" }, () => undefined);
  if (result.result === "status" && result.status !== undefined) return result.status;
  throw new UserError("the daemon is of an earlier version: run 'systemctl restart makuosan' for --watch");
}

/** Whether there is an entry, which may be a link to nothing. One that this user may not see is looked at again as it is watched. */
function isThere(path: string): boolean {
  try {
    return fs.lstatSync(Buffer.from(path, "latin1"), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
