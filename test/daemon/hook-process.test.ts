import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { HookProcess } from "../../src/daemon/pushes/hook-process.ts";
import { eventually } from "../support/processes.ts";

function start(
  context: TestContext,
  script: string,
  timeoutMs = 10_000,
): { hook: HookProcess; lines: string[] } {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-hook-"));
  const program = path.join(directory, "hook");
  fs.writeFileSync(program, script, { mode: 0o755 });
  const input = fs.openSync("/dev/null", "r");
  context.after(() => {
    fs.closeSync(input);
    fs.rmSync(directory, { recursive: true });
  });
  const lines: string[] = [];
  const environment = { PATH: process.env["PATH"] ?? "" };
  const onLine = (line: string) => lines.push(line);
  return {
    hook: new HookProcess({ program, environment, input, account: undefined, timeoutMs, onLine }),
    lines,
  };
}

test("a program that ends well, with what it says", async (context) => {
  const { hook, lines } = start(context, "#!/bin/sh\necho one\necho two >&2\nprintf three\n");
  assert.equal(await hook.ended, undefined);
  assert.deepEqual(lines.sort(), ["one", "three", "two"]);
});

test("status, signal, and what is no program", async (context) => {
  assert.equal(
    await start(context, "#!/bin/sh\necho because\nexit 3\n").hook.ended,
    "ended with status 3: because",
  );
  assert.equal(await start(context, "#!/bin/sh\nkill -SEGV $$\n").hook.ended, "was ended by SIGSEGV");
  assert.equal(await start(context, "#!/no/such/shell\n").hook.ended, "cannot be run (ENOENT)");
});

test("a flood of output is cut, and held in no memory", async (context) => {
  const script = "#!/bin/sh\nyes | head -c 20000000\nhead -c 20000000 /dev/zero | tr '\\0' x\n";
  const { hook, lines } = start(context, script);
  assert.equal(await hook.ended, undefined);
  assert.equal(lines.length, 1_001);
  assert.equal(lines.at(-1), "(it says more than is logged)");
  assert.ok(lines.every((line) => line.length <= 1_000));
});

test("the limit of time ends the whole group", async (context) => {
  const { hook } = start(context, "#!/bin/sh\nsleep 300 &\nwait\n", 300);
  const group = hook["child"]?.pid ?? 0;
  assert.ok(group > 1);
  assert.equal(await hook.ended, "did not end within 0.3 s");
  await eventually("nothing of it is left", () => !fs.readdirSync("/proc").some((pid) => isIn(group, pid)));
});

test("what a program leaves in the background is not waited for", async (context) => {
  const { hook, lines } = start(context, "#!/bin/sh\nsleep 300 & echo started\n");
  assert.equal(await hook.ended, undefined);
  assert.deepEqual(lines, ["started"]);
  hook.kill("done with it");
});

/** Whether a process is of a group, and no zombie. */
function isIn(group: number, pid: string): boolean {
  try {
    const [, state, , of] =
      /\) (\S+) (\d+) (\d+) /.exec(fs.readFileSync(`/proc/${pid}/stat`, "latin1")) ?? [];
    return state !== "Z" && of === String(group);
  } catch {
    return false;
  }
}
