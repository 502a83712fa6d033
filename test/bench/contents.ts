import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { below, fraction, SeededRandom } from "../../src/base/random.ts";
import { run } from "../support/processes.ts";
import type { Content } from "./scenario.ts";

/** Makes the files that are pushed. Each kind is made once in a run and copied from then on. */

export const BIG_BYTES: number = 256 * 1024 * 1024;
export const EDITED_BYTES: number = 1024 * 1024 * 1024;
export const TREE_BYTES = 40_000_000;
export const TREE_FILES = 5_000;
const TREE_DIRECTORIES = 250;
/** How far sizes spread: the standard deviation of their logarithm. Half of the files are below 3.5 KB. */
const SIZE_SPREAD = 1.3;

/** The bytes of content, without names and attributes; of an edited file, those of the whole file. */
export function contentBytes(content: Content): number {
  if (content === "edited" || content === "unlike") return EDITED_BYTES;
  return content === "big" || content === "text" ? BIG_BYTES : content === "tree" ? TREE_BYTES : 0;
}

/** Puts what is to be pushed below a directory that is empty. */
export function fill(content: Content, base: string): void {
  if (content === "big") makeBig(path.join(base, "big"));
  else if (content === "text") makeText(path.join(base, "text"));
  else if (content === "edited" || content === "unlike") makeEdited(path.join(base, "image"), EDITS);
  else makeTree(path.join(base, "tree"));
}

/** A tree of empty files, a thousand in each directory. */
export function makeMany(base: string, entries: number): void {
  for (let index = 0; index < entries; index++) {
    const directory: string = path.join(base, `d${Math.floor(index / 1000)}`);
    if (index % 1000 === 0) fs.mkdirSync(directory);
    fs.closeSync(fs.openSync(path.join(directory, `f${index}`), "w"));
  }
}

/** Copies a base directory with all attributes, so that nothing is left to do. */
export async function copy(from: string, to: string): Promise<void> {
  const { status, stderr } = await run("cp", ["-a", `${from}/.`, to]);
  if (status !== 0) throw new Error(`cp: ${stderr}`);
}

/** Removes all that is in a directory. */
export async function clear(base: string): Promise<void> {
  const names: string[] = fs.readdirSync(base).map((name) => path.join(base, name));
  if (names.length > 0) await run("rm", ["-rf", ...names]);
}

/** What differs between two base directories; empty where nothing does. */
export async function difference(from: string, to: string): Promise<string> {
  const { stdout, stderr } = await run("diff", ["-rq", "--no-dereference", "-x", ".makuosan", from, to]);
  return `${stderr}${stdout}`.split("\n")[0] ?? "";
}

/** What a receiver has of an edited file: the version before, or a file of the same name. */
export function fillBefore(content: Content, base: string): void {
  const file: string = path.join(base, "image");
  makeEdited(file, 0, content === "unlike" ? "other" : undefined);
  fs.utimesSync(file, 1000, 1000);
}

/** So many places are edited. In turns, bytes are put in, taken out, and replaced: 1 % of the file together. */
const EDITS = 100;

/**
 * Bytes that nothing repeats in, edited in so many places.
 *
 * @param word other words make other bytes
 */
function makeEdited(file: string, edits: number, word = "image"): void {
  const cipher: crypto.Cipheriv = crypto.createCipheriv("aes-128-ctr", word.padEnd(16), Buffer.alloc(16));
  const descriptor: number = fs.openSync(file, "w");
  const piece: Buffer = Buffer.alloc(1 << 20);
  const everyBytes: number = edits === 0 ? Infinity : EDITED_BYTES / edits;
  let done = 0;
  for (let place = 0; place < EDITED_BYTES; place += piece.length) {
    const bytes: Buffer = cipher.update(piece);
    const isEdited: boolean = Math.floor((place + piece.length) / everyBytes) > done;
    fs.writeSync(descriptor, isEdited ? edited(bytes, done++) : bytes);
  }
  fs.closeSync(descriptor);
}

/** A hundredth of what is between two edits, put into the middle of a piece, taken out there, or replaced. */
function edited(bytes: Buffer, turn: number): Buffer {
  const length: number = EDITED_BYTES / EDITS / 100;
  const middle: number = bytes.length / 2;
  const put: Buffer = turn % 3 === 1 ? Buffer.alloc(0) : crypto.randomBytes(length);
  return Buffer.concat([
    bytes.subarray(0, middle),
    put,
    bytes.subarray(turn % 3 === 0 ? middle : middle + length),
  ]);
}

function makeBig(file: string): void {
  const descriptor: number = fs.openSync(file, "w");
  const piece: Buffer = Buffer.alloc(1 << 20);
  for (let written = 0; written < BIG_BYTES; written += piece.length) {
    fs.writeSync(descriptor, crypto.randomFillSync(piece));
  }
  fs.closeSync(descriptor);
}

/** The sources of the packages that this project is built with, again and again: the same for one state of the project. */
function makeText(file: string): void {
  const packages: string = path.join(import.meta.dirname, "..", "..", "node_modules");
  const files: string[] = ["typescript", "eslint", "prettier"].flatMap((name) =>
    fs
      .readdirSync(path.join(packages, name), { recursive: true, encoding: "utf8" })
      .filter((found) => /\.(js|cjs|mjs|ts)$/.test(found))
      .sort()
      .map((found) => path.join(packages, name, found)),
  );
  const text: Buffer = Buffer.concat(files.map((one) => fs.readFileSync(one)));
  const descriptor: number = fs.openSync(file, "w");
  for (let written = 0; written < BIG_BYTES; written += text.length)
    fs.writeSync(descriptor, text.subarray(0, BIG_BYTES - written));
  fs.closeSync(descriptor);
}

/** Five thousand files with a log-normal spread of sizes, unevenly in directories up to five deep. */
function makeTree(root: string): void {
  const random: SeededRandom = new SeededRandom(1);
  const directories: string[] = [root];
  while (directories.length < TREE_DIRECTORIES) {
    const parent: string = directories[below(random, directories.length)] ?? root;
    const depth: number = parent.slice(root.length).split("/").length;
    if (depth <= 5) directories.push(path.join(parent, `section-${directories.length}`));
  }
  for (const directory of directories) fs.mkdirSync(directory);
  for (const [index, bytes] of fileSizes(random).entries()) {
    const directory: string = directories[below(random, directories.length)] ?? root;
    fs.writeFileSync(path.join(directory, `page-${index}.html`), crypto.randomBytes(bytes));
  }
}

/** Sizes that are TREE_BYTES together. */
function fileSizes(random: SeededRandom): number[] {
  const weights: number[] = Array.from({ length: TREE_FILES }, () => Math.exp(SIZE_SPREAD * normal(random)));
  const total: number = weights.reduce((sum, weight) => sum + weight, 0);
  const sizes: number[] = weights.map((weight) => Math.floor((weight / total) * TREE_BYTES));
  sizes[0] = (sizes[0] ?? 0) + TREE_BYTES - sizes.reduce((sum, size) => sum + size, 0);
  return sizes;
}

/** A number of the normal distribution, by Box and Muller. */
function normal(random: SeededRandom): number {
  const radius: number = Math.sqrt(-2 * Math.log(1 - fraction(random)));
  return radius * Math.cos(2 * Math.PI * fraction(random));
}
