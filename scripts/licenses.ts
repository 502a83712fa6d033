/** The licenses of everything in the executable: their texts, for the packages. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { nativeParts, parseArchitecture, ROOT } from "./architecture.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Record<string, string>;
}

/** One text with the licenses of Node and of all packages that the program depends on. */
export function collectLicenses(): string {
  const folders = new Set([nativeParts(parseArchitecture(process.arch)).nodePackage]);
  addDependencies(ROOT, folders);
  const texts = [...folders].map((folder) => {
    const { name, version, license } = readManifest(folder);
    const files = licenseFiles(folder);
    if (files.length === 0 && license === undefined) throw new Error(`${name} comes without a license`);
    const body = files.map((file) => readFileSync(file, "utf8").replaceAll("\r\n", "\n").trimEnd());
    if (body.length === 0) body.push(`License: ${license}`);
    const title = `${name.startsWith("node-linux-") ? "Node.js" : name} ${version}`;
    return `${"=".repeat(80)}\n${title}\n${"=".repeat(80)}\n\n${body.join("\n\n")}\n`;
  });
  return `The executable makuosan contains the following.\n\n${texts.join("\n")}`;
}

/** Adds the folders of all packages that a package depends on, directly or indirectly. */
function addDependencies(folder: string, found: Set<string>): void {
  for (const name of Object.keys(readManifest(folder).dependencies ?? {}).sort()) {
    const dependency = resolvePackage(folder, name);
    if (found.has(dependency)) continue;
    found.add(dependency);
    addDependencies(dependency, found);
  }
}

function resolvePackage(from: string, name: string): string {
  for (let folder = from; folder.startsWith(ROOT); folder = path.dirname(folder)) {
    const candidate = path.join(folder, "node_modules", name);
    if (existsSync(path.join(candidate, "package.json"))) return candidate;
  }
  throw new Error(`the package ${name} is not installed: run make build`);
}

/** The license files of a package, including those of code that it has copied. */
function licenseFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /(?:^|\/)(?:licen[cs]e|copying)(?:\.md|\.txt)?$/i.test(name))
    .filter((name) => !name.includes("node_modules/"))
    .sort()
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile());
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;
}
