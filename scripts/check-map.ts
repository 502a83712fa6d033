/**
 * Holds the map in ARCHITECTURE.md against the source tree; scripts/check-layers.ts runs it in `make lint`.
 *
 * The table of rooms has a row for each layer and for each folder in one; folders further down are part of their room.
 * The table of questions answers each with a file. Every file that the document names is there: a name with a folder
 * lies below src/ or in the project. A name without one lies in the room of its row, or in the folder of the file that
 * its row names before it. Outside of the two tables only names of files with a folder are looked at.
 */
import path from "node:path";
import type { SourceFile, Violation } from "./project-files.ts";

const MAP = "ARCHITECTURE.md";

/** The headings of the first columns of the two tables. */
const ROOMS = "room";
const QUESTIONS = "question";

/** A file of the program, or a folder. */
const FILE_NAME = /^[\w./-]+(?:\.ts|\/)$/;

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

/** @param layers their names */
export function checkMap(files: readonly SourceFile[], layers: readonly string[]): Violation[] {
  const map = files.find((file) => file.path === MAP)?.text ?? "";
  const names = new Names(files.map((file) => file.path));
  const rooms = tableOf(map, ROOMS);
  const questions = tableOf(map, QUESTIONS);
  const ofTables = new Set([...rooms, ...questions].map(({ line }) => line));
  for (const { line, cells } of rooms) names.check(line, cells.slice(1).join(" "), `src/${roomOf(cells)}`);
  for (const { line, cells } of questions) names.check(line, cells[1] ?? "", "src");
  for (const [index, text] of map.split("\n").entries())
    if (!ofTables.has(index + 1)) names.check(index + 1, text, undefined);
  return [
    ...checkRooms(rooms, expectedRooms(files, layers)),
    ...questionsWithoutFile(questions),
    ...names.violations,
  ];
}

/** Layers, and the folders in them that hold a file. */
function expectedRooms(files: readonly SourceFile[], layers: readonly string[]): Set<string> {
  const folders = files.flatMap(({ path: file }) => {
    const [top, layer = "", room = "", name] = file.split("/");
    return top === "src" && name !== undefined ? [`${layer}/${room}`] : [];
  });
  return new Set([...layers, ...folders]);
}

function checkRooms(rows: readonly Row[], expected: ReadonlySet<string>): Violation[] {
  const found = rows.map(({ cells }) => roomOf(cells));
  const wrong = rows.flatMap(({ line, cells }, index) => {
    const room = roomOf(cells);
    if (found.indexOf(room) !== index) return [violation(line, `the map has two rows for ${room}`)];
    return expected.has(room) ? [] : [violation(line, `${room} is neither a layer nor a folder in one`)];
  });
  const missing = [...expected].filter((room) => !found.includes(room));
  return [
    ...wrong,
    ...missing.map((room) => violation(rows[0]?.line ?? 1, `the map has no row for ${room}`)),
  ];
}

function questionsWithoutFile(rows: readonly Row[]): Violation[] {
  if (rows.length === 0) return [violation(1, "the map has no table of questions")];
  return rows
    .filter(({ cells }) => fileNamesIn(cells[1] ?? "").length === 0)
    .map(({ line }) => violation(line, "the question is answered without the name of a file"));
}

/** Looks whether names are those of files. */
class Names {
  readonly violations: Violation[] = [];
  private readonly files: readonly string[];

  constructor(files: readonly string[]) {
    this.files = files;
  }

  /** @param start the folder of names without one; undefined where they are not looked at */
  check(line: number, text: string, start: string | undefined): void {
    let folder = start;
    for (const name of fileNamesIn(text)) {
      const isBare = !name.includes("/");
      if (folder === undefined && (isBare || name.endsWith("/"))) continue;
      const places = new Set(isBare ? [] : [`src/${name}`, name]);
      if (folder !== undefined) places.add(`${folder}/${name}`);
      const place = [...places].find((one) => this.exists(one));
      if (place === undefined)
        this.violations.push(violation(line, `there is no file ${[...places].join(" or ")}`));
      else if (folder !== undefined && !isBare) folder = path.posix.dirname(`${place}.`);
    }
  }

  private exists(place: string): boolean {
    return this.files.some((file) => (place.endsWith("/") ? file.startsWith(place) : file === place));
  }
}

function roomOf(cells: readonly string[]): string {
  const [first = ""] = cells;
  return /^`([^`]+)`$/.exec(first)?.[1] ?? first;
}

/** The names of files and folders that stand in backquotes. */
function fileNamesIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].flatMap(([, name = ""]) => (FILE_NAME.test(name) ? [name] : []));
}

/** The rows of the first table whose first column has this heading. */
function tableOf(text: string, heading: string): Row[] {
  const rows = text.split("\n").map((one, index): Row => {
    const cells = one.startsWith("|") ? one.split("|").slice(1, -1) : [];
    return { line: index + 1, cells: cells.map((cell) => cell.trim()) };
  });
  const start = rows.findIndex(({ cells }) => cells[0] === heading);
  if (start === -1) return [];
  // Under the heading there is a row of dashes.
  const rest = rows.slice(start + 2);
  const end = rest.findIndex(({ cells }) => cells.length === 0);
  return rest.slice(0, end === -1 ? undefined : end);
}

function violation(line: number, sentence: string): Violation {
  return { path: MAP, line, sentence };
}
