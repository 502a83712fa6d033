import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { BaseMark } from "../../src/daemon/service/base-mark.ts";

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
