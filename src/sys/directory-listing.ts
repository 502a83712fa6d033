/** The names in a directory, piece by piece (getdents64). */
import fs from "node:fs";
import os from "node:os";
import { lastErrno, lazyFunction } from "./native.ts";
import { systemError } from "./system-error.ts";

/**
 * Node lists directories of any size only together with the types of their entries. Where the file system keeps no
 * types, as ext4 and XFS without `ftype` and some of FUSE, Node looks at every entry by its path: names that are not
 * UTF-8 and entries that vanish meanwhile then end the listing. This listing has names alone, as bytes.
 */

/** Room for the answer of one call: some 800 names, the size that the C library uses. */
const ANSWER_BYTES = 32 * 1024;

/** Offsets in a struct linux_dirent64: inode u64, offset u64, length u16, type u8, name with a NUL. */
const RECORD_LENGTH = 16;
const TYPE = 18;
const NAME = 19;

/** DT_UNKNOWN and DT_DIR: the types of what may be a directory. */
const MAY_BE_DIRECTORY: readonly (number | undefined)[] = [0, 4];

/**
 * All names in a directory except for `.` and `..`, as byte strings and in no order. Several listings may run at the
 * same time.
 *
 * @param path of the directory; it is open until the end of the listing
 * @param isMarked whether names of entries end with a slash that are directories, or may be
 * @throws an error with a code, as node:fs does
 */
export function* listNames(path: string, isMarked = false): Generator<string> {
  const call = getdents64();
  if (call === undefined) {
    for (const name of namesAtOnce(path)) yield isMarked ? `${name}/` : name;
    return;
  }
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    for (;;) {
      const bytes = call(descriptor, answer, ANSWER_BYTES);
      // A directory that was removed while it is open has no names: the C library takes this error for the end, too.
      if (bytes === 0 || (bytes < 0 && lastErrno() === os.constants.errno.ENOENT)) return;
      if (bytes < 0) throw systemError("getdents64", lastErrno());
      yield* namesOf(answer.subarray(0, bytes), isMarked);
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Without the call: without types, so that Node has no reason to look at the entries; it needs room for all names. */
function namesAtOnce(path: string): string[] {
  return fs.readdirSync(path, { encoding: "buffer" }).map((name) => name.toString("latin1"));
}

const answer = Buffer.from(new SharedArrayBuffer(ANSWER_BYTES));

/** All of an answer at once: another listing may use its memory next. */
function namesOf(records: Buffer, isMarked: boolean): string[] {
  const names: string[] = [];
  for (let start = 0; start < records.length; start += records.readUInt16LE(start + RECORD_LENGTH)) {
    let end = start + NAME;
    while (records[end] !== 0) end++;
    const name = records.toString("latin1", start + NAME, end);
    if (name === "." || name === "..") continue;
    names.push(isMarked && MAY_BE_DIRECTORY.includes(records[start + TYPE]) ? `${name}/` : name);
  }
  return names;
}

/** The C library has it from version 2.30 on. */
const getdents64 = lazyFunction("int64_t getdents64(int, void *, size_t)");
