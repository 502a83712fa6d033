/** The last transfers, in memory and in a file. */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { HistoryEntry, PushedBy, SendResult } from "../../console/protocol.ts";
import type { StatePlace } from "../settings/state-place.ts";
import { UserError } from "../../base/user-error.ts";

/** Most transfers that are kept, in number and in bytes of their lines. */
export const HISTORY_ENTRIES = 1_000;
const HISTORY_BYTES = 8 * 1024 * 1024;

/** A line of the file, and the entry that it stands for. */
interface Kept {
  readonly entry: HistoryEntry;
  readonly line: string;
}

/**
 * The last transfers, sent and received. They are kept in a file of JSON lines, where there is a directory for it: a
 * line is added by one write, and when there are twice too many, the file is written anew beside the old one and takes
 * its place. Nobody waits for that.
 */
export class History {
  private readonly kept: Kept[] = [];
  private keptBytes = 0;
  private readonly file: string | undefined;
  private readonly onFailure: (reason: string) => void;
  private linesInFile = 0;
  private unwritten: string[] = [];
  private writing: Promise<void> | undefined;
  /** Where it is kept, or why it is not. */
  readonly place: string;

  private constructor(file: string | undefined, place: string, onFailure: (reason: string) => void) {
    this.file = file;
    this.place = place;
    this.onFailure = onFailure;
  }

  /**
   * Reads what is there; to be called when the privileges are given up. Lines that are damaged are left out.
   *
   * @param base the base directory: several daemons on a host keep histories of their own
   * @param onFailure told once when the file cannot be written any more
   * @throws UserError where the directory is required and cannot be written
   */
  static open(state: StatePlace, base: string, onFailure: (reason: string) => void): History {
    const name = `history-${crypto.createHash("sha256").update(base).digest("hex").slice(0, 12)}.jsonl`;
    const file = path.join(state.directory, name);
    try {
      fs.accessSync(state.directory, fs.constants.W_OK | fs.constants.X_OK);
      const history = new History(file, file, onFailure);
      for (const line of readLines(file)) history.keep(line);
      // Whoever wrote the file before, the new one is this daemon's own.
      fs.writeFileSync(`${file}.new`, history.text(), { mode: 0o640 });
      fs.renameSync(`${file}.new`, file);
      history.linesInFile = history.kept.length;
      return history;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      if (state.isRequired) {
        throw new UserError(
          `the state directory ${state.directory} cannot be written (${code}): ` +
            "let the daemon's user do that, or name another with --state",
        );
      }
      return new History(
        undefined,
        `in memory only: ${state.directory} cannot be written (${code})`,
        onFailure,
      );
    }
  }

  add(entry: HistoryEntry): void {
    const line = JSON.stringify(entry);
    this.push({ entry, line });
    if (this.file === undefined) return;
    this.unwritten.push(line);
    if (this.unwritten.length > HISTORY_ENTRIES) this.unwritten.shift();
    this.writing ??= this.write(this.file).finally(() => (this.writing = undefined));
  }

  /** The last ones, the newest at the end. */
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
          await fs.promises.appendFile(file, `${lines.join("\n")}\n`);
          this.linesInFile += lines.length;
        }
      } catch (error) {
        this.onFailure((error as NodeJS.ErrnoException).code ?? String(error));
      }
    }
  }

  private async rewrite(file: string): Promise<void> {
    this.linesInFile = this.kept.length;
    await fs.promises.writeFile(`${file}.new`, this.text(), { mode: 0o640 });
    await fs.promises.rename(`${file}.new`, file);
  }

  private text(): string {
    return this.kept.map(({ line }) => `${line}\n`).join("");
  }

  private keep(line: string): void {
    try {
      const entry = JSON.parse(line) as HistoryEntry;
      if (typeof entry.time === "string" && Array.isArray(entry.hosts)) this.push({ entry, line });
    } catch {
      // Half a line, from the moment of a crash.
    }
  }

  private push(kept: Kept): void {
    this.kept.push(kept);
    this.keptBytes += kept.line.length;
    while (this.kept.length > HISTORY_ENTRIES || this.keptBytes > HISTORY_BYTES) {
      this.keptBytes -= this.kept.shift()?.line.length ?? 0;
    }
  }
}

/** Gives a directory that the service manager has made for the daemon to the user that it is going to be. */
export function giveState(state: StatePlace, uid: number, gid: number): void {
  if (state.isManaged && fs.existsSync(state.directory)) fs.lchownSync(state.directory, uid, gid);
}

/** What this node has sent, as an entry. */
export function sentEntry(
  transfer: string,
  from: string,
  result: SendResult,
  by: PushedBy | undefined,
): HistoryEntry {
  const { sentEntries: entries, sentBytes: bytes, exitStatus } = result;
  const durationMs = Math.round(result.durationMs);
  const time = new Date(Date.now() - durationMs).toISOString();
  const hosts = result.hosts.map(({ host, outcome, reason }) => ({ host, outcome, reason }));
  return { time, direction: "sent", transfer, from, by, entries, bytes, durationMs, exitStatus, hosts };
}

/** The lines of a file of ours; none of one that cannot be, or that has grown beyond all bounds. */
function readLines(file: string): string[] {
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0 || size > 4 * HISTORY_BYTES) return [];
  return fs
    .readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}
