import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { JournalWriter } from "../../src/tree/apply/journal.ts";
import { StepKind } from "../../src/tree/decide/decision.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { acquainted, type Host } from "../support/host.ts";
import { LoopbackFleet } from "../support/loopback.ts";
import { eventually } from "../support/processes.ts";

/** A daemon that keeps owners as another user: programs of that user cannot use its power. */

const NOBODY = 65_534;
const options = { skip: process.getuid?.() !== 0 && "only root can give a program these capabilities" };
const CAPABILITIES = "+chown,+dac_override,+fowner,+fsetid";

/** How the daemon gets what it needs: from root, or from a service manager. */
const STARTS: Readonly<Record<string, { prefix: string[]; more: string[] }>> = {
  "from root with a user": { prefix: [], more: ["-u", "nobody", "--keep-owner"] },
  "never as root, with ambient capabilities": {
    prefix: [
      ...["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"],
      ...[`--inh-caps=${CAPABILITIES}`, `--ambient-caps=${CAPABILITIES}`, "--"],
    ],
    more: ["--keep-owner"],
  },
};

function makeFleet(context: TestContext, start: string, more: readonly string[] = []): [Host, Host, string] {
  const { prefix = [], more: own = [] } = STARTS[start] ?? {};
  const fleet = LoopbackFleet.create(2, [...own, ...more]);
  context.after(() => fleet.destroy());
  for (const host of fleet.hosts) Object.assign(host, { place: { prefix } });
  const [sender, member] = fleet.hosts as [Host, Host];
  return [sender, member, fleet.directory];
}

/** Makes what a program of the daemon's user can make: an area that leads out of the base directory, to be committed. */
function plant(base: string, outside: string): void {
  const area = path.join(base, ".makuosan", "x-1");
  fs.mkdirSync(area, { recursive: true, mode: 0o700 });
  fs.symlinkSync(outside, path.join(area, "tree"));
  const handle = linuxDisk.openRoot(area);
  const journal = new JournalWriter(linuxDisk, handle, "commit");
  journal.add(StepKind.place, EntryType.file, "secret");
  journal.finish();
  linuxDisk.closeDirectory(handle);
  for (const name of ["commit", "tree", "", ".."]) fs.lchownSync(path.join(area, name), NOBODY, NOBODY);
}

for (const start of Object.keys(STARTS)) {
  test(
    `what the daemon's user has put in the place of the staging area is not believed, ${start}`,
    options,
    async (context) => {
      const [sender, member] = makeFleet(context, start);
      const outside = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-outside-"));
      context.after(() => fs.rmSync(outside, { recursive: true }));
      fs.writeFileSync(path.join(outside, "secret"), "secret", { mode: 0o600 });
      plant(member.base, outside);
      await Promise.all([sender.start(), member.start()]);
      await acquainted([sender, member]);
      const area = path.join(member.base, ".makuosan", "x-1");
      await eventually("the area is out of the way", () => !fs.existsSync(area));
      assert.deepEqual(fs.readdirSync(outside), ["secret"]);
      assert.ok(!fs.existsSync(path.join(member.base, "secret")));

      // Also between two pushes.
      plant(member.base, outside);
      fs.writeFileSync(path.join(sender.base, "file"), "contents", { mode: 0o640 });
      fs.chownSync(path.join(sender.base, "file"), 12, 34);
      assert.deepEqual(await sender.msync("file"), { status: 0, stdout: "", stderr: "" });
      const { uid, gid, mode } = fs.statSync(path.join(member.base, "file"));
      assert.deepEqual({ uid, gid, mode: mode & 0o7777 }, { uid: 12, gid: 34, mode: 0o640 });
      const { stdout } = await member.stop();
      const moved = fs.readdirSync(member.base).filter((name) => name.startsWith(".makuosan"));
      assert.equal(moved.length, 2, moved.join(" "));
      for (const name of moved) {
        const full = path.join(member.base, name);
        assert.ok(
          stdout.includes(`it is ${full} now: see who made it, and remove it with 'rm -r ${full}'`),
          stdout,
        );
        assert.ok(fs.existsSync(path.join(full, "x-1/commit")));
      }
    },
  );

  test(
    `while something is staged, the staging area is root's and closed, ${start}`,
    options,
    async (context) => {
      const hooked = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-hook-"));
      context.after(() => fs.rmSync(hooked, { recursive: true }));
      fs.chmodSync(hooked, 0o755);
      const hook = path.join(hooked, "hook");
      const script = 'stat -c "%u %a" "$MAKUOSAN_BASE/.makuosan"; ls "$MAKUOSAN_BASE/.makuosan" 2>&1; cat';
      fs.writeFileSync(hook, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const [sender, member] = makeFleet(context, start);
      await Promise.all([sender.start(), member.start("--pre-commit", hook)]);
      await acquainted([sender, member]);
      fs.writeFileSync(path.join(sender.base, "file"), "contents");
      assert.deepEqual(await sender.msync("file"), { status: 0, stdout: "", stderr: "" });
      const { stdout } = await member.stop();
      assert.match(stdout, /\b0 700\b/);
      assert.match(stdout, /Permission denied/);
      assert.match(stdout, /file/);
      assert.ok(!fs.existsSync(path.join(member.base, ".makuosan")));
    },
  );
}
