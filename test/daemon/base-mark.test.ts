import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { BaseMark } from "../../src/daemon/service/base-mark.ts";
import { nativeFunction } from "../../src/sys/native.ts";

/** Marks of other users in the directory that all daemons of a host share. */

const skip = process.geteuid?.() === 0 ? false : "files of two users need root";
const [OWNER, DAEMON] = [65_533, 65_534];

test(
  "a mark that the owner of the base directory has left, and that cannot be removed, is no rival",
  { skip },
  (context) => {
    const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-mark-"));
    context.after(() => fs.rmSync(base, { recursive: true }));
    fs.chownSync(base, OWNER, OWNER);
    const directory = fs.openSync(base, "r");
    const { dev, ino } = fs.fstatSync(directory, { bigint: true });
    const rest = `/dev/shm/makuosan-base-${dev.toString(16)}-${ino.toString(16)}-rest`;
    fs.writeFileSync(rest, "");
    context.after(() => fs.rmSync(rest, { force: true }));
    fs.chownSync(rest, OWNER, OWNER);
    fs.chmodSync(rest, 0o666);
    process.seteuid?.(DAEMON);
    try {
      const mark = BaseMark.make(directory) ?? assert.fail("it can be made");
      assert.equal(mark.hasRival(), false);
      mark.release();
    } finally {
      process.seteuid?.(0);
      fs.closeSync(directory);
    }
    assert.ok(fs.existsSync(rest));
  },
);

test("a rest at which another daemon looks in the same moment is no rival", (context) => {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-mark-"));
  context.after(() => fs.rmSync(base, { recursive: true }));
  const directory = fs.openSync(base, "r");
  const { dev, ino } = fs.fstatSync(directory, { bigint: true });
  const rest = `/dev/shm/makuosan-base-${dev.toString(16)}-${ino.toString(16)}-rest`;
  const looking = fs.openSync(rest, "w", 0o600);
  context.after(() => fs.rmSync(rest, { force: true }));
  // The lock that isUnlocked() has for a moment.
  const shared = 1;
  assert.equal(nativeFunction("int flock(int, int)")?.(looking, shared), 0);
  const mark = BaseMark.make(directory) ?? assert.fail("it can be made");
  assert.equal(mark.hasRival(), false);
  assert.equal(fs.existsSync(rest), false);
  for (const descriptor of [looking, directory]) fs.closeSync(descriptor);
  const again = fs.openSync(base, "r");
  const second = BaseMark.make(again) ?? assert.fail("it can be made");
  assert.equal(second.hasRival(), true, "a daemon that runs is one");
  for (const one of [mark, second]) one.release();
  fs.closeSync(again);
});
