import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { collect, type Finished } from "../support/processes.ts";

const MAIN = path.join(import.meta.dirname, "../../src/main.ts");

/** Runs makuosan in a language. */
function makuosan(LC_ALL: string, ...args: string[]): Promise<Finished> {
  // A shell would complain of a locale that the system has not.
  return collect(
    spawn(process.execPath, [MAIN, ...args], {
      argv0: "makuosan",
      env: { ...process.env, LC_ALL },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
}

test("makuosan speaks the language of the locale: errors, results and help", async (context) => {
  const missing = ["--check-config", "-b", "/nowhere/at/all"];
  assert.equal(
    (await makuosan("ja_JP.UTF-8", ...missing)).stderr,
    "error: ベースディレクトリ /nowhere/at/all がありません。'install -d -o USER /nowhere/at/all' などで作るか、-b で別のものを指定してください\n",
  );
  assert.match(
    (await makuosan("C", ...missing)).stderr,
    /^error: the base directory \/nowhere\/at\/all is missing: /,
  );
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-base-"));
  context.after(() => fs.rmdirSync(base));
  assert.match((await makuosan("ja_JP.UTF-8", "--check-config", "-b", base)).stdout, /^設定は正しいです: /);
  const { stdout } = await makuosan("ja_JP.UTF-8", "--help");
  assert.match(stdout, /^書式: makuosan \[options\]\n/);
  assert.match(stdout, /-u, --user <name> +デーモンのユーザー \(起動したユーザー\)\n/);
  assert.match(await makuosan("C", "--help").then(({ stdout: english }) => english), /^Usage: makuosan /);
});
