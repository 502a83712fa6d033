/** The last transfers, in memory and in a file. */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { HistoryEntry, PushedBy, SendResult } from "../../console/protocol.ts";
import { giveDirectory, readOwnFile, replaceFile } from "../../sys/own-files.ts";
import type { StatePlace } from "../settings/state-place.ts";
import { UserError } from "../../base/user-error.ts";
import { parseHistoryLine } from "./history-lines.ts";
import { errorCode } from "../../sys/system-error.ts";

/**
 * Most transfers that are kept, in number and in bytes of their lines. With a few hosts a thousand lines are a file of some
 * 300 KB, which a start reads at once. A line names each host, so with thousands of hosts the bytes are the bound: all
 * lines are in memory too.
 */
export const HISTORY_ENTRIES = 1_000;
const HISTORY_BYTES = 8 * 1024 * 1024;

/** The group may read the file: it says nothing that msync does not say to its members. */
const FILE_MODE = 0o640;

/** Files can be made and replaced in a directory. */
const WRITABLE = fs.constants.W_OK | fs.constants.X_OK;

/** Nobody else's link in the place of the file is followed, and no FIFO there is waited for. */
const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = fs.constants;
const APPEND = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;

/**
 * The files of the daemon in the state directory: the history, the log of publications with its lists (catch-up/), and the id of the node
 * (service/node-identity.ts).
 */
const STATE_FILES =
  /^(node-id|(history|publications)-[0-9a-f]{12}\.jsonl|published-[0-9a-f]{12}-[0-9a-f]{16}-\d+(\.removed)?)$/;

/** An entry, and its line in the file. */
interface Kept {
  readonly entry: HistoryEntry;
  readonly line: string;
}

/**
 * The last transfers, sent and received. If there is a state directory, they are kept in a file of JSON lines too: each
 * line is added by one write. When the file has twice the lines that are kept, a new one is written beside it and takes its
 * place. No transfer waits for that.
 */
export class History {
  private readonly kept: Kept[] = [];
  private keptBytes = 0;
  private readonly file: string | undefined;
  private readonly onFailure: (reason: string) => void;
  private linesInFile = 0;
  private unwritten: string[] = [];
  private writing: Promise<void> | undefined;
  /** The path of the file, or the reason why there is none. */
  readonly place: string;

  private constructor(file: string | undefined, place: string, onFailure: (reason: string) => void) {
    this.file = file;
    this.place = place;
    this.onFailure = onFailure;
  }

  /**
   * Reads the file of an earlier run; to be called when the privileges are dropped. Damaged lines are left out.
   *
   * @param base the base directory: each daemon on a host has a history for itself
   * @param onFailure called with the error code of each write that fails
   * @throws UserError if the directory is required and cannot be written
   */
  static open(state: StatePlace, base: string, onFailure: (reason: string) => void): History {
    const name = `history-${crypto.createHash("sha256").update(base).digest("hex").slice(0, 12)}.jsonl`;
    const file = path.join(state.directory, name);
    let place = state.directory;
    try {
      fs.accessSync(state.directory, WRITABLE);
      place = file;
      const history = new History(file, file, onFailure);
      for (const line of readLines(file)) history.keep(line);
      // A new file belongs to the user that the daemon runs as now, whatever user wrote the old one.
      replaceFile(file, history.text(), FILE_MODE);
      history.linesInFile = history.kept.length;
      return history;
    } catch (error) {
      const code = errorCode(error);
      if (state.isRequired) throw place === file ? cannotReplace(file, code) : cannotWrite(state, code);
      return new History(undefined, `in memory only: ${place} cannot be written (${code})`, onFailure);
    }
  }

  /** Adds an entry, and begins to write it. */
  add(entry: HistoryEntry): void {
    const line = JSON.stringify(entry);
    this.push({ entry, line });
    if (this.file === undefined) return;
    this.unwritten.push(line);
    if (this.unwritten.length > HISTORY_ENTRIES) this.unwritten.shift();
    this.writing ??= this.write(this.file).finally(() => (this.writing = undefined));
  }

  /** The last entries, the newest at the end. */
  last(count: number): HistoryEntry[] {
    return count === 0 ? [] : this.kept.slice(-count).map(({ entry }) => entry);
  }

  /** Resolves when everything is written. */
  async flush(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
  }

  private async write(file: string): Promise<void> {
    while (this.unwritten.length > 0) {
      const lines = this.unwritten;
      this.unwritten = [];
      try {
        if (this.linesInFile + lines.length > 2 * HISTORY_ENTRIES) await this.rewrite(file);
        else {
          await fs.promises.appendFile(file, `${lines.join("\n")}\n`, { flag: APPEND });
          this.linesInFile += lines.length;
        }
      } catch (error) {
        this.onFailure(errorCode(error));
      }
    }
  }

  private async rewrite(file: string): Promise<void> {
    this.linesInFile = this.kept.length;
    await fs.promises.rm(`${file}.new`, { force: true });
    await fs.promises.writeFile(`${file}.new`, this.text(), { flag: "wx", mode: FILE_MODE });
    await fs.promises.rename(`${file}.new`, file);
  }

  private text(): string {
    return this.kept.map(({ line }) => `${line}\n`).join("");
  }

  private keep(line: string): void {
    const entry = parseHistoryLine(line);
    if (entry !== undefined) this.push({ entry, line: JSON.stringify(entry) });
  }

  private push(kept: Kept): void {
    this.kept.push(kept);
    this.keptBytes += kept.line.length;
    while (this.kept.length > HISTORY_ENTRIES || this.keptBytes > HISTORY_BYTES) {
      this.keptBytes -= this.kept.shift()?.line.length ?? 0;
    }
  }
}

/**
 * Gives the state directory to the user that the daemon becomes, if the service manager has made it. If that fails, as on a
 * read-only file system, the daemon works without it: everything that is kept there says so.
 */
export function giveState(state: StatePlace, uid: number, gid: number): void {
  if (!state.isManaged || !fs.existsSync(state.directory)) return;
  try {
    giveDirectory(state.directory, STATE_FILES, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

/** The entry of a transfer that this node has sent. */
export function sentEntry(
  transfer: string,
  from: string,
  result: SendResult,
  by: PushedBy | undefined,
  isCatchUp: boolean,
): HistoryEntry {
  const { sentEntries: entries, sentBytes: bytes, savedBytes, exitStatus } = result;
  const durationMs = Math.round(result.durationMs);
  const time = new Date(Date.now() - durationMs).toISOString();
  const reached = result.hosts.map(({ host, outcome, reason }) => ({ host, outcome, reason }));
  const missing = result.missing.map(({ host, address, reason }) => {
    return { host: host === "" ? address : host, outcome: "failed" as const, reason };
  });
  const hosts = [...reached, ...missing];
  const kind = {
    ...(isCatchUp ? { isCatchUp } : {}),
    ...(result.undoes === undefined ? {} : { undoes: result.undoes }),
  };
  const amount = { entries, bytes, savedBytes };
  return { time, direction: "sent", ...kind, transfer, from, by, ...amount, durationMs, exitStatus, hosts };
}

/**
 * The lines of a file; none if it is missing, or larger than twice the most that this program writes: something else has
 * written there.
 */
function readLines(file: string): string[] {
  const text = readOwnFile(file, 4 * HISTORY_BYTES)?.toString("utf8") ?? "";
  return text.split("\n").filter((line) => line !== "");
}

/**
 * Checks that the history can be kept.
 *
 * @throws UserError
 */
export function checkState(state: StatePlace): void {
  try {
    fs.accessSync(state.directory, WRITABLE);
  } catch (error) {
    throw cannotWrite(state, (error as NodeJS.ErrnoException).code);
  }
}

/** The directory can be written, but not this file: the disk is full, or a directory is in its place. */
function cannotReplace(file: string, code: string): UserError {
  return new UserError(
    `the history ${file} cannot be written (${code}): make space, remove what is in its place, or name another directory with --state`,
  );
}

function cannotWrite({ directory }: StatePlace, code: string | undefined): UserError {
  return new UserError(
    `the state directory ${directory} cannot be written (${code}): ` +
      "let the daemon's user do that, or name another with --state",
  );
}
