/** The unit of the service as its files have it: what the sandbox will let the daemon see, told before it is started. */
import fs from "node:fs";
import path from "node:path";
import { followed } from "../../sys/mounts.ts";

const UNIT = "makuosan.service";

/** The directories of units, the first one that has a file wins; see systemd.unit(5). */
const DIRECTORIES: readonly string[] = [
  ...["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system"],
  ...["/usr/lib/systemd/system", "/lib/systemd/system"],
];

/** Larger files are no units. */
const UNIT_BYTES = 1024 * 1024;

/** The lines of the section [Service]: all values of a key, from the first file to the last. */
export type ServiceUnit = ReadonlyMap<string, readonly string[]>;

/** What keeps the service from a path. */
export interface Restriction {
  readonly isHidden: boolean;
  /** The line that lifts it. */
  readonly line: string;
}

/**
 * Reads the unit with its drop-ins.
 *
 * @param root of the file system
 * @returns undefined if the service is not installed
 */
export function readServiceUnit(root = ""): ServiceUnit | undefined {
  const files = DIRECTORIES.map((directory) => path.join(root, directory, UNIT));
  const main = files.map(readText).find((text) => text !== undefined);
  if (main === undefined) return undefined;
  // Of two drop-ins with one name, that of the earlier directory counts; all are read in the order of their names.
  const dropIns = new Map<string, string>();
  for (const file of files) {
    for (const name of namesIn(`${file}.d`)) if (!dropIns.has(name)) dropIns.set(name, `${file}.d/${name}`);
  }
  const texts = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => readText(file) ?? "");
  return parseUnit([main, ...texts]);
}

/**
 * What keeps the service from using a path.
 *
 * @param writes whether it is to be written
 * @returns undefined if nothing does
 */
export function restrictionOf(unit: ServiceUnit, file: string, writes: boolean): Restriction | undefined {
  const target = followed(file);
  const isAbove = ({ place }: Rule) => target === place || place === "/" || target.startsWith(`${place}/`);
  // The longest path decides, and of the same path the last rule.
  const rule = rulesOf(unit)
    .filter(isAbove)
    .reduce<Rule | undefined>(
      (found, one) => (found === undefined || one.place.length >= found.place.length ? one : found),
      undefined,
    );
  if (rule === undefined || rule.access === "free" || (rule.access === "read" && !writes)) return undefined;
  const line = rule.line === "" ? `ReadWritePaths=${target}` : rule.line;
  return { isHidden: rule.access === "none", line };
}

interface Rule {
  readonly place: string;
  readonly access: "free" | "read" | "none";
  /** The line that lifts it; empty for ReadWritePaths=. */
  readonly line: string;
}

function rulesOf(unit: ServiceUnit): Rule[] {
  const rules: Rule[] = [];
  const add = (access: Rule["access"], line: string, places: readonly string[]) =>
    rules.push(...places.map((place) => ({ place, access, line })));
  const system = valueOf(unit, "ProtectSystem");
  if (system === "strict") add("read", "", ["/"]);
  else if (isOn(system) || system === "full") add("read", "", ["/usr", "/boot", "/efi"]);
  if (system === "full") add("read", "", ["/etc"]);
  if (system === "strict") add("free", "", ["/dev", "/proc", "/sys"]);
  const home = valueOf(unit, "ProtectHome");
  const homes = ["/home", "/root", "/run/user"];
  if (isOn(home) || home === "tmpfs") add("none", "ProtectHome=no", homes);
  if (home === "read-only") add("read", "", homes);
  const temporary = valueOf(unit, "PrivateTmp");
  if (isOn(temporary) || temporary === "disconnected") add("none", "PrivateTmp=no", ["/tmp", "/var/tmp"]);
  add("read", "", pathsOf(unit, "ReadOnlyPaths"));
  add("none", "InaccessiblePaths=", pathsOf(unit, "InaccessiblePaths"));
  add("none", "TemporaryFileSystem=", pathsOf(unit, "TemporaryFileSystem"));
  add("free", "", pathsOf(unit, "ReadWritePaths"));
  add("free", "", pathsOf(unit, "BindPaths"));
  add("read", "", pathsOf(unit, "BindReadOnlyPaths"));
  add("free", "", namesBelow(unit, "StateDirectory", "/var/lib"));
  add("free", "", namesBelow(unit, "RuntimeDirectory", "/run"));
  return rules;
}

function isOn(value: string): boolean {
  return ["yes", "true", "on", "1", "y", "t"].includes(value);
}

function valueOf(unit: ServiceUnit, key: string): string {
  return unit.get(key)?.at(-1)?.toLowerCase() ?? "";
}

/** The values of a list: an empty line forgets those before it. */
function wordsOf(unit: ServiceUnit, key: string): string[] {
  const values = unit.get(key) ?? [];
  return values
    .slice(values.lastIndexOf("") + 1)
    .flatMap((value) => value.match(/"[^"]*"|'[^']*'|\S+/g) ?? [])
    .map((word) => word.replace(/^(["'])(.*)\1$/, "$2"));
}

/** The paths of a list; of SOURCE:DESTINATION:OPTIONS the place that the service sees. */
function pathsOf(unit: ServiceUnit, key: string): string[] {
  const places = wordsOf(unit, key).map((word) => word.replace(/^[-+]+/, "").split(":"));
  return places
    .map(([first = "", second = ""]) => (key.startsWith("Bind") && second !== "" ? second : first))
    .map((place) => (place.length > 1 ? place.replace(/\/+$/, "") : place));
}

function namesBelow(unit: ServiceUnit, key: string, directory: string): string[] {
  return wordsOf(unit, key).map((word) => path.join(directory, word.split(":")[0] ?? ""));
}

function parseUnit(texts: readonly string[]): ServiceUnit {
  const unit = new Map<string, string[]>();
  for (const text of texts) {
    let section = "";
    // A line that ends with a backslash continues.
    for (const line of text.replace(/\\\n/g, " ").split("\n")) {
      section = /^\s*(\[.*\])\s*$/.exec(line)?.[1] ?? section;
      const [, key, value = ""] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (key !== undefined && section === "[Service]") unit.set(key, [...(unit.get(key) ?? []), value]);
    }
  }
  return unit;
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory).filter((name) => name.endsWith(".conf"));
  } catch {
    return [];
  }
}

function readText(file: string): string | undefined {
  try {
    const stats = fs.statSync(file);
    // A unit that is masked is a link to /dev/null.
    return stats.isFile() && stats.size <= UNIT_BYTES ? fs.readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
