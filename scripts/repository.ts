/**
 * `make repository`: makes repositories for apt and dnf of the packages in dist/, as static files that any web server can hold,
 * in dist/repository. Packages of earlier versions that are there stay.
 *
 * MAKUOSAN_SIGNING_KEY is the key that signs both: a name or a fingerprint that gpg knows (GNUPGHOME as usual).
 * MAKUOSAN_REPOSITORY_URL is the address at which the files will be found, for the files that users copy. PACKAGES= and
 * REPOSITORY= name other folders.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ROOT } from "./architecture.ts";
import { Obstacle, runScript } from "./registries.ts";

const SUITE = "stable";
const COMPONENT = "main";
const DEBIAN_ARCHITECTURES = ["amd64", "arm64"];

const packages = path.resolve(process.env["PACKAGES"] || path.join(ROOT, "dist"));
const repository = path.resolve(process.env["REPOSITORY"] || path.join(ROOT, "dist", "repository"));
const url = (process.env["MAKUOSAN_REPOSITORY_URL"] || "https://packages.example.org/makuosan").replace(
  /\/+$/,
  "",
);
const key = process.env["MAKUOSAN_SIGNING_KEY"] ?? "";

function main(): void {
  if (key === "") {
    throw new Obstacle(
      "no key is named: set MAKUOSAN_SIGNING_KEY to a key of gpg, such as one made with " +
        "'gpg --quick-generate-key makuosan ed25519 sign never'",
    );
  }
  for (const [program, debianPackage] of [
    ["gpg", "gnupg"],
    ["apt-ftparchive", "apt-utils"],
    ["createrepo_c", "createrepo-c"],
  ] as const) {
    if (spawnSync(program, ["--version"]).error === undefined) continue;
    throw new Obstacle(`${program} is not installed: run 'apt-get install ${debianPackage}'`);
  }
  fs.mkdirSync(repository, { recursive: true });
  makeApt(path.join(repository, "apt"));
  makeDnf(path.join(repository, "dnf"));
  writeForUsers();
  console.log(path.relative(ROOT, repository));
}

/** Copies the packages of a kind into a folder. */
function copyPackages(kind: string, folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  const names = fs
    .readdirSync(packages)
    .filter((name) => name.startsWith("makuosan") && name.endsWith(`.${kind}`));
  if (names.length === 0) throw new Obstacle(`there is no .${kind} in ${packages}: run 'make packages'`);
  for (const name of names) fs.copyFileSync(path.join(packages, name), path.join(folder, name));
}

function makeApt(root: string): void {
  copyPackages("deb", path.join(root, "pool", COMPONENT));
  const suite = path.join(root, "dists", SUITE);
  for (const architecture of DEBIAN_ARCHITECTURES) {
    const folder = path.join(suite, COMPONENT, `binary-${architecture}`);
    fs.mkdirSync(folder, { recursive: true });
    const list = run("apt-ftparchive", ["--arch", architecture, "packages", "pool"], root);
    fs.writeFileSync(path.join(folder, "Packages"), list);
    fs.writeFileSync(path.join(folder, "Packages.gz"), run("gzip", ["-9n"], root, list));
  }
  for (const name of ["Release", "InRelease", "Release.gpg"])
    fs.rmSync(path.join(suite, name), { force: true });
  const fields = {
    Origin: "makuosan",
    Label: "makuosan",
    Suite: SUITE,
    Codename: SUITE,
    Architectures: DEBIAN_ARCHITECTURES.join(" "),
    Components: COMPONENT,
  };
  const options = Object.entries(fields).flatMap(([name, value]) => [
    "-o",
    `APT::FTPArchive::Release::${name}=${value}`,
  ]);
  const release = run("apt-ftparchive", [...options, "release", "."], suite);
  fs.writeFileSync(path.join(suite, "Release"), release);
  sign(path.join(suite, "Release"), "--clearsign", path.join(suite, "InRelease"));
  sign(path.join(suite, "Release"), "--detach-sign", path.join(suite, "Release.gpg"));
}

function makeDnf(root: string): void {
  copyPackages("rpm", root);
  run("createrepo_c", ["--quiet", "--update", root], root);
  const list = path.join(root, "repodata", "repomd.xml");
  sign(list, "--detach-sign", `${list}.asc`);
}

/** The key, and the files that tell apt and dnf where the repositories are. */
function writeForUsers(): void {
  const write = (name: string, contents: string | Buffer) =>
    fs.writeFileSync(path.join(repository, name), contents);
  write("makuosan.gpg", run("gpg", ["--batch", "--export", key], repository));
  write("makuosan.asc", run("gpg", ["--batch", "--armor", "--export", key], repository));
  write(
    "makuosan.list",
    `deb [signed-by=/usr/share/keyrings/makuosan.gpg] ${url}/apt ${SUITE} ${COMPONENT}\n`,
  );
  // The list of the packages is signed, and has the checksum of each.
  const lines = [
    "name=makuosan",
    `baseurl=${url}/dnf`,
    "repo_gpgcheck=1",
    "gpgcheck=0",
    `gpgkey=${url}/makuosan.asc`,
  ];
  write("makuosan.repo", ["[makuosan]", ...lines, "enabled=1", ""].join("\n"));
}

function sign(file: string, how: string, signature: string): void {
  fs.rmSync(signature, { force: true });
  const options = ["--batch", "--local-user", key, "--digest-algo", "SHA256", "--armor"];
  run("gpg", [...options, how, "--output", signature, file], path.dirname(file));
}

/** Runs a program that must succeed; returns its output. */
function run(program: string, args: readonly string[], cwd: string, input?: Buffer): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    ...(input === undefined ? {} : { input }),
    env: { ...process.env, LC_ALL: "C" },
    maxBuffer: 1 << 28,
  });
  if (error === undefined && status === 0) return stdout;
  throw new Obstacle(`${program} failed: ${error?.message ?? stderr.toString().trim()}`);
}

await runScript("repository", main);
