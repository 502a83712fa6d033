import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
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
  assert.deepEqual(readKeyFile(keyFile(text, 0o600)), [SECRET]);
  assert.deepEqual(readKeyFile(keyFile(`${text}\n`, 0o640)), [SECRET]);
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

const keyOf = (byte: number) => Buffer.alloc(32, byte).toString("base64");

test("several keys are read in their order, between comments and empty lines, with line ends of any system", () => {
  const lines = ["# the new one", `  ${keyOf(2)}\t`, "", "#", keyOf(1), `# ${keyOf(3)}`, keyOf(0)];
  for (const end of ["\n", "\r\n"]) {
    const keys = readKeyFile(keyFile(lines.join(end), 0o600));
    assert.deepEqual(
      keys.map((key) => [key.length, key[0]]),
      [
        [32, 2],
        [32, 1],
        [32, 0],
      ],
    );
  }
});

test("a line that is no key is told with its number, and is not shown", () => {
  const almost = `${keyOf(9).slice(0, -1)}x`;
  const file = keyFile(`${keyOf(1)}\n\n${almost}\n`, 0o600);
  refuses(file, /^the key file \S+ holds no key in line 3: /);
  assert.throws(
    () => readKeyFile(file),
    (error: Error) => !error.message.includes(almost.slice(0, 10)),
  );
  refuses(keyFile(`${keyOf(1)} # mine\n`, 0o600), /in line 1: /);
  refuses(keyFile(`\ufeff${keyOf(1)}\n`, 0o600), /in line 1: /);
  refuses(keyFile(`${keyOf(1)}\r${keyOf(2)}\n`, 0o600), /in line 1: /);
});

test("a key has one form: bits without a meaning are refused", () => {
  const text = keyOf(0);
  assert.deepEqual(Buffer.from(`${text.slice(0, 42)}B=`, "base64"), Buffer.alloc(32));
  refuses(keyFile(`${text.slice(0, 42)}B=`, 0o600), /holds no key in line 1/);
});

test("the same key twice is refused with both lines", () => {
  refuses(
    keyFile(`# one\n${keyOf(1)}\n${keyOf(2)}\n${keyOf(1)}\n`, 0o600),
    /holds the key of line 2 again in line 4: remove one$/,
  );
});

test("a file has 8 keys at the most", () => {
  const keys = (count: number) => Array.from({ length: count }, (_, byte) => keyOf(byte)).join("\n");
  assert.equal(readKeyFile(keyFile(keys(8), 0o600)).length, 8);
  refuses(keyFile(keys(9), 0o600), /holds 9 keys: keep 8 at the most/);
});

test("a file of comments alone holds no key", () => {
  for (const text of ["# nothing", "\n\n", `# ${keyOf(1)}`]) refuses(keyFile(text, 0o600), /holds no key: /);
});

test("a file that is too large, binary or no file at all is refused, and never waited for", () => {
  const comment = `#${"x".repeat(64 * 1024 - 46)}\n${keyOf(1)}`;
  assert.equal(readKeyFile(keyFile(comment, 0o600)).length, 1);
  refuses(keyFile(`${comment}\n\n`, 0o600), /is larger than 65536 bytes/);
  refuses(keyFile(Buffer.alloc(1000).toString("latin1"), 0o600), /holds no key in line 1/);
  const file = keyFile("", 0o600);
  fs.rmSync(file);
  execFileSync("mkfifo", ["-m", "600", file]);
  refuses(file, /is not a regular file/);
  refuses("/dev/zero", /is not a regular file/);
  refuses(directory, /is not a regular file/);
});

test("a link leads to the key, and the mode of the file counts", () => {
  const link = path.join(directory, "link");
  fs.symlinkSync("key", link);
  keyFile(keyOf(1), 0o600);
  assert.equal(readKeyFile(link).length, 1);
  keyFile(keyOf(1), 0o644);
  refuses(link, /can be read or changed by everybody/);
});
