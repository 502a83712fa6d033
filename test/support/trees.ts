import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import type { Host } from "./host.ts";
import { must } from "./processes.ts";

/** One line for each entry below the base directory: type, mode, owner, time in nanoseconds, size, link target. */
export async function listing(host: Host): Promise<string> {
  const format = "%P %y %m %u %g %T@ %s %l\\n";
  const script = `cd "$1" && find . -ignore_readdir_race -mindepth 1 -path ./.makuosan -prune -o \\( -type d -printf '${format.replace("%s ", "")}' -o -printf '${format}' \\) | LC_ALL=C sort`;
  return must("sh", ["-c", script, "sh", host.base]);
}

/** The differences between the trees of two hosts: metadata first, then contents; empty if there are none. */
export async function sameTrees(a: Host, b: Host, exactTimes = true): Promise<string> {
  const [one, listed] = await Promise.all([listing(a), listing(b)]);
  const other = exactTimes ? listed : withTimesOf(one, listed);
  if (one !== other) {
    const lines = new Set(other.split("\n"));
    return (
      one
        .split("\n")
        .filter((line) => !lines.has(line))
        .slice(0, 5)
        .join("\n") || "superfluous entries"
    );
  }
  return must("sh", [
    "-c",
    'diff -r --no-dereference -x .makuosan "$1" "$2" | head -5',
    "sh",
    a.base,
    b.base,
  ]);
}

/** A time of last change in a line of listing(): seconds, and ten digits after the point. */
const TIME = / (\d+)\.(\d{9})0 /;

/** The largest error of times that are set with Node's own calls: a microsecond. */
const ROUNDING_NS = 1000n;

/** The second listing with the times of the first, line by line, wherever they are the same except for the rounding. */
function withTimesOf(first: string, second: string): string {
  const wanted = first.split("\n");
  return second
    .split("\n")
    .map((line, index) => {
      const [time, close] = [TIME.exec(line), TIME.exec(wanted[index] ?? "")];
      if (time === null || close === null) return line;
      const distance = nanoseconds(time) - nanoseconds(close);
      return distance <= ROUNDING_NS && -distance <= ROUNDING_NS ? line.replace(time[0], close[0]) : line;
    })
    .join("\n");
}

function nanoseconds([, seconds, fraction]: RegExpExecArray): bigint {
  return BigInt(`${seconds}${fraction}`);
}

/** Fills a directory with files of random bytes: `directories` times `files`, with sizes around `bytes`. */
export function makeTree(base: string, directories: number, files: number, bytes: number): void {
  for (let directory = 1; directory <= directories; directory++) {
    fs.mkdirSync(path.join(base, `d${directory}`), { recursive: true });
    for (let file = 1; file <= files; file++) {
      const size = (directory * 7919 + file * 104_729) % (2 * bytes);
      fs.writeFileSync(path.join(base, `d${directory}`, `f${file}`), crypto.randomBytes(size));
    }
  }
}

export function makeFile(file: string, bytes: number): void {
  const piece = crypto.randomBytes(Math.min(Math.max(bytes, 4), 1 << 20));
  const descriptor = fs.openSync(file, "w");
  for (let written = 0; written < bytes;) {
    piece.writeUInt32LE(written >>> 0, 0);
    written += fs.writeSync(descriptor, piece, 0, Math.min(piece.length, bytes - written));
  }
  fs.closeSync(descriptor);
}

/** Removes a directory with all that is in it, also what is closed to its owner. */
export function removeTree(directory: string): void {
  openDirectories(directory);
  fs.rmSync(directory, { recursive: true, force: true });
}

function openDirectories(directory: string): void {
  try {
    fs.chmodSync(directory, 0o700);
  } catch {
    // It belongs to another user: root alone can remove it, and needs no mode for that.
  }
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) openDirectories(path.join(directory, entry.name));
  }
}
