import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { parseOptions } from "../../src/cli/options.ts";

const parse = (...argv: string[]) => parseOptions(argv, undefined);
const refuses = (argv: string[], sentence: RegExp) =>
  assert.throws(
    () => parse(...argv),
    (error) => error instanceof UserError && sentence.test(error.message),
    argv.join(" "),
  );

test("paths, targets, exceptions and patterns keep their order", () => {
  const { action, paths, send } = parse(
    "-rnvv",
    "-t",
    "a",
    "-t",
    "@b",
    "--except",
    "c",
    "--exclude",
    "*~",
    "x",
    "y",
  );
  assert.deepEqual({ action, paths }, { action: "send", paths: ["x", "y"] });
  const { recursive, dryRun, verbosity, targets, excepts, excludes } = send;
  assert.deepEqual(
    { recursive, dryRun, verbosity, targets, excepts, excludes },
    { recursive: true, dryRun: true, verbosity: 2, targets: ["a", "@b"], excepts: ["c"], excludes: ["*~"] },
  );
});

test("patterns come from files byte by byte, without comments", (context) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-options-"));
  context.after(() => fs.rmSync(directory, { recursive: true }));
  const file = path.join(directory, "list");
  fs.writeFileSync(file, Buffer.from("*.a\0\n"));
  refuses(
    ["-r", "--exclude-from", file],
    /^the exclude patterns of \S+ have a NUL byte in them: save them as text/,
  );
  fs.writeFileSync(file, Buffer.from("\xef\xbb\xbf#*#\r\n\n caf\xe9 \n*.log", "latin1"));
  assert.deepEqual(parse("-r", "--exclude-from", file, "--exclude", "a").send.excludes, [
    "a",
    "#*#",
    " caf\xe9 ",
    "*.log",
  ]);
});

test("waiting has a minute, or what is said", () => {
  assert.deepEqual(parse("-r", "--wait", "3").send.wait, { members: 3, seconds: 60 });
  assert.deepEqual(parse("-r", "--wait", "3,5").send.wait, { members: 3, seconds: 5 });
  assert.equal(parse("--wait", "3").action, "wait");
  for (const text of ["", "x", "3,", "3,x", "-1", "3,5,7", "9999999"])
    refuses(["-r", "--wait", text], /^--wait is '/);
});

test("behind --history, -n is the number of transfers", () => {
  assert.deepEqual([parse("--history").action, parse("--history").historyCount], ["history", 20]);
  for (const argv of [
    ["--history", "5"],
    ["--history", "-n", "5"],
    ["-n", "5", "--history"],
    ["--history", "-vn", "5"],
  ]) {
    assert.deepEqual([parse(...argv).historyCount, parse(...argv).send.dryRun], [5, false], argv.join(" "));
  }
  refuses(["--history", "-n", "many"], /^--history is 'many'/);
  refuses(["--history", "-n", "5", "path"], /^the path 'path' does not go together with --history/);
});

test("what does not go together is refused", () => {
  refuses([], /^nothing to send/);
  refuses(["-f", "script", "path"], /^the path 'path' does not go together with --script/);
  refuses(["-f", "script", "--members"], /^give only one of --members and --script/);
  refuses(["--keep-going", "-r"], /^--keep-going is for scripts/);
  refuses(["-f", "one", "-f", "two"], /^--script is given twice: run msync once for each$/);
  refuses(["--undo", "one", "--undo", "two"], /^--undo is given twice/);
  // A variable of a script that is not set.
  refuses(["--undo", ""], /^--undo has an empty id/);
  refuses(["--catch-up", ""], /^the name of a host is empty/);
  refuses(["--doctor", "a", " "], /^the name of a host is empty/);
  refuses(["-l", "info", "-l", "debug"], /^--loglevel is given twice/);
  refuses(["-r", "-g", ""], /^the group of -g is empty/);
  refuses(["-r", "-t", ""], /^the host of -t is empty/);
  refuses(["-r", "--except", "a", "--except", ""], /^the host of --except is empty/);
});

test("what versions before 2 had is done, or told with its replacement", () => {
  refuses(["-K", "file", "-r"], /^-K is no option any more: /);
  refuses(["-r", "-K"], /^-K is no option any more: /);
  for (const level of ["1", "", "INFO", "verbose"])
    refuses(["-l", level], /^'.*' is no log level: give fatal, .* use -v$/);
  assert.equal(parseOptions(["--status"], "").console, "unix:/run/makuosan/makuosan.sock");
  assert.equal(parseOptions(["--status"], "unix:x").console, "unix:x");
});

test("a mistyped option is told with the one that was meant", () => {
  refuses(["--delte", "-r"], /^unknown option '--delte': did you mean --delete\? 'msync --help' lists/);
  refuses(["--zzz"], /^unknown option '--zzz': 'msync --help' lists the options$/);
});
