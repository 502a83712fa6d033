/** The log of publications as a file in the state directory, with the lists of paths beside it. */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { ByteReader } from "../../base/bytes.ts";
import { bytesOfHex, hexOf } from "../../base/hex.ts";
import type { Here, Kept, PublicationLog } from "../../engine/catch-up/publication-log.ts";
import { SET_BACK_MS } from "./effect-times.ts";
import { readListFile } from "../disk/list-files.ts";
import { readOwnFile, replaceFile } from "../../sys/own-files.ts";
import { errorCode } from "../../sys/system-error.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import { REMOVED } from "../disk/transfer-record.ts";
import { decodePublication, encodePublication } from "../../wire/publication.ts";

/** The group may read it: it says nothing that the history does not say. */
const FILE_MODE = 0o640;

/** The version of the format. A file of a higher one is put aside. */
const FORMAT = 1;

/** Lines beyond those that are needed before the file is written again. */
const SPARE_LINES = 200;

/** Most bytes of all lists; the oldest are removed first. Then this host cannot hand on what they name. */
const LIST_BYTES = 256 * 1024 * 1024;

/** Far more than all lines take: a larger file is something else. */
const MOST_BYTES = 512 * 1024 * 1024;

/** Each line is durable when its write ends. Nobody else's link in the place of the file is followed. */
const { O_APPEND, O_DSYNC, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = fs.constants;
const APPEND = O_WRONLY | O_APPEND | O_DSYNC | O_NOFOLLOW | O_NONBLOCK;

/** A log as it was found at the start. */
export interface FoundLog {
  readonly log: PublicationLog;
  /** Whether it was kept over the last stop. */
  readonly isIntact: boolean;
  /** The epoch of the node before that stop; undefined if it was not. */
  readonly lastEpoch: string | undefined;
  /** What is wrong with it, as a sentence for people; undefined if nothing is. */
  readonly problem: string | undefined;
}

/**
 * The file of the log: a header, then a line for each change of a publication, each with a checksum before it. A line is added
 * by one write, which is durable when it ends. A line that cannot be read is taken for unknown: then this host lacks something rather
 * than claiming to have it.
 */
export class PublicationFile {
  private readonly directory: string;
  private readonly name: string;
  private readonly header: string;
  private readonly onFailure: (code: string) => void;
  private handle: Promise<fs.promises.FileHandle> | undefined;
  private lines = 0;
  /** Whether a write has failed, so that the last line may be cut off. */
  private isSpoiled = false;
  private last: Promise<void> = Promise.resolve();
  /** When the last push took effect that is not in the log, as `atMs` of those that are; 0 if there was none. */
  unloggedMs = 0;
  readonly found: FoundLog;

  /**
   * Opens the file of a base directory; to be called when the privileges are dropped.
   *
   * @param directory of the state
   * @param epoch of this node from now on
   * @param log an empty one
   * @param onFailure called with the error code of each write that fails
   * @throws an error with a code, and its path, if the directory or the file cannot be written
   */
  constructor(
    directory: string,
    base: string,
    epoch: string,
    log: PublicationLog,
    onFailure: (code: string) => void,
  ) {
    const hash = crypto.createHash("sha256").update(base).digest("hex").slice(0, 12);
    fs.accessSync(directory, fs.constants.W_OK | fs.constants.X_OK);
    this.directory = directory;
    this.name = hash;
    this.onFailure = onFailure;
    this.header = JSON.stringify({ format: FORMAT, base: nameOfDirectory(base), epoch });
    this.found = this.read(log, base);
    log.expire(Date.now());
    const latestMs = Date.now() + SET_BACK_MS;
    this.unloggedMs = Math.min(this.unloggedMs, latestMs);
    const wrong = log.distrust(latestMs);
    if (wrong > 0) {
      const told = `the clock of this host was set back, so it does not hand on ${wrong} of its pushes: push them again, if hosts lack them`;
      const { problem } = this.found;
      this.found = { ...this.found, problem: problem === undefined ? told : `${problem}; ${told}` };
    }
    this.rewrite(log);
    this.removeLists(log);
  }

  /** The beginning of the path of each list. */
  get lists(): string {
    return path.join(this.directory, `published-${this.name}-`);
  }

  get path(): string {
    return path.join(this.directory, `publications-${this.name}.jsonl`);
  }

  /**
   * The paths that are gone because a push was taken back.
   *
   * @param list of the publication that has taken it back
   * @returns none if they cannot be read: what the list says of them is then found to be lacking
   */
  removedBy(list: string): string[] {
    try {
      const text = readListFile(this.lists + list + REMOVED).toString("latin1");
      return text.split("\0").filter((one) => one !== "");
    } catch (error) {
      errorCode(error);
      return [];
    }
  }

  /** Writes the state of publications; resolves when that is durable, or has failed. */
  add(log: PublicationLog, kept: readonly Kept[]): Promise<void> {
    return this.write(
      log,
      [...kept, ...log.takeOvertaken()].map((one) => lineOf(one)),
    );
  }

  /** Writes that a push has taken effect that is not in the log; resolves as add() does. */
  noteUnlogged(log: PublicationLog, atMs: number): Promise<void> {
    this.unloggedMs = atMs;
    return this.write(log, [unloggedLine(atMs)]);
  }

  private write(log: PublicationLog, added: readonly string[]): Promise<void> {
    this.lines += added.length;
    const write = async () => {
      try {
        if (this.lines > log.all.length + SPARE_LINES || (await this.isLost())) {
          await this.closeHandle();
          this.rewrite(log);
          this.removeLists(log);
          this.isSpoiled = false;
          return;
        }
        this.handle ??= fs.promises.open(this.path, APPEND);
        const bytes = Buffer.from(added.join(""), "latin1");
        const { bytesWritten } = await (await this.handle).write(bytes);
        // A disk that gets full takes a part of a line, and calls that no error.
        if (bytesWritten < bytes.length) throw Object.assign(new Error(this.path), { code: "ENOSPC" });
      } catch (error) {
        this.isSpoiled = true;
        await this.closeHandle().catch(errorCode);
        this.onFailure(errorCode(error));
      }
    };
    this.last = this.last.then(write);
    return this.last;
  }

  /** Whether the file has to be written as a whole: its end is not known, or somebody has removed it. */
  private async isLost(): Promise<boolean> {
    const handle = await this.handle;
    return this.isSpoiled || (handle !== undefined && fs.fstatSync(handle.fd).nlink === 0);
  }

  private async closeHandle(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    await (await handle)?.close();
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await this.last;
    await this.closeHandle();
  }

  private read(log: PublicationLog, base: string): FoundLog {
    const lost = { log, isIntact: false, lastEpoch: undefined };
    if (fs.lstatSync(this.path, { throwIfNoEntry: false }) === undefined) {
      const problem = this.hasLists()
        ? `${this.path} is gone: this host gets all pushes once more`
        : undefined;
      return { ...lost, problem };
    }
    const text = this.text();
    if (text instanceof Error) return { ...lost, problem: this.putAside(text.message) };
    const lines = text.split("\n");
    const rest = lines.pop() ?? "";
    const header = parse(lines.shift() ?? "");
    if (header?.["format"] !== FORMAT) {
      const isNewer = typeof header?.["format"] === "number";
      return { ...lost, problem: this.putAside(isNewer ? "is from a newer version" : "is damaged") };
    }
    const isGood = lines.map((line) => this.take(line, log));
    if (isGood.includes(false)) return { ...lost, problem: this.forget(log, "is damaged") };
    if (header["base"] !== parse(this.header)?.["base"]) {
      const problem = this.forget(log, "is about another base directory, which had this path before");
      return { ...lost, problem };
    }
    // A new file system, or a command that has removed everything.
    if (log.all.some(({ here }) => here.atMs !== undefined) && isEmpty(base)) {
      const problem = this.forget(log, `tells of pushes, and the base directory ${base} is empty`);
      return { ...lost, problem };
    }
    const problem =
      rest === "" ? undefined : `${this.path} ends in the middle of a line: the last push may come once more`;
    const { epoch } = header;
    return { log, isIntact: true, lastEpoch: typeof epoch === "string" ? epoch : undefined, problem };
  }

  /** @returns false if the line is damaged */
  private take(line: string, log: PublicationLog): boolean {
    const fields = fieldsOf(line);
    const atMs = fields?.["unloggedMs"];
    if (typeof atMs === "number") this.unloggedMs = atMs;
    return typeof atMs === "number" || (fields !== undefined && restore(fields, log));
  }

  /** Whether an earlier start has left something that belongs to a log. */
  private hasLists(): boolean {
    const prefix = path.basename(this.lists);
    return fs.readdirSync(this.directory).some((name) => name.startsWith(prefix));
  }

  /** @returns what is in the file; an error that says why it cannot be read */
  private text(): string | Error {
    try {
      return readOwnFile(this.path, MOST_BYTES)?.toString("latin1") ?? new Error("is no file, or a huge one");
    } catch (error) {
      return new Error(`cannot be read (${errorCode(error)})`);
    }
  }

  private putAside(why: string): string {
    const aside = `${this.path}.unread`;
    // Something may be there from an earlier time; nobody has asked for it since.
    fs.rmSync(aside, { recursive: true, force: true });
    fs.renameSync(this.path, aside);
    return `${this.path} ${why}, and is ${aside} now: this host gets all pushes once more`;
  }

  private forget(log: PublicationLog, why: string): string {
    log.forgetEffects();
    return `${this.path} ${why}: this host gets all pushes once more`;
  }

  private rewrite(log: PublicationLog): void {
    const former = log.former.map((one) => lineOf(one, { isFormer: true }));
    const unlogged = this.unloggedMs === 0 ? [] : [unloggedLine(this.unloggedMs)];
    const lines = [...former, ...log.all.map((one) => lineOf(one)), ...unlogged];
    replaceFile(this.path, `${this.header}\n${lines.join("")}`, FILE_MODE);
    this.lines = log.all.length;
  }

  /** Removes lists that no publication needs any more. What a list that is gone has named cannot be handed on. */
  private removeLists(log: PublicationLog): void {
    const used = new Set(log.all.flatMap(({ here }) => [here.list, here.list + REMOVED]));
    const prefix = path.basename(this.lists);
    const lists = fs
      .readdirSync(this.directory)
      .filter((name) => name.startsWith(prefix))
      .map((name) => ({ name, stats: fs.lstatSync(path.join(this.directory, name)) }))
      .sort((a, b) => b.stats.mtimeMs - a.stats.mtimeMs);
    const left = new Set<string>();
    let bytes = 0;
    for (const { name, stats } of lists) {
      bytes += stats.size;
      // One that is being written is not in the log yet.
      const isNew = Date.now() - stats.mtimeMs < 60_000;
      if ((used.has(name.slice(prefix.length)) || isNew) && bytes <= LIST_BYTES)
        left.add(name.slice(prefix.length));
      else fs.rmSync(path.join(this.directory, name), { recursive: true, force: true });
    }
    log.keepLists(left);
  }
}

/** Whether a base directory has nothing that somebody may have pushed. One that cannot be read may have. */
function isEmpty(base: string): boolean {
  let directory: fs.Dir | undefined;
  try {
    directory = fs.opendirSync(base);
    // The first other name ends it: a base directory may have a million of them.
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync())
      if (entry.name !== STAGING_NAME && entry.name !== "lost+found") return false;
    return true;
  } catch (error) {
    errorCode(error);
    return false;
  } finally {
    directory?.closeSync();
  }
}

/** Tells a directory from another one that has taken its path: an empty file system that was mounted there, for example. */
function nameOfDirectory(base: string): string {
  const { ino, birthtimeMs } = fs.statSync(base);
  return `${ino}-${birthtimeMs}`;
}

function lineOf({ publication, here }: Kept, more: { isFormer?: true } = {}): string {
  return withCheck({ publication: hexOf(encodePublication(publication)), here, ...more });
}

function unloggedLine(unloggedMs: number): string {
  return withCheck({ unloggedMs });
}

function withCheck(fields: object): string {
  const text = JSON.stringify(fields);
  return `${checkOf(text)} ${text}\n`;
}

/** @returns undefined if the line is damaged */
function fieldsOf(line: string): Record<string, unknown> | undefined {
  const text = line.slice(9);
  return line.slice(0, 8) === checkOf(text) ? parse(text) : undefined;
}

/** @returns false if these are no fields of a publication */
function restore(fields: Record<string, unknown>, log: PublicationLog): boolean {
  if (typeof fields["publication"] !== "string") return false;
  try {
    const publication = decodePublication(new ByteReader(bytesOfHex(fields["publication"])));
    const here = fields["here"] as Here;
    if (fields["isFormer"] === true) log.addFormer({ publication, here });
    else log.restore(publication, here);
    return true;
  } catch {
    return false;
  }
}

function checkOf(text: string): string {
  return crypto.createHash("sha256").update(text, "latin1").digest("hex").slice(0, 8);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
