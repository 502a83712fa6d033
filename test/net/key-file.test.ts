import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { readKeyFile } from "../../src/net/key-file.ts";

const SECRET = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7));

let directory = "";
before(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-key-"))));
after(() => fs.rmSync(directory, { recursive: true }));

function keyFile(text: string, mode: number): string {
  const file = path.join(directory, "key");
  fs.rmSync(file, { force: true });
  fs.writeFileSync(file, text);
  fs.chmodSync(file, mode);
  return file;
}

const refuses = (file: string, sentence: RegExp) =>
  assert.throws(
    () => readKeyFile(file),
    (error) => error instanceof UserError && sentence.test(error.message),
  );

test("a key is read with a newline or without, and its group may read it", () => {
  const text = SECRET.toString("base64");
  assert.deepEqual(readKeyFile(keyFile(text, 0o600)), SECRET);
  assert.deepEqual(readKeyFile(keyFile(`${text}\n`, 0o640)), SECRET);
});

test("a key that everybody can read or change is refused", () => {
  const text = SECRET.toString("base64");
  for (const mode of [0o644, 0o604, 0o602, 0o601, 0o666]) refuses(keyFile(text, mode), /'chmod 600 /);
});

test("a missing key file is told with the command that makes one", () => {
  refuses(path.join(directory, "none"), /is missing: make one with 'msync --keygen /);
});

test("what is not just 32 bytes in base64 is no key", () => {
  const url = Buffer.alloc(32, 0xff).toString("base64url");
  const texts = ["", "secret", SECRET.toString("hex"), SECRET.subarray(1).toString("base64"), url];
  for (const text of [...texts, `${SECRET.toString("base64")}x`])
    refuses(keyFile(text, 0o600), /holds no key/);
});
