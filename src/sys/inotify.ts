/** Changes of directories, as the kernel tells them (inotify). */
import fs from "node:fs";
import { cPath } from "./c-string.ts";
import { lastErrno, nativeFunction } from "./native.ts";
import { systemError } from "./system-error.ts";

/**
 * fs.watch() of Node does not do: when the queue of the kernel overflows, it says nothing, and changes are lost. It also turns
 * names that are not UTF-8 into others.
 */

/** Bits of an event; the kernel's numbers. */
export const Change = {
  /** Mode, owner, time or attributes of an entry. */
  attributes: 0x4,
  /** A file that was open for writing was closed. */
  written: 0x8,
  movedFrom: 0x40,
  movedTo: 0x80,
  created: 0x100,
  deleted: 0x200,
  /** The directory itself was deleted or moved. */
  selfDeleted: 0x400,
  selfMoved: 0x800,
  /** Events were lost. */
  overflow: 0x4000,
  /** The directory is not watched any more. */
  ignored: 0x8000,
  /** The entry is a directory. */
  isDirectory: 0x40000000,
} as const;

const WANTED =
  Change.attributes |
  Change.written |
  Change.movedFrom |
  Change.movedTo |
  Change.created |
  Change.deleted |
  Change.selfDeleted |
  Change.selfMoved;

/** Only directories, reached without following a link at the end; and nothing of files that are deleted and still open. */
const FLAGS = 0x01000000 | 0x02000000 | 0x04000000;

const CLOSE_ON_EXEC = 0o2000000;

/** Offsets in a struct inotify_event: watch i32, bits u32, cookie u32, length u32, and the name. */
const BITS = 4;
const NAME_LENGTH = 12;
const NAME = 16;

/** Room for some thousand events of one read. */
const EVENTS_BYTES = 256 * 1024;

/** One change in a watched directory. */
export interface DirectoryEvent {
  /** The directory, by the number that add() gave it. */
  readonly watch: number;
  readonly bits: number;
  /** The entry, a byte string; empty for the directory itself. */
  readonly name: string;
}

interface Calls {
  readonly add: (descriptor: number, path: Uint8Array, bits: number) => number;
  readonly remove: (descriptor: number, watch: number) => number;
}

/** Watches directories. Each has a number, and the same directory always the same one. */
export class Inotify {
  private readonly descriptor: number;
  private readonly calls: Calls;
  /** Directories that are watched, except for those whose end the kernel has told. */
  private readonly watched = new Set<number>();

  private constructor(descriptor: number, calls: Calls) {
    this.descriptor = descriptor;
    this.calls = calls;
    process.on("exit", () => this.wake());
  }

  /**
   * @returns undefined without the FFI library
   * @throws an error with a code, such as EMFILE
   */
  static open(): Inotify | undefined {
    const init = nativeFunction("int inotify_init1(int flags)");
    const add = nativeFunction("int inotify_add_watch(int descriptor, const uint8_t *path, uint32_t bits)");
    const remove = nativeFunction("int inotify_rm_watch(int descriptor, int watch)");
    if (init === undefined || add === undefined || remove === undefined) return undefined;
    const descriptor = init(CLOSE_ON_EXEC);
    if (descriptor < 0) throw systemError("inotify_init1", lastErrno());
    return new Inotify(descriptor, { add, remove });
  }

  /**
   * Watches a directory.
   *
   * @param path a byte string
   * @returns its number
   * @throws an error with a code: ENOSPC if the user may watch no more directories
   */
  add(path: string): number {
    const watch = this.calls.add(this.descriptor, cPath(Buffer.from(path, "latin1")), WANTED | FLAGS);
    if (watch < 0) throw systemError("inotify_add_watch", lastErrno());
    this.watched.add(watch);
    return watch;
  }

  /** Watches a directory no more. */
  remove(watch: number): void {
    this.calls.remove(this.descriptor, watch);
    this.watched.delete(watch);
  }

  /** Waits for events, at least one. One call at a time. */
  read(): Promise<DirectoryEvent[]> {
    const bytes = Buffer.allocUnsafe(EVENTS_BYTES);
    return new Promise((resolve, reject) => {
      fs.read(this.descriptor, bytes, 0, EVENTS_BYTES, null, (error, length) => {
        if (error !== null) {
          reject(error);
          return;
        }
        const events = eventsOf(bytes.subarray(0, length));
        for (const { watch, bits } of events) if ((bits & Change.ignored) !== 0) this.watched.delete(watch);
        resolve(events);
      });
    });
  }

  /**
   * Ends the read that a thread of Node waits in: without that, the process cannot end. A watch that is removed is an event. A
   * directory that is gone has no watch any more, which the kernel may have had no room to tell.
   */
  private wake(): void {
    for (const watch of this.watched) if (this.calls.remove(this.descriptor, watch) === 0) return;
  }
}

function eventsOf(bytes: Buffer): DirectoryEvent[] {
  const events: DirectoryEvent[] = [];
  for (let start = 0; start < bytes.length;) {
    const length = bytes.readUInt32LE(start + NAME_LENGTH);
    const padded = bytes.toString("latin1", start + NAME, start + NAME + length);
    const end = padded.indexOf("\0");
    const name = end === -1 ? padded : padded.slice(0, end);
    events.push({ watch: bytes.readInt32LE(start), bits: bytes.readUInt32LE(start + BITS), name });
    start += NAME + length;
  }
  return events;
}
