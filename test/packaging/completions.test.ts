import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";

/** What the shells offer, with a daemon that has one member; bash without the package bash-completion. */

const FOLDER = path.resolve(import.meta.dirname, "../../packaging/completions");
const COMPLETIONS = path.join(FOLDER, "bash");

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

/** A program msync that answers as one with such a daemon, in a folder of its own. */
function makeMsync(context: TestContext, base: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-completions-"));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  const answers = `case " $* " in *" --members "*) echo 'web1 10.0.0.1 (Ver2.0.0)' ;; *) echo 'basedir : ${base}' ;; esac`;
  fs.writeFileSync(path.join(folder, "msync"), `#!/bin/sh\n${answers}\n`, { mode: 0o755 });
  return folder;
}

/** Lines so far, and what is offered for each, or what zsh makes of the line. */
const FOR_ALL = [
  { line: "msync --mem", word: "--members" },
  { line: "msync -r ht", word: "htdocs/" },
  { line: "msync -t ", word: "web1" },
  { line: "msync --doctor w", word: "web1" },
  { line: "makuosan --no-rec", word: "--no-receive" },
  { line: "makuosan --set bas", word: "base=" },
  { line: "makuosan --compress a", word: "auto" },
] as const;

const missing = (shell: string) =>
  spawnSync(shell, ["--version"]).error !== undefined && `there is no ${shell}`;

test("fish offers the same", { skip: missing("fish") }, (context) => {
  const folder = makeMsync(context, makeBase(context));
  const env = { ...process.env, HOME: folder, PATH: `${folder}:${process.env["PATH"] ?? ""}` };
  for (const { line, word } of FOR_ALL) {
    const file = path.join(FOLDER, "fish", `${line.split(" ")[0]}.fish`);
    const program = `source ${file}; complete -C '${line}'`;
    const output = execFileSync("fish", ["--no-config", "-c", program], { env, encoding: "utf8" });
    assert.deepEqual(
      output
        .trim()
        .split("\n")
        .map((offer) => offer.split("\t")[0]),
      [word],
      line,
    );
  }
});

/** Types a line and a tab in an interactive zsh, which completes the one word that is offered. */
const ZSH = `
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PS1='> '; fpath=($COMPLETIONS \\$fpath); autoload -Uz compinit; compinit -u -D; print -n REA; print DY"
zpty -r -m shell said '*READY*'
zpty -w -n shell "$1"$'\t'
zpty -r -m shell said "*$2*" && print completed
zpty -d shell
`;

test("zsh offers the same", { skip: missing("zsh") }, (context) => {
  const folder = makeMsync(context, makeBase(context));
  const env = {
    ...process.env,
    ...{ HOME: folder, TERM: "dumb", COMPLETIONS: path.join(FOLDER, "zsh") },
    PATH: `${folder}:${process.env["PATH"] ?? ""}`,
  };
  for (const { line, word } of FOR_ALL) {
    const args = ["-f", "-c", ZSH, "zsh", line, word];
    const { stdout } = spawnSync("zsh", args, { env, encoding: "utf8", timeout: 60_000 });
    assert.equal(stdout.trim().split("\n").at(-1), "completed", `${line}: ${stdout}`);
  }
});
