import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

/** What stands in the place of a list of paths in the state directory. */

const MODULE = path.join(import.meta.dirname, "../../src/daemon/disk/leaving.ts");

/** A process that would wait for ever is ended, and is an error. */
const SCRIPT = `
const { leaveToLater } = await import(process.argv[1]);
try {
  leaveToLater({ stage: { leaveTo: (later) => later() }, record: undefined }, process.argv[2], ["list"]);
} catch (error) {
  console.log(error.reason.code);
}
`;

test("a FIFO, a device, a link or a directory in the place of a list is no list, and nobody waits for it", (context) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-list-"));
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  const file = path.join(directory, "list");
  const makers: readonly (() => void)[] = [
    () => execFileSync("mkfifo", [file]),
    () => fs.symlinkSync("/dev/zero", file),
    () => fs.mkdirSync(file),
    () => fs.writeFileSync(file, "damaged"),
  ];
  for (const make of makers) {
    make();
    const options = ["--input-type=module", "-e", SCRIPT, MODULE, `${directory}/`];
    const said = execFileSync(process.execPath, options, {
      encoding: "utf8",
      timeout: 30_000,
      killSignal: "SIGKILL",
    });
    assert.equal(said.trim(), "newer-push");
    fs.rmSync(file, { recursive: true });
  }
});
