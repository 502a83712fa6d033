import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";

/** What bash offers, with a daemon that has one member, and without the package bash-completion. */

const COMPLETIONS = path.resolve(import.meta.dirname, "../../packaging/completions/bash");

const PROGRAM = `
_init_completion() {
  words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=\${words[cword]}; prev=\${words[cword - 1]}
}
compopt() { :; }
msync() {
  case " $* " in
    *" --members "*) echo 'web1 10.0.0.1 (Ver2.0.0)'; echo 'Total: 1 members' ;;
    *) echo "basedir : $BASE" ;;
  esac
}
. "$COMPLETIONS/$1"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
"_$1"
printf '%s\\n' "\${COMPREPLY[@]}"
`;

function makeBase(context: TestContext): string {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-completions-"));
  context.after(() => fs.rmSync(base, { recursive: true }));
  fs.mkdirSync(path.join(base, "htdocs"));
  fs.writeFileSync(path.join(base, "a b"), "");
  return base;
}

function offered(base: string, ...words: string[]): string[] {
  const env = { ...process.env, BASE: base, COMPLETIONS };
  const output = execFileSync("bash", ["--norc", "-c", PROGRAM, "bash", ...words], { env, encoding: "utf8" });
  return output.split("\n").filter((line) => line !== "");
}

test("paths are those below the base directory, and hosts stand where hosts are meant", (context) => {
  const base = makeBase(context);
  assert.deepEqual(offered(base, "msync", "").sort(), ["a b", "htdocs/"]);
  assert.deepEqual(offered(base, "msync", "-r", "ht"), ["htdocs/"]);
  for (const before of [["-t"], ["--except"], ["--doctor"], ["--doctor", "-v"], ["--catch-up", "web0"]])
    assert.deepEqual(offered(base, "msync", ...before, "w"), ["web1"], before.join(" "));
  assert.deepEqual(offered(base, "msync", "--undo", ""), []);
});

test("after --set stand the keys of the config file", (context) => {
  const base = makeBase(context);
  assert.deepEqual(offered(base, "makuosan", "--set", "ba"), ["base="]);
  assert.deepEqual(offered(base, "makuosan", "--set", "re"), ["receive-buffer=", "receive="]);
  assert.deepEqual(offered(base, "makuosan", "--no-re"), ["--no-receive"]);
});
