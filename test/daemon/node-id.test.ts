import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { pino } from "pino";
import { identify } from "../../src/daemon/service/node-identity.ts";
import type { Settings } from "../../src/daemon/settings/settings.ts";

/** Programs of the daemon's user can write to the directory that keeps the node's id. */

const SETTINGS = { base: "/srv", hostName: "host1", port: 5000 } as unknown as Settings;

/** A file of 1 TiB without a byte in it. */
function makeEndless(file: string): void {
  fs.writeFileSync(file, "");
  fs.truncateSync(file, 2 ** 40);
}

test("an id is drawn again where a link, a FIFO, or a file without end stands in its place", (context) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-node-id-"));
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  const lines: string[] = [];
  const log = pino({}, { write: (line) => lines.push(line) });
  const draw = () => identify(SETTINGS, "10.0.0.1", directory, log).nodeId;
  const first = draw();
  assert.equal(draw(), first);
  const file = path.join(directory, "node-id");
  const other = path.join(directory, "other");
  fs.copyFileSync(file, other);
  const ids = new Set([first]);
  for (const make of [
    () => fs.symlinkSync(other, file),
    () => fs.symlinkSync("/dev/zero", file),
    () => execFileSync("mkfifo", [file]),
    () => makeEndless(file),
  ]) {
    fs.rmSync(file);
    make();
    const drawn = draw();
    assert.ok(!ids.has(drawn));
    ids.add(drawn);
    assert.equal(draw(), drawn, "it is kept");
  }
  assert.deepEqual(lines, []);
});
