/**
 * Puts the executable and the files that belong to it into packages for Debian and for RPM, as packaging/nfpm.yaml
 * says. The arguments are the architectures, "x64" and "arm64"; without arguments both are made. Their executables must
 * be in dist/.
 *
 * Equal inputs give equal bytes: every time in the packages is SOURCE_DATE_EPOCH, or else that of the last commit.
 * DEBFULLNAME and DEBEMAIL name the maker of the packages; the default is an address that belongs to nobody.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { type Architecture, ARCHITECTURES, distFolder, parseArchitecture, ROOT } from "./architecture.ts";
import { collectLicenses } from "./licenses.ts";
import { findNfpm } from "./nfpm.ts";
import { Obstacle, runScript } from "./registries.ts";

const DIST = path.join(ROOT, "dist");
const WORK = path.join(DIST, ".packages");

/** The names of the architectures in the two kinds of packages. */
const DEBIAN_NAMES = { x64: "amd64", arm64: "arm64" } as const;
const RPM_NAMES = { x64: "x86_64", arm64: "aarch64" } as const;

async function main(): Promise<void> {
  const given = process.argv.slice(2).map(parseArchitecture);
  const architectures = given.length === 0 ? ARCHITECTURES : given;
  const nfpm = findNfpm();
  const version = readVersion();
  const epoch = sourceDate();
  // The address at which those who publish the packages tell about them: that of their repository, if no other is named.
  const { MAKUOSAN_REPOSITORY_URL = "https://packages.example.org/makuosan" } = process.env;
  const { HOMEPAGE = MAKUOSAN_REPOSITORY_URL } = process.env;
  const { DEBFULLNAME = "the makuosan authors", DEBEMAIL = "makuosan@example.org" } = process.env;
  const maintainer = `${DEBFULLNAME} <${DEBEMAIL}>`;
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  fillWork(version, epoch, maintainer);
  const facts = { VERSION: version, MAINTAINER: maintainer, HOMEPAGE, SOURCE_DATE_EPOCH: String(epoch) };
  // Each nfpm compresses on one processor.
  await Promise.all(architectures.flatMap((one) => makePackages(nfpm, one, facts)));
  rmSync(WORK, { recursive: true, force: true });
}

/** Runs nfpm for both kinds of packages; its output is shown only if it fails. */
function makePackages(
  nfpm: string,
  architecture: Architecture,
  facts: Readonly<Record<string, string>> & { readonly VERSION: string },
): Promise<void>[] {
  const env = {
    ...process.env,
    ...facts,
    ARCHITECTURE: DEBIAN_NAMES[architecture],
    EXECUTABLE: path.relative(ROOT, path.join(distFolder(architecture), "makuosan")),
  };
  const files = {
    deb: `makuosan_${facts.VERSION}_${DEBIAN_NAMES[architecture]}.deb`,
    rpm: `makuosan-${facts.VERSION}-1.${RPM_NAMES[architecture]}.rpm`,
  };
  return Object.entries(files).map(async ([packager, file]) => {
    const unfinished = path.join(WORK, file);
    const args = ["package", "--config", "packaging/nfpm.yaml", "--packager", packager];
    await promisify(execFile)(nfpm, [...args, "--target", unfinished], { cwd: ROOT, env }).catch(
      (error: { readonly stdout: string; readonly stderr: string }) => {
        throw new Obstacle(`nfpm cannot make ${file}: ${error.stderr}${error.stdout}`);
      },
    );
    renameSync(unfinished, path.join(DIST, file));
    console.log(path.relative(ROOT, path.join(DIST, file)));
  });
}

/** Writes the files of the packages that differ from those of the project. */
function fillWork(version: string, epoch: number, maintainer: string): void {
  const manuals = path.join(ROOT, "packaging", "man");
  for (const name of readdirSync(manuals, { recursive: true, encoding: "utf8" })) {
    if (statSync(path.join(manuals, name)).isFile()) compress(path.join(manuals, name), path.dirname(name));
  }
  compress(path.join(ROOT, "CHANGELOG.md"));
  const licenses = path.join(WORK, "licenses.txt");
  writeFileSync(licenses, collectLicenses());
  compress(licenses);
  writeFileSync(path.join(WORK, "copyright"), debianCopyright());
  writeFileSync(path.join(WORK, "changelog.yaml"), changelog(version, epoch, maintainer));
}

/** Writes a compressed copy, into a folder of the work folder. */
function compress(file: string, folder = "."): void {
  mkdirSync(path.join(WORK, folder), { recursive: true });
  const copy = path.join(WORK, folder, `${path.basename(file)}.gz`);
  writeFileSync(copy, gzipSync(readFileSync(file), { level: 9 }));
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

/** The copyright file in Debian's form. */
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

function readVersion(): string {
  const manifest = readFileSync(path.join(ROOT, "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** The time of everything in the packages, in seconds since 1970. */
function sourceDate(): number {
  const given = process.env["SOURCE_DATE_EPOCH"];
  if (given !== undefined) return Number(given);
  const commit = spawnSync("git", ["log", "-1", "--format=%ct"], { cwd: ROOT, encoding: "utf8" });
  if (commit.status === 0 && commit.stdout.trim() !== "") return Number(commit.stdout);
  return Math.floor(statSync(path.join(ROOT, "CHANGELOG.md")).mtimeMs / 1000);
}

await runScript("packages", main);
