import assert from "node:assert/strict";
import fs from "node:fs";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { nativeLibraryPath } from "../../src/sys/native.ts";
import { releaseExecutable } from "../../src/sys/executable-memory.ts";

/** How much of the executable is in this process's memory, in KiB. */
const residentKib = () =>
  Number(/^RssFile:\s+(\d+) kB$/m.exec(fs.readFileSync("/proc/self/status", "utf8"))?.[1]);

const skip = process.env["MAKUOSAN_WITHOUT_FFI"] === "1";

/** Mappings of the executable's code: where in the file each begins, and its length. */
function codeMappings(): { offset: number; kib: number }[] {
  const executable = fs.realpathSync("/proc/self/exe");
  const lines = fs.readFileSync("/proc/self/maps", "latin1").split("\n");
  return lines
    .filter((line) => line.endsWith(executable) && / r-xp /.test(line))
    .map((line) => {
      const [range = "", , offset = ""] = line.split(" ");
      const [start = 0, end = 0] = range.split("-").map((hex) => parseInt(hex, 16));
      return { offset: parseInt(offset, 16), kib: (end - start) / 1024 };
    });
}

// The first two tests: what is taken is chosen at the first call.
test("where the kernel does not tell what the parts are, nothing is given back, and nothing else happens", (context) => {
  nativeLibraryPath();
  for (const code of ["EMFILE", "ENOENT", "EACCES"]) {
    const fail = () => {
      throw Object.assign(new Error(code), { code });
    };
    const reading = context.mock.method(fs, "readFileSync", fail);
    releaseExecutable();
    assert.equal(reading.mock.callCount(), skip ? 0 : 1);
    reading.mock.restore();
  }
});

test("copies of V8's functions, which come and go with threads, are left alone", { skip }, async () => {
  const worker = new Worker("require('node:worker_threads').parentPort.once('message', () => {})", {
    eval: true,
  });
  await once(worker, "online");
  releaseExecutable();
  const mappings = codeMappings();
  const firstCopy = mappings.findIndex(({ offset }, index) => offset < (mappings[index - 1]?.offset ?? 0));
  assert.ok(firstCopy > 0, "there is a copy");
  const pieces = mappings.slice(firstCopy).filter(({ kib }) => kib === 64);
  assert.equal(pieces.length, 0);
  await worker.terminate();
});

test("pages of the executable are given back, and the program goes on", { skip }, () => {
  nativeLibraryPath();
  const before = residentKib();
  releaseExecutable();
  const after = residentKib();
  assert.ok(after < before * 0.8, `${before} KiB, then ${after} KiB`);
  // Everything that was written in the file's memory is as it was: tables of functions, above all.
  assert.equal(JSON.stringify({ a: [1, 2] }), '{"a":[1,2]}');
  assert.match(new Intl.DateTimeFormat("en").format(0), /1970/);
});

test("what is used again brings no more than its surroundings back", { skip }, () => {
  releaseExecutable();
  const pieces = codeMappings().map(({ kib }) => kib);
  const whole = pieces.filter((kib) => kib === 64);
  assert.ok(whole.length > 300, `${whole.length} of ${pieces.length} pieces`);
});

test(
  "it can be given back any number of times, also when threads came and went meanwhile",
  { skip },
  async () => {
    for (let times = 0; times < 3; times++) {
      const worker = new Worker("require('node:zlib').deflateSync('a')", { eval: true });
      await once(worker, "exit");
      releaseExecutable();
      assert.equal(JSON.stringify({ a: [times] }), `{"a":[${times}]}`);
    }
  },
);
