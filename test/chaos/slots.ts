import fs from "node:fs";
import path from "node:path";

/**
 * The trees of a chaos run: a few slots, each an entry of the base directory. The value of a slot is the number of the push
 * that has made it, so a tree tells which pushes have reached it. A value is a file, a link or a directory with entries:
 * from one to the next, types change and entries go.
 */

export const SLOTS = ["a", "b", "c", "d", "e"] as const;

/** Where values are made, beside the slots; it is not there between two edits. */
const EDIT = ".edit";

/** A value that no single push has made. */
export const MIXTURE = -1;
/** An empty slot. */
export const NOTHING = 0;

/** The time of the files of a push, in seconds. */
const FIRST_SECOND = 1_700_000_000;

/** So many bytes has the file of a push: from none to several blocks. */
const sizeOf = (push: number) => (push * 7919) % 300_000;

/** Puts the value of a push into a slot at once, so that nobody sees half of it. */
export function edit(base: string, slot: string, push: number): void {
  const room = path.join(base, EDIT);
  fs.mkdirSync(room, { recursive: true });
  const made = path.join(room, "new");
  make(made, push);
  for (let number = 0; ; number++) {
    moveIfThere(path.join(base, slot), path.join(room, `old${number}`));
    try {
      fs.renameSync(made, path.join(base, slot));
      break;
    } catch (error) {
      // A transfer has put something there in that moment.
      if (!["ENOTEMPTY", "EEXIST", "EISDIR", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? ""))
        throw error;
    }
  }
  fs.rmSync(room, { recursive: true });
}

function make(place: string, push: number): void {
  if (push % 4 === 0) fs.symlinkSync(`value-${push}`, place);
  else if (push % 4 === 1) writeAt(place, contentsOf(push), push);
  else {
    fs.mkdirSync(path.join(place, "sub"), { recursive: true });
    writeAt(path.join(place, `v${push}`), contentsOf(push), push);
    writeAt(path.join(place, "same"), String(push), push);
    fs.writeFileSync(path.join(place, `sub/w${push}`), "");
  }
}

/** The clock of the kernel stands still for some milliseconds: two hosts would give one time to files of one size. */
function writeAt(file: string, text: string, push: number): void {
  fs.writeFileSync(file, text);
  fs.utimesSync(file, FIRST_SECOND + push, FIRST_SECOND + push);
}

/** The push whose value a slot has. */
export function valueOf(base: string, slot: string): number {
  const place = path.join(base, slot);
  const stats = fs.lstatSync(place, { throwIfNoEntry: false });
  if (stats === undefined) return NOTHING;
  if (stats.isSymbolicLink()) return numberAfter("value-", fs.readlinkSync(place));
  if (stats.isFile()) return pushOfFile(place);
  const names = fs.readdirSync(place).sort();
  const push = numberAfter("v", names.find((name) => /^v\d+$/.test(name)) ?? "");
  const isWhole =
    names.join() === `same,sub,v${push}` &&
    fs.readFileSync(path.join(place, "same"), "utf8") === String(push) &&
    fs.readdirSync(path.join(place, "sub")).join() === `w${push}` &&
    pushOfFile(path.join(place, `v${push}`)) === push;
  return isWhole ? push : MIXTURE;
}

/** All there is below a base directory, if a value is a mixture. */
export function listing(base: string, slot: string): string {
  const place = path.join(base, slot);
  const stats = fs.lstatSync(place, { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true)
    return stats === undefined ? "nothing" : `one entry of ${stats.size} bytes`;
  return fs.readdirSync(place, { recursive: true }).join(" ");
}

function contentsOf(push: number): string {
  return `${push}\n${String(push).repeat(sizeOf(push) / String(push).length)}`;
}

function pushOfFile(file: string): number {
  const text = fs.readFileSync(file, "utf8");
  const push = Number(text.slice(0, text.indexOf("\n")));
  return text === contentsOf(push) ? push : MIXTURE;
}

function numberAfter(start: string, text: string): number {
  return text.startsWith(start) ? Number(text.slice(start.length)) : MIXTURE;
}

function moveIfThere(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
