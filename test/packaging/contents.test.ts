import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

/** What the packages are made of. */

const ROOT = path.resolve(import.meta.dirname, "..", "..");
const CONFIG = fs.readFileSync(path.join(ROOT, "packaging", "nfpm.yaml"), "utf8");
const MANUALS = fs
  .readdirSync(path.join(ROOT, "packaging", "man"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.\d$/.test(name));

test("everything that the packages take from the project is there", () => {
  const sources = [...CONFIG.matchAll(/^ *(?:- src|p(?:ost|re)(?:install|remove)): (\S+)$/gm)].map(
    ([, source = ""]) => source,
  );
  const fromProject = sources.filter((source) => !/^(?:dist\/|\.\.\/|\$)/.test(source));
  assert.ok(fromProject.length > 10);
  for (const source of fromProject) assert.ok(fs.existsSync(path.join(ROOT, source)), source);
});

test("every manual page is in both packages", () => {
  for (const page of MANUALS) {
    const { dir, base } = path.parse(page);
    const place = path.join("/usr/share/man", dir, `man${page.slice(-1)}`, `${base}.gz`);
    const count = CONFIG.split(`dst: ${place}\n`).length - 1;
    assert.equal(count, 2, page);
  }
});

const isParserMissing = spawnSync("apparmor_parser", ["--version"]).error !== undefined;

test("the AppArmor profile is valid", { skip: isParserMissing && "there is no apparmor_parser" }, () => {
  const profile = path.join(ROOT, "packaging", "apparmor", "makuosan");
  const { status, stderr } = spawnSync("apparmor_parser", ["--skip-kernel-load", "--skip-cache", profile]);
  assert.equal(status, 0, stderr.toString());
});

test("the scripts of the packages are for any POSIX shell", () => {
  for (const folder of ["deb", "rpm"]) {
    const files = fs.readdirSync(path.join(ROOT, "packaging", folder));
    for (const file of files.filter((name) => /^p(?:ost|re)/.test(name))) {
      const { status, stderr } = spawnSync("sh", ["-n", path.join(ROOT, "packaging", folder, file)]);
      assert.equal(status, 0, `${file}: ${stderr.toString()}`);
    }
  }
});

const isGroffMissing = spawnSync("groff", ["--version"]).error !== undefined;

test(
  "groff has nothing to say about the manual pages",
  { skip: isGroffMissing && "there is no groff" },
  () => {
    for (const page of MANUALS) {
      const file = path.join(ROOT, "packaging", "man", page);
      const { status, stderr } = spawnSync("groff", ["-k", "-man", "-Tutf8", "-ww", file]);
      assert.deepEqual({ page, status, said: stderr.toString() }, { page, status: 0, said: "" });
    }
  },
);

test("every example is in both packages", () => {
  // The package for Debian takes the whole folder.
  assert.match(CONFIG, /src: packaging\/examples\/\n.*\n {4}packager: deb/);
  const folder = path.join(ROOT, "packaging", "examples");
  for (const example of fs.readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (fs.statSync(path.join(folder, example)).isDirectory()) continue;
    assert.ok(CONFIG.includes(`src: packaging/examples/${example}\n`), example);
  }
});

const isAnalyzerMissing = spawnSync("systemd-analyze", ["--version"]).error !== undefined;

test(
  "the sandbox of the service is no wider than it says",
  { skip: isAnalyzerMissing && "there is no systemd-analyze" },
  () => {
    const unit = path.join(ROOT, "systemd", "makuosan.service");
    const { stdout } = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", unit]);
    const [, exposure] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout.toString()) ?? [];
    assert.ok(Number(exposure) <= 3.3, exposure);
  },
);

const isManMissing = spawnSync("man", ["--version"]).error !== undefined;

test("man shows every page without a warning", { skip: isManMissing && "there is no man" }, () => {
  for (const page of MANUALS) {
    const file = path.join(ROOT, "packaging", "man", page);
    const env = { ...process.env, LC_ALL: "C.UTF-8", MANWIDTH: "80" };
    const { status, stdout, stderr } = spawnSync("man", ["--warnings=w", "-l", file], { env });
    assert.deepEqual({ page, status, said: stderr.toString() }, { page, status: 0, said: "" });
    assert.match(stdout.toString(), /NAME|名前/);
  }
});
