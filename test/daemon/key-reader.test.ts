import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { directKeyReader, type KeyReader, KeyReaderProcess } from "../../src/daemon/service/key-reader.ts";

/** Both ways to read a key file say the same of every file. */

const KEY = Buffer.alloc(32, 7);
const TEXT = `# comment\n${KEY.toString("base64")}\n`;

function fileFor(context: TestContext): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-reader-"));
  context.after(() => fs.rmSync(directory, { recursive: true }));
  return path.join(directory, "a key; $(touch x) 'file'");
}

/** The keys, or the sentence of the refusal. */
async function result(reader: KeyReader): Promise<Buffer[] | string> {
  try {
    return await reader.read();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error.message;
  }
}

/** Files of all kinds, each in the place of the one before. */
const CONTENTS: readonly (readonly [
  name: string,
  make: (file: string) => void,
  expected: RegExp | undefined,
])[] = [
  ["a key", (file) => fs.writeFileSync(file, TEXT), undefined],
  ["the same again", () => undefined, undefined],
  ["nothing", (file) => fs.rmSync(file), /is missing/],
  ["an empty file", (file) => fs.writeFileSync(file, "", { mode: 0o600 }), /holds no key: /],
  [
    "bytes of all kinds",
    (file) => fs.writeFileSync(file, crypto.randomBytes(5_000)),
    /holds no key in line 1/,
  ],
  [
    "far too much",
    (file) => fs.writeFileSync(file, Buffer.alloc(5_000_000, "\n.\n")),
    /is larger than 65536 bytes/,
  ],
  ["words of the answer", (file) => fs.writeFileSync(file, "\n.\nENOENT\n.\n"), /in line 2/],
  ["a file for everybody", (file) => fs.chmodSync(file, 0o604), /can be read or changed by everybody/],
  [
    "a directory",
    (file) => {
      fs.rmSync(file);
      fs.mkdirSync(file);
    },
    /is not a regular file/,
  ],
  [
    "a pipe without an end",
    (file) => {
      fs.rmdirSync(file);
      execFileSync("mkfifo", ["-m", "600", file]);
    },
    /is not a regular file/,
  ],
  [
    "a link to nothing",
    (file) => {
      fs.rmSync(file);
      fs.symlinkSync("nowhere", file);
    },
    /is missing/,
  ],
  ["a key again", (file) => (fs.rmSync(file), fs.writeFileSync(file, TEXT, { mode: 0o600 })), undefined],
];

test("the process says of a file what the daemon would say itself", async (context) => {
  const file = fileFor(context);
  fs.writeFileSync(file, TEXT, { mode: 0o600 });
  const reader = new KeyReaderProcess(file);
  context.after(() => reader.stop());
  for (const [name, make, expected] of CONTENTS) {
    make(file);
    const [own, others] = [await result(directKeyReader(file)), await result(reader)];
    assert.deepEqual(others, own, name);
    if (expected === undefined) assert.deepEqual(own, [KEY], name);
    else assert.match(String(own), expected, name);
  }
  assert.deepEqual(fs.readdirSync(path.dirname(file)).length, 1, "the name of the file is no command");
});

test(
  "a key file that belongs to the daemon's user alone is read again",
  { skip: process.geteuid?.() === 0 ? false : "only root can give files away" },
  async (context) => {
    const file = fileFor(context);
    fs.writeFileSync(file, TEXT, { mode: 0o600 });
    fs.chownSync(file, 65534, 65534);
    const reader = new KeyReaderProcess(file);
    context.after(() => reader.stop());
    assert.deepEqual(await result(reader), [KEY]);
    fs.rmSync(file);
    assert.match(String(await result(reader)), /is missing/);
  },
);

test("a process that has ended is told, and nobody waits for it", async (context) => {
  const file = fileFor(context);
  fs.writeFileSync(file, TEXT, { mode: 0o600 });
  const reader = new KeyReaderProcess(file);
  assert.deepEqual(await reader.read(), [KEY]);
  const { pid } = reader["child"];
  const ended = new Promise((resolve) => reader["child"].once("exit", resolve));
  reader.stop();
  await ended;
  assert.throws(() => process.kill(pid ?? 0, 0));
  await assert.rejects(
    reader.read(),
    /^UserError: .* cannot be read again, because .* has ended: restart makuosan$/,
  );
});
