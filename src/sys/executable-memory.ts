/** The program's own file, as it lies in this process's memory. */
import fs from "node:fs";
import { nativeFunction } from "./native.ts";
import { orElse } from "./system-error.ts";

const MADV_DONTNEED = 4;
const MADV_DONTDUMP = 16;

/** As much as Linux takes of a file into the memory of a process at once, unless it holds the file in larger pieces. */
const PIECE_BYTES = 64n * 1024n;

/** The first line of a mapping: its start, its end, its rights, its offset in the file, and the file. */
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ [0-9]+ *(.*)$/;

interface Part {
  readonly start: bigint;
  readonly bytes: bigint;
}

/** The parts of the program that have never been written. They stay where they are for as long as the process lives. */
let parts: readonly Part[] | undefined;

/**
 * Takes the executable out of this process's memory. Most of it is needed for the start alone; what is needed again comes back
 * from the kernel's memory of the file as it is used. Only parts that have never been written are taken, so nothing gets
 * lost. Without the library nothing happens, and nothing where the kernel does not tell what the parts are, such as one without
 * /proc/self/smaps, or for a process that can open no more files.
 */
export function releaseExecutable(): void {
  const madvise = nativeFunction("int madvise(uintptr_t, size_t, int)");
  if (madvise === undefined) return;
  if (parts === undefined) {
    parts = orElse(undefined, unwrittenParts);
    for (const { start, bytes } of parts ?? []) {
      // Neighbours that differ in what a dump has of them (there are no dumps of this process) are mappings of their own. A
      // kernel that holds the file in pieces of half a megabyte takes a whole one into memory for each byte that is
      // used, but never more than the mapping.
      for (let offset = 0n; offset < bytes; offset += 2n * PIECE_BYTES) {
        const rest = bytes - offset;
        madvise(start + offset, rest < PIECE_BYTES ? rest : PIECE_BYTES, MADV_DONTDUMP);
      }
    }
  }
  for (const { start, bytes } of parts ?? []) madvise(start, bytes, MADV_DONTNEED);
}

/**
 * V8 has a copy of its own functions for each thread, from the same file. They are left out: when a thread has ended, there may be
 * anything in the place of its copy.
 */
function unwrittenParts(): Part[] {
  const executable = fs.readlinkSync("/proc/self/exe");
  const found: Part[] = [];
  let part: Part | undefined;
  let lastOffset = -1;
  let isUnwritten = false;
  for (const line of fs.readFileSync("/proc/self/smaps", "latin1").split("\n")) {
    const [, first, end, rights = "", offset = "", file] = MAPPING.exec(line) ?? [];
    if (first !== undefined) {
      part = undefined;
      if (file !== executable) continue;
      // The parts of the program are in the order of the file. Copies follow, from the middle of the file again.
      if (parseInt(offset, 16) < lastOffset) break;
      lastOffset = parseInt(offset, 16);
      const start = BigInt(`0x${first}`);
      if (/^r-[x-]p$/.test(rights)) part = { start, bytes: BigInt(`0x${end}`) - start };
    } else if (/^Anonymous:/.test(line)) isUnwritten = / 0 kB$/.test(line);
    // Memory that was written may be on a swap device, and counts only there then. This line comes after the other one.
    else if (part !== undefined && isUnwritten && /^Swap: +0 kB$/.test(line)) found.push(part);
  }
  return found;
}
