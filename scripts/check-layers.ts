/**
 * Checks the structure of the source tree; `make lint` runs it.
 *
 * A file may import only the layers below its own. Only src/sys may use koffi, and every other package has its layers
 * as well. No file is longer than MAX_LINES. No file contains words that mean something only on a developer's own
 * machine, or that put work off. scripts/check-map.ts compares the map of ARCHITECTURE.md with the tree.
 *
 * Everything except for main() is pure: a list of files in, a list of violations out.
 */
import { isBuiltin } from "node:module";
import path from "node:path";
import ts from "typescript";
import { readFiles, type SourceFile, type Violation } from "./project-files.ts";
import { checkMap } from "./check-map.ts";

interface Import {
  specifier: string;
  line: number;
}

interface Word {
  pattern: RegExp;
  sentence: string;
}

/** Longer files are hard to take in at once; chosen without measurement. */
export const MAX_LINES = 400;

/** For each layer, the others that it may import. A layer may always import itself. */
const LAYERS: Record<string, readonly string[]> = {
  base: [],
  wire: ["base"],
  engine: ["base", "wire"],
  sys: ["base"],
  tree: ["base", "wire", "sys"],
  net: ["base", "wire", "sys"],
  console: ["base", "wire", "sys"],
  daemon: ["base", "wire", "engine", "sys", "tree", "net", "console"],
  cli: ["base", "wire", "sys", "console"],
  main: ["sys", "daemon", "cli"],
};

/**
 * For each room of a layer, the other rooms of it that it may import. A room may always import itself, and every room
 * may import the files in the layer's own folder, except for those of TOPS.
 */
const ROOMS: Record<string, Readonly<Record<string, readonly string[]>>> = {
  engine: {
    membership: [],
    sender: [],
    receiver: [],
    "catch-up": [],
  },
  tree: {
    reasons: [],
    disk: ["reasons"],
    entries: ["reasons", "disk"],
    scan: ["reasons", "disk", "entries"],
    decide: ["reasons", "disk", "entries"],
    apply: ["reasons", "disk", "entries", "decide"],
  },
  daemon: {
    settings: [],
    service: ["settings"],
    disk: [],
    pump: ["disk"],
    metrics: ["settings", "service"],
    doctor: ["settings", "service", "disk", "pump"],
    "catch-up": ["settings", "service", "disk", "pump"],
    pushes: ["settings", "service", "disk", "pump", "doctor", "catch-up"],
  },
};

/**
 * In tree, only disk calls the kernel. The other rooms may use the types of stats, the errors of calls, a cipher, and zstd.
 * decide sees the tree through a view that cannot change it.
 */
const TREE_KERNEL = "tree/disk";
const TREE_MAY_SEE: readonly string[] = [
  "src/sys/aes-gcm.ts",
  "src/sys/zstd.ts",
  "src/sys/stat.ts",
  "src/sys/stats-rows.ts",
  "src/sys/system-error.ts",
  "src/sys/special-files.ts",
];
const DECIDE_MAY_SEE: readonly string[] = ["src/tree/disk/tree-view.ts", "src/tree/disk/below.ts"];

/** Modules of Node that reach a disk. */
const DISK_MODULES: readonly string[] = ["node:fs", "node:fs/promises", "node:child_process"];

/** Files that connect the rooms of their layer: no room may import them. */
const TOPS: readonly string[] = ["src/engine/node.ts", "src/daemon/main.ts", "src/daemon/daemon.ts"];

/** Layers without I/O and without a clock: they may not even use Node's own modules. */
const PURE_LAYERS: readonly string[] = ["base", "wire", "engine"];

/** For each package in the program, the layers that may import it. */
const PACKAGES: Record<string, readonly string[]> = {
  koffi: ["sys"],
  "cli-progress": ["cli"],
  commander: ["daemon", "cli"],
  ini: ["daemon"],
  pino: ["daemon"],
  "prom-client": ["daemon"],
  "systemd-notify": ["daemon"],
};

const BANNED_WORDS: readonly Word[] = [
  { pattern: /(?<![\w.-])\/work\//, sentence: "names a folder of one developer's machine" },
  { pattern: /\.library\b/, sentence: "names a folder of one developer's machine" },
  { pattern: /\bshared\/(design|style|packaging|hooks)\b/, sentence: "names a note that users do not have" },
  { pattern: /\bissue\s+#/i, sentence: "points at an issue: say here what a reader needs to know" },
  { pattern: /\bpolyglot\b/i, sentence: "names one developer's machine" },
  { pattern: /\bfarm-bench\b/i, sentence: "names one developer's machine" },
  {
    pattern: /(?:\/\/|\/\*|^\s*\*|#|<!--).*\b(?:TODO|FIXME|XXX)\b/,
    sentence: "puts work off: do it, or say what is so and why",
  },
];

/** Files made by tools, and files that have to contain the banned words. */
const MAY_USE_BANNED_WORDS = /(?:^|\/)(?:package-lock\.json|check-layers(?:\.test)?\.ts)$/;

export function checkFiles(files: readonly SourceFile[]): Violation[] {
  const single = files.flatMap((file) => [
    ...checkSize(file),
    ...checkOpening(file),
    ...checkImports(file),
    ...checkWords(file),
  ]);
  return [...single, ...checkCircles(files)];
}

/** Every file of the program must open with a sentence on what it holds. */
function checkOpening(file: SourceFile): Violation[] {
  if (!file.path.startsWith("src/") || !isCode(file.path) || file.path.endsWith(".d.ts")) return [];
  if (/^\/\*\*\s[^]*?\w[^]*?\*\//.test(file.text)) return [];
  return [{ path: file.path, line: 1, sentence: "does not open with a comment that says what it holds" }];
}

/** Files that import each other, directly or through others; each circle is reported once. */
function checkCircles(files: readonly SourceFile[]): Violation[] {
  const imports = new Map(
    files
      .filter((file) => isCode(file.path) && file.path.startsWith("src/"))
      .map((file) => [file.path, importsOf(file.text)] as const),
  );
  const done = new Set<string>();
  const violations: Violation[] = [];
  const visit = (file: string, way: readonly string[]) => {
    if (way.includes(file)) {
      const circle = [...way.slice(way.indexOf(file)), file].join(" -> ");
      violations.push({ path: file, line: 1, sentence: `imports itself over others: ${circle}` });
      return;
    }
    if (done.has(file)) return;
    for (const { specifier } of imports.get(file) ?? [])
      if (specifier.startsWith(".")) visit(resolve(file, specifier), [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return violations;
}

function checkSize(file: SourceFile): Violation[] {
  if (!isCode(file.path)) return [];
  const lines = file.text.replace(/\n$/, "").split("\n").length;
  if (lines <= MAX_LINES) return [];
  return [
    { path: file.path, line: MAX_LINES + 1, sentence: `has ${lines} lines, ${MAX_LINES} are the limit` },
  ];
}

function checkImports(file: SourceFile): Violation[] {
  if (!isCode(file.path) || file.path.startsWith("test/")) return [];
  const layer = layerOf(file.path);
  if (layer === undefined) {
    const layers = Object.keys(LAYERS).join(", ");
    return [{ path: file.path, line: 1, sentence: `lies in no layer: the layers are ${layers}` }];
  }
  return importsOf(file.text).flatMap(({ specifier, line }) => {
    const sentence = objectionTo(layer, file.path, specifier);
    return sentence === undefined ? [] : [{ path: file.path, line, sentence }];
  });
}

function checkWords(file: SourceFile): Violation[] {
  if (MAY_USE_BANNED_WORDS.test(file.path)) return [];
  return file.text.split("\n").flatMap((text, index) =>
    BANNED_WORDS.flatMap(({ pattern, sentence }) => {
      const found = pattern.exec(text);
      if (found === null) return [];
      return [{ path: file.path, line: index + 1, sentence: `"${found[0].trim()}" ${sentence}` }];
    }),
  );
}

/** Every module that the text imports, exports from, imports dynamically, uses in a type or requires. */
function importsOf(text: string): Import[] {
  const imports = ts
    .preProcessFile(text, true, true)
    .importedFiles.map((found) => ({ specifier: found.fileName, line: lineAt(text, found.pos) }));
  // The function of createRequire() can have any name, but TypeScript only recognizes calls of `require`.
  for (const found of text.matchAll(/\b\w+Require\w*\(\s*["']([^"']+)["']\s*\)/g)) {
    imports.push({ specifier: found[1] ?? "", line: lineAt(text, found.index) });
  }
  return imports;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** The objection to this import; undefined if it is allowed. */
function objectionTo(layer: string, importer: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return objectionToFile(layer, importer, resolve(importer, specifier));
  if (layer === "scripts") return undefined;
  if (layer === "tree" && !isKernelRoom(importer) && DISK_MODULES.includes(specifier))
    return `only ${TREE_KERNEL} may import ${specifier}`;
  if (isBuiltin(specifier)) return objectionToBuiltin(layer, specifier);
  return objectionToPackage(layer, specifier);
}

function objectionToFile(layer: string, importer: string, target: string): string | undefined {
  const targetLayer = layerOf(target);
  const isOfKernel = layer === "tree" && targetLayer === "sys" && !TREE_MAY_SEE.includes(target);
  if (isOfKernel && !isKernelRoom(importer)) return `only ${TREE_KERNEL} may import ${target}`;
  if (layer === "scripts") {
    const isAllowed = !target.startsWith("src/") || targetLayer === "base";
    return isAllowed ? undefined : `scripts may import src/base only, not ${target}`;
  }
  if (targetLayer === layer) return objectionToRoom(layer, importer, target);
  const allowed = LAYERS[layer] ?? [];
  if (targetLayer !== undefined && allowed.includes(targetLayer)) return undefined;
  return `${layer} may import ${allowed.join(", ") || "no other layer"}; ${target} is none of it`;
}

function objectionToRoom(layer: string, importer: string, target: string): string | undefined {
  const room = roomOf(importer);
  if (room === undefined) return undefined;
  if (TOPS.includes(target)) return `${target} puts the rooms of ${layer} together, and none may import it`;
  const targetRoom = roomOf(target);
  if (targetRoom === undefined || targetRoom === room) return undefined;
  const rooms = ROOMS[layer] ?? {};
  const allowed = rooms[room] ?? [];
  if (room === "decide" && targetRoom === "disk" && !DECIDE_MAY_SEE.includes(target))
    return `tree/decide sees the tree by ${DECIDE_MAY_SEE.join(" and ")} alone, not by ${target}`;
  if (!Object.hasOwn(rooms, room))
    return `${layer}/${room} is no room: they are ${Object.keys(rooms).join(", ")}`;
  if (allowed.includes(targetRoom)) return undefined;
  return `${layer}/${room} may import ${allowed.join(", ") || "no other room"}; ${target} is none of it`;
}

function isKernelRoom(file: string): boolean {
  return file.startsWith(`src/${TREE_KERNEL}/`);
}

/** The room of a file: the folder below its layer's folder; undefined for a file in the layer's own folder. */
function roomOf(file: string): string | undefined {
  const [, , room, name] = file.split("/");
  return name === undefined ? undefined : room;
}

function objectionToBuiltin(layer: string, specifier: string): string | undefined {
  if (PURE_LAYERS.includes(layer)) return `${layer} is pure and may not import ${specifier}`;
  return specifier.startsWith("node:") ? undefined : `write node:${specifier}`;
}

function objectionToPackage(layer: string, specifier: string): string | undefined {
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  const allowed = Object.hasOwn(PACKAGES, name) ? (PACKAGES[name] ?? []) : [];
  if (allowed.includes(layer)) return undefined;
  if (allowed.length === 0) return `no layer may import the package ${name}`;
  return `only ${allowed.join(" and ")} may import the package ${name}`;
}

function resolve(importer: string, specifier: string): string {
  return path.posix.join(path.posix.dirname(importer), specifier);
}

/** The layer of a path in src/, "scripts" for scripts/, undefined for files without a layer. */
function layerOf(file: string): string | undefined {
  const [top, second, third] = file.split("/");
  if (top === "scripts") return "scripts";
  if (top !== "src" || second === undefined) return undefined;
  const layer = third === undefined ? path.posix.basename(second, ".ts") : second;
  // Only the entry lies beside the folder of its layer.
  const isInPlace = third !== undefined || layer === "main";
  return Object.hasOwn(LAYERS, layer) && isInPlace ? layer : undefined;
}

function isCode(file: string): boolean {
  return /^(?:src|test|scripts)\/.*\.ts$/.test(file);
}

function main(): void {
  const files = readFiles(path.dirname(import.meta.dirname));
  const violations = [...checkFiles(files), ...checkMap(files, Object.keys(LAYERS))];
  for (const { path: file, line, sentence } of violations) console.error(`${file}:${line}: ${sentence}`);
  if (violations.length > 0) process.exitCode = 1;
}

if (import.meta.main) main();
