import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { findKeys } from "../../src/base/key-lines.ts";
import { UserError } from "../../src/base/user-error.ts";
import { addKey } from "../../src/cli/key-add.ts";
import { parseOptions } from "../../src/cli/options.ts";

const keyOf = (byte: number) => Buffer.alloc(32, byte).toString("base64");

function directoryOf(context: TestContext): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-add-"));
  context.after(() => fs.rmSync(directory, { recursive: true }));
  return directory;
}

function keyFile(context: TestContext, text: string, mode = 0o600): string {
  const file = path.join(directoryOf(context), "key");
  fs.writeFileSync(file, text, { mode });
  fs.chmodSync(file, mode);
  return file;
}

function refuses(file: string, sentence: RegExp): void {
  const before = fs.readFileSync(file);
  const neighbours = fs.readdirSync(path.dirname(file));
  assert.throws(
    () => addKey(file),
    (error) => error instanceof UserError && sentence.test(error.message),
  );
  assert.deepEqual(fs.readFileSync(file), before);
  assert.deepEqual(fs.readdirSync(path.dirname(file)), neighbours, "nothing is left behind");
}

test("a key is added at the end, and everything else stays", (context) => {
  for (const text of [`# mine\n\n${keyOf(1)}\n`, `${keyOf(1)}`, `${keyOf(1)}\r\n`]) {
    const file = keyFile(context, text, 0o640);
    assert.equal(addKey(file), 2);
    assert.equal(addKey(file), 3);
    const now = fs.readFileSync(file, "latin1");
    assert.ok(now.startsWith(text));
    const keys = findKeys(now, file);
    assert.deepEqual([keys.length, keys[0]], [3, keyOf(1)]);
    assert.equal(fs.statSync(file).mode & 0o7777, 0o640);
    assert.deepEqual(fs.readdirSync(path.dirname(file)), ["key"]);
  }
});

test("the file is replaced, so a daemon that reads it meanwhile has the old one whole", (context) => {
  const file = keyFile(context, `${keyOf(1)}\n`);
  const descriptor = fs.openSync(file, "r");
  addKey(file);
  assert.equal(fs.readFileSync(descriptor, "latin1"), `${keyOf(1)}\n`);
  fs.closeSync(descriptor);
});

const needsRoot = { skip: process.getuid?.() !== 0 && "only root can give files away" };

test("the owner and the group stay", needsRoot, (context) => {
  const file = keyFile(context, `${keyOf(1)}\n`);
  fs.chownSync(file, 12_345, 54_321);
  addKey(file);
  const { uid, gid, mode } = fs.statSync(file);
  assert.deepEqual([uid, gid, mode & 0o7777], [12_345, 54_321, 0o600]);
});

test("of a link, the file behind it is replaced", (context) => {
  const file = keyFile(context, `${keyOf(1)}\n`);
  const link = path.join(directoryOf(context), "link");
  fs.symlinkSync(file, link);
  assert.equal(addKey(link), 2);
  assert.equal(fs.readlinkSync(link), file);
  assert.equal(findKeys(fs.readFileSync(file, "latin1"), file).length, 2);
});

test("a link in the place of the unfinished file is not written through", (context) => {
  const file = keyFile(context, `${keyOf(1)}\n`);
  const victim = path.join(path.dirname(file), "victim");
  fs.writeFileSync(victim, "victim");
  fs.symlinkSync("victim", `${file}.new`);
  refuses(file, /\.new is there already: another msync changes the key file now/);
  assert.equal(fs.readFileSync(victim, "utf8"), "victim");
});

test("what is no key file stays as it is", (context) => {
  refuses(keyFile(context, ""), /holds no key: /);
  refuses(keyFile(context, `${keyOf(1)}\nnonsense\n`), /holds no key in line 2: /);
  refuses(keyFile(context, `${keyOf(1)}\n${keyOf(1)}\n`), /holds the key of line 1 again in line 2/);
  refuses(keyFile(context, `${keyOf(1)}\n`, 0o644), /can be read or changed by everybody: 'chmod 600 /);
  refuses(keyFile(context, "x".repeat(100_000)), /is too large for a key file/);
  refuses(
    keyFile(context, Array.from({ length: 8 }, (_, byte) => keyOf(byte)).join("\n")),
    /holds 8 keys already: remove the oldest first/,
  );
});

test("a file that is missing is told with the command that makes it", (context) => {
  const file = path.join(directoryOf(context), "none");
  assert.throws(() => addKey(file), /is missing: make it with 'msync --keygen /);
});

test("--add belongs to --keygen alone, and has a file", () => {
  assert.deepEqual(parseOptions(["--keygen", "--add", "/key"], undefined).addTo, "/key");
  for (const argv of [
    ["--add", "/key"],
    ["--keygen", "/other", "--add", "/key"],
    ["--members", "--add", "/key"],
  ]) {
    assert.throws(() => parseOptions(argv, undefined), /^UserError: --add is for --keygen alone: /);
  }
  assert.throws(() => parseOptions(["--keygen", "--add"], undefined), UserError);
});
