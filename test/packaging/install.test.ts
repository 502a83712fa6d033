import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const ROOT = path.resolve(import.meta.dirname, "..", "..");

/** Runs make in the project; a make that runs this test has no say in it. */
function make(...args: string[]): string {
  return execFileSync("make", ["-C", ROOT, ...args], { env: environment(), encoding: "utf8" });
}

function environment(): NodeJS.ProcessEnv {
  const { MAKEFLAGS: _flags, MAKELEVEL: _level, ...rest } = process.env;
  return rest;
}

function filesIn(directory: string): string[] {
  const entries = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .sort();
}

test("make install puts everything below DESTDIR, keeps a config file, and make uninstall removes the rest", (context) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-install-"));
  context.after(() => fs.rmSync(directory, { recursive: true }));
  const where = [`DESTDIR=${directory}`, "PREFIX=/opt/makuosan"];
  make("install", ...where);
  const all = filesIn(directory);
  const isService = (file: string) => /systemd|sysusers|sysctl/.test(file);
  assert.deepEqual(
    all.filter((file) => !isService(file)),
    [
      "etc/makuosan.conf",
      "opt/makuosan/bin/msync",
      "opt/makuosan/sbin/makuosan",
      "opt/makuosan/share/bash-completion/completions/makuosan",
      "opt/makuosan/share/bash-completion/completions/msync",
      "opt/makuosan/share/fish/vendor_completions.d/makuosan.fish",
      "opt/makuosan/share/fish/vendor_completions.d/msync.fish",
      "opt/makuosan/share/man/ja/man1/msync.1",
      "opt/makuosan/share/man/ja/man5/makuosan.conf.5",
      "opt/makuosan/share/man/ja/man8/makuosan.8",
      "opt/makuosan/share/man/man1/msync.1",
      "opt/makuosan/share/man/man5/makuosan.conf.5",
      "opt/makuosan/share/man/man8/makuosan.8",
      "opt/makuosan/share/zsh/site-functions/_makuosan",
      "opt/makuosan/share/zsh/site-functions/_msync",
    ],
  );
  const unit = path.join(directory, "opt/makuosan/lib/systemd/system/makuosan.service");
  assert.match(fs.readFileSync(unit, "utf8"), /^ExecStart=\/opt\/makuosan\/sbin\/makuosan$/m);
  assert.match(
    fs.readFileSync(unit, "utf8"),
    /^ExecReload=\+\/opt\/makuosan\/sbin\/makuosan --check-config$/m,
  );
  assert.match(fs.readFileSync(unit, "utf8"), /^ExecReload=\+\/bin\/kill -HUP \$MAINPID$/m);
  const watch = path.join(directory, "opt/makuosan/lib/systemd/system/makuosan-watch@.service");
  assert.match(fs.readFileSync(watch, "utf8"), /^ExecStart=\/opt\/makuosan\/bin\/msync --watch /m);
  assert.match(
    execFileSync(path.join(directory, "opt/makuosan/bin/msync"), ["--version"], { encoding: "utf8" }),
    /^msync \d/,
  );

  const config = path.join(directory, "etc/makuosan.conf");
  fs.writeFileSync(config, "mine\n");
  make("install", ...where);
  assert.deepEqual(filesIn(directory), all);
  make("uninstall", ...where);
  assert.deepEqual(filesIn(directory), ["etc/makuosan.conf"]);
  assert.equal(fs.readFileSync(config, "utf8"), "mine\n");

  make("install", ...where, "UNIT=no");
  assert.deepEqual(
    filesIn(directory),
    all.filter((file) => !isService(file)),
  );
});

test("make install and uninstall refuse what would name other paths, and a slash at the end is none", (context) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-install-"));
  context.after(() => fs.rmSync(directory, { recursive: true }));
  const refusal = (...args: string[]) => {
    const { stderr, status } = spawnSync("make", ["-C", ROOT, "--no-print-directory", ...args], {
      env: environment(),
      encoding: "utf8",
    });
    assert.equal(status, 2, args.join(" "));
    return /\*\*\* (.*?)\.\s+Stop\./.exec(stderr)?.[1];
  };
  // Half of the first name is a file, which rm would have removed.
  const half = path.join(directory, "half");
  fs.writeFileSync(half, "");
  for (const target of ["install", "uninstall"]) {
    const spaces = "DESTDIR, PREFIX and SYSCONFDIR cannot have spaces in them";
    assert.equal(refusal(target, `DESTDIR=${half} and`), spaces);
    assert.equal(refusal(target, `DESTDIR=${directory}`, "PREFIX=/opt/a b"), spaces);
    assert.equal(
      refusal(target, `DESTDIR=${directory}`, "PREFIX=usr"),
      "PREFIX and SYSCONFDIR begin with /, unlike 'usr'",
    );
    assert.equal(refusal(target, `DESTDIR=${directory}`, "UNIT=maybe"), "UNIT is yes or no, not 'maybe'");
  }
  assert.deepEqual(filesIn(directory), ["half"]);
  make("install", `DESTDIR=${directory}`, "PREFIX=/");
  assert.ok(fs.existsSync(path.join(directory, "sbin/makuosan")));
  const unit = path.join(directory, "lib/systemd/system/makuosan.service");
  assert.match(fs.readFileSync(unit, "utf8"), /^ExecStart=\/sbin\/makuosan$/m);
});

test("make alone builds, and says what to do next", () => {
  assert.match(
    make(),
    /dist\/makuosan and dist\/msync are built: 'make install' installs them, 'make help' lists/,
  );
});
