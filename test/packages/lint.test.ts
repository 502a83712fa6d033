import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { suite, test } from "node:test";
import { hasProgram, run } from "../support/processes.ts";
import { DIST, machineProblem, ROOT } from "./copies.ts";

/** What the distributions' own checkers say about the packages; what they may say is in packaging/, with its reason. */

const packages = (ending: string) =>
  fs
    .readdirSync(DIST)
    .filter((name) => name.endsWith(ending))
    .map((name) => path.join(DIST, name));

const problemOf = async (program: string) =>
  machineProblem() ?? ((await hasProgram(program)) ? undefined : `there is no ${program}`);

void suite("checkers of packages", () => {
  test("there is a package of each kind for each architecture", { skip: machineProblem() ?? false }, () => {
    const names = [...packages(".deb"), ...packages(".rpm")].map((file) => path.basename(file));
    for (const end of ["_amd64.deb", "_arm64.deb", ".x86_64.rpm", ".aarch64.rpm"]) {
      assert.equal(names.filter((name) => name.endsWith(end)).length, 1, end);
    }
  });
});

const lintianProblem = await problemOf("lintian");
test("lintian finds no error and no warning", { skip: lintianProblem ?? false }, async () => {
  const results = await Promise.all(
    packages(".deb").map((file) =>
      run("lintian", ["--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", file]),
    ),
  );
  for (const { status, stdout } of results) assert.deepEqual({ status, stdout }, { status: 0, stdout: "" });
});

/**
 * rpmlint unpacks packages by cpio, whose names in them are absolute: without this, the package would be unpacked over the
 * files of this machine, and what is looked at would be empty.
 *
 * @returns a directory with another cpio, for the PATH
 */
function makeCarefulCpio(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-cpio-"));
  const script = '#!/bin/sh\nexec /usr/bin/cpio --no-absolute-filenames "$@"\n';
  fs.writeFileSync(path.join(directory, "cpio"), script, { mode: 0o755 });
  return directory;
}

// It reads packages by means of rpm, which Debian only recommends beside it.
const rpmlintProblem = (await problemOf("rpmlint")) ?? (await problemOf("rpm"));
test("rpmlint finds no error", { skip: rpmlintProblem ?? false }, async () => {
  const config = path.join(ROOT, "packaging", "rpm", "rpmlint.toml");
  const shims = makeCarefulCpio();
  const changeOfHost = () => fs.statSync("/etc/makuosan.conf", { throwIfNoEntry: false })?.ctimeMs;
  const before = changeOfHost();
  try {
    const command = ["-c", 'PATH="$0:$PATH" exec rpmlint "$@"', shims, "-c", config, ...packages(".rpm")];
    const { status, stdout } = await run("sh", command);
    assert.equal(status, 0, stdout);
    assert.match(stdout, / 0 errors, /);
    assert.equal(
      changeOfHost(),
      before,
      "it unpacks a package beside this machine's own files, not over them",
    );
  } finally {
    fs.rmSync(shims, { recursive: true });
  }
});
