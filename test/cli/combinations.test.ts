import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { parseOptions } from "../../src/cli/options.ts";

/** Every option with every action, and every pair of options: they mean something together, or are refused. */

/** How an action is asked for, with the options that it takes: letters of the list below. */
const ACTIONS: Readonly<Record<string, { readonly argv: readonly string[]; readonly takes: string }>> = {
  send: { argv: ["path"], takes: "rnvtewxXgdsfkRcaAjSzWZT" },
  script: { argv: ["-f", "script"], takes: "rnvtewxXgdsfkRcaAjSKzWZT" },
  wait: { argv: ["--wait", "3"], takes: "tewjS" },
  members: { argv: ["--members"], takes: "rvwjS" },
  status: { argv: ["--status"], takes: "rwjS" },
  history: { argv: ["--history"], takes: "vwjS" },
  loglevel: { argv: ["-l", "info"], takes: "wjS" },
  keygen: { argv: ["--keygen"], takes: "" },
  watch: { argv: ["--watch"], takes: "rvtewxXgdfcaAjSzWZT" },
  doctor: { argv: ["--doctor"], takes: "vwjS" },
  "catch-up": { argv: ["--catch-up"], takes: "wjS" },
  undo: { argv: ["--undo"], takes: "vwjST" },
  top: { argv: ["--top"], takes: "wjS" },
};

/** Options by a letter of this test, with how their name is said in an error. */
const OPTIONS: Readonly<Record<string, readonly [name: string, ...argv: string[]]>> = {
  r: ["--recursive", "-r"],
  n: ["--dry-run", "-n"],
  v: ["--verbose", "-v"],
  t: ["--target", "-t", "a"],
  e: ["--except", "--except", "a"],
  w: ["--wait", "--wait", "3"],
  x: ["--exclude", "--exclude", "a"],
  X: ["--exclude-from", "--exclude-from", "/dev/null"],
  g: ["--group", "-g", "a"],
  d: ["--delete", "--delete"],
  s: ["--sync", "--sync"],
  f: ["--force-delete", "--force-delete"],
  k: ["--check", "--check"],
  R: ["--repair", "--repair"],
  c: ["--checksum", "--checksum"],
  a: ["--xattrs", "--xattrs"],
  A: ["--all-or-nothing", "--all-or-nothing"],
  j: ["--json", "--json"],
  S: ["--console", "-c", "unix:/socket"],
  K: ["--keep-going", "--keep-going"],
  z: ["--compress", "--compress"],
  Z: ["--no-compress", "--no-compress"],
  W: ["--whole-file", "-W"],
  T: ["--stats", "--stats"],
};

/** Options that say nothing without another one, which is as good as one of these. */
const NEEDS: Readonly<Record<string, string>> = { d: "r", f: "ds" };

const argvOf = (letter: string) => (OPTIONS[letter] ?? []).slice(1);
const nameOf = (letter: string) => OPTIONS[letter]?.[0] ?? "";

function refusal(argv: readonly string[]): string | undefined {
  try {
    parseOptions(argv, undefined);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.exitStatus, 1);
    return error.message;
  }
}

/** Whether a set of options means something with an action. */
function goTogether(action: string, letters: readonly string[]): boolean {
  const takes = ACTIONS[action]?.takes ?? "";
  if (letters.includes("z") && letters.includes("Z")) return false;
  // A check alone sends nothing.
  if (letters.includes("k") && letters.some((letter) => "gfAzZW".includes(letter))) return false;
  return letters.every((letter) => {
    // A watch always looks at directories with all that is in them.
    const needed = action === "watch" && letter === "d" ? undefined : NEEDS[letter];
    if (needed !== undefined && !letters.some((other) => needed.includes(other))) return false;
    if (takes.includes(letter)) return true;
    // Members are chosen to be waited for, whatever is asked then.
    return "te".includes(letter) && letters.includes("w") && takes.includes("w");
  });
}

test("every option goes with an action, or is refused with the names of both", () => {
  for (const [action, { argv, takes }] of Object.entries(ACTIONS)) {
    for (const letter of Object.keys(OPTIONS)) {
      if (action === "wait" && letter === "r") continue; // With -r it is a push.
      for (const all of [
        [...argv, ...argvOf(letter)],
        [...argvOf(letter), ...argv],
      ]) {
        const sentence = refusal(all);
        assert.equal(sentence === undefined, goTogether(action, [letter]), `${all.join(" ")}: ${sentence}`);
        if (sentence === undefined || takes.includes(letter)) continue;
        assert.ok(sentence.startsWith(nameOf(letter)), sentence);
        if (letter === "K") assert.equal(sentence, "--keep-going is for scripts: give one with -f");
        else assert.match(sentence, new RegExp(`does not go together with --${action}: leave `));
      }
    }
  }
});

test("every pair of options goes with every action, or is refused", () => {
  const letters = Object.keys(OPTIONS);
  for (const [action, { argv }] of Object.entries(ACTIONS)) {
    for (const one of letters) {
      for (const other of letters) {
        if (one === other || (action === "wait" && (one === "r" || other === "r"))) continue;
        const all = [...argv, ...argvOf(one), ...argvOf(other)];
        const sentence = refusal(all);
        assert.equal(
          sentence === undefined,
          goTogether(action, [one, other]),
          `${all.join(" ")}: ${sentence}`,
        );
      }
    }
  }
});

test("two actions are refused with the names of both", () => {
  const names = Object.keys(ACTIONS).filter((name) => name !== "send" && name !== "wait");
  for (const one of names) {
    for (const other of names) {
      if (one === other) continue;
      const sentence = refusal([...(ACTIONS[one]?.argv ?? []), ...(ACTIONS[other]?.argv ?? [])]) ?? "";
      assert.match(sentence, /^give only one of /);
      assert.ok(sentence.includes(`--${one}`) && sentence.includes(`--${other}`), sentence);
    }
  }
});

test("a path goes with a push alone", () => {
  for (const [action, { argv }] of Object.entries(ACTIONS)) {
    if (["send", "wait", "watch", "doctor", "catch-up"].includes(action)) continue;
    // Behind --history and --keygen a word belongs to the option.
    const sentence = refusal(["path", ...argv]) ?? "";
    assert.match(sentence, new RegExp(`^the path 'path' does not go together with --${action}: leave one`));
  }
  assert.equal(refusal(["--wait", "3", "path"]), undefined);
});

const LOG_LEVEL = "leave one of them out; -l sets the level of the daemon's log, and -v makes msync say more";

test("the log level stays when a push was meant", () => {
  assert.equal(refusal(["-l", "1", "-r"]), `--recursive does not go together with --loglevel: ${LOG_LEVEL}`);
  assert.equal(
    refusal(["--delete", "-l", "1"]),
    `--delete does not go together with --loglevel: ${LOG_LEVEL}`,
  );
  assert.equal(
    refusal(["-n", "--history"]),
    "--dry-run does not go together with --history: leave one of them out",
  );
  assert.equal(
    refusal(["--wait", "3", "-n"]),
    "--dry-run does not go together with --wait: leave it out, or name a path to send",
  );
  assert.equal(refusal(["--history", "-n", "5"]), undefined);
});

test("beside a check alone, what tells how to send is refused, and beside a repair it is not", () => {
  const options = [
    ["-W"],
    ["--compress"],
    ["--no-compress"],
    ["--all-or-nothing"],
    ["-g", "a"],
    ["--force-delete"],
  ];
  for (const option of options) {
    const argv = ["--check", "-r", "--delete", ...option];
    assert.match(
      refusal(argv) ?? "",
      /^--[a-z-]+ does not go together with --check, which sends nothing: leave it out, or give --repair$/,
    );
    assert.equal(refusal([...argv, "--repair"]), undefined);
  }
});

test("of --compress and --no-compress, the one is named that was given", () => {
  for (const option of ["--compress", "--no-compress"]) {
    assert.equal(
      refusal([option, "--members"]),
      `${option} does not go together with --members: leave one of them out`,
    );
    assert.match(
      refusal(["--check", option]) ?? "",
      new RegExp(`^${option} does not go together with --check`),
    );
    assert.equal(refusal([option, "--", "--compress", "--no-compress"]), undefined);
  }
  assert.equal(
    refusal(["--no-compress", "--compress", "a"]),
    "--compress does not go together with --no-compress: leave one of them out",
  );
});
