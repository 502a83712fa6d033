/**
 * The two architectures that the program is built for, and the native parts of each: two packages of npm, with the
 * versions and the checksums of package-lock.json. npm installs those for this machine in node_modules, and no others.
 * The others are fetched into .foreign/.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { Obstacle, registryAdvice, systemPath, telling } from "./registries.ts";

export const ROOT = path.dirname(import.meta.dirname);
const FOREIGN = path.join(ROOT, ".foreign");

export const ARCHITECTURES = ["x64", "arm64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** The native parts of the executable. */
export interface NativeParts {
  /** The package of Node, with its license. */
  readonly nodePackage: string;
  readonly node: string;
  /** The native half of the FFI library. */
  readonly koffi: string;
}

/** @throws Error for any other name */
export function parseArchitecture(text: string): Architecture {
  const found = ARCHITECTURES.find((one) => one === text);
  if (found !== undefined) return found;
  throw new Error(`the program is built for ${ARCHITECTURES.join(" and ")}, not for ${text}`);
}

/** The folder of the executable for an architecture: dist/ itself for this machine's. */
export function distFolder(architecture: Architecture): string {
  const dist = path.join(ROOT, "dist");
  return architecture === process.arch ? dist : path.join(dist, architecture);
}

/** The native parts for an architecture; fetches those that are missing. */
export function nativeParts(architecture: Architecture): NativeParts {
  const platform = `linux-${architecture}`;
  const modules = architecture === process.arch ? path.join(ROOT, "node_modules") : FOREIGN;
  const names = { node: `node-${platform}`, koffi: `@koromix/koffi-${platform}` };
  if (modules === FOREIGN) for (const name of Object.values(names)) fetchPackage(name);
  const nodePackage = path.join(modules, names.node);
  return {
    nodePackage,
    node: path.join(nodePackage, "bin", "node"),
    koffi: path.join(modules, names.koffi, platform.replace("-", "_"), "koffi.node"),
  };
}

interface LockedPackage {
  readonly version: string;
  readonly integrity: string;
}

/** Fetches a package into .foreign/ unless its locked version is there. */
function fetchPackage(name: string): void {
  const { version, integrity } = lockedPackage(name);
  const folder = path.join(FOREIGN, name);
  const manifest = path.join(folder, "package.json");
  if (existsSync(manifest) && readFileSync(manifest, "utf8").includes(`"version": "${version}"`)) return;
  mkdirSync(FOREIGN, { recursive: true });
  const work = mkdtempSync(path.join(FOREIGN, "fetch-"));
  try {
    pack(`${name}@${version}`, work);
    const [archive = ""] = readdirSync(work);
    const bytes = readFileSync(path.join(work, archive));
    const digest = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    if (digest !== integrity) throw new Error(`${name}@${version} is not what package-lock.json names`);
    run("tar", ["-xzf", path.join(work, archive), "-C", work]);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(path.dirname(folder), { recursive: true });
    renameSync(path.join(work, "package"), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Fetches the archive of a package into a folder, by npm of the system. */
function pack(spec: string, folder: string): void {
  const args = ["pack", spec, "--loglevel=error", "--pack-destination", folder];
  const env = { ...process.env, PATH: systemPath() };
  const { status, error, stderr } = spawnSync("npm", args, { cwd: ROOT, env, encoding: "utf8" });
  if (status === 0) return;
  if (error !== undefined)
    throw new Obstacle(`npm is needed to get ${spec}, and it does not run: ${error.message}`);
  throw new Obstacle(`npm cannot get ${spec}: ${telling(stderr)}\n${registryAdvice()}`);
}

function lockedPackage(name: string): LockedPackage {
  const lock = JSON.parse(readFileSync(path.join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, LockedPackage>;
  };
  const found = lock.packages[`node_modules/${name}`];
  if (found === undefined) throw new Error(`package-lock.json does not name ${name}`);
  return found;
}

/** Runs a tool; its output is shown only if it fails. */
function run(program: string, args: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: "utf8" });
  if (status === 0) return;
  throw new Error(`${program} ${args.join(" ")} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
}
