import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { bytesOfPath, entryPath } from "../../src/sys/entry-path.ts";
import {
  canReadAttributes,
  listAttributes,
  readAttribute,
  removeAttribute,
  setAttribute,
} from "../../src/sys/xattrs.ts";
import { asNobody, codeOf, isRoot, opened, temporaryDirectory, withoutFfi } from "./support.ts";

/** Extended attributes of real files. */

const PARENTS = ["/dev/shm", os.tmpdir()].filter((folder) => fs.existsSync(folder));
const parent = PARENTS.find(hasAttributes);
const options = parent === undefined ? { skip: `no user attributes in ${PARENTS.join(" or ")}` } : {};
const rootOptions = isRoot ? options : { skip: "only root can have trusted attributes" };

const NOT_UTF8 = "user.\xe9\xff\x01 x";

/** Only the error for missing attributes counts as false: any other error must fail the tests. */
function hasAttributes(folder: string): boolean {
  const name = path.join(folder, `makuosan-attribute-${process.pid}`);
  fs.writeFileSync(name, "");
  const code = codeOf(() => setAttribute(bytesOfPath(name), "user.probe", Buffer.from("1")));
  fs.unlinkSync(name);
  return code !== "ENOTSUP";
}

interface Place {
  readonly where: string;
  readonly directory: number;
  /** The path of a file through the directory's descriptor. */
  readonly file: Buffer;
}

function makePlace(context: TestContext): Place {
  const where = temporaryDirectory(context, parent);
  const directory = opened(context, where);
  fs.writeFileSync(Buffer.concat([bytesOfPath(`${where}/`), Buffer.from("f\xe9", "latin1")]), "");
  return { where, directory, file: entryPath(directory, "f\xe9") };
}

/** The attributes of this test: a security module may add its own. */
function ownNames(file: Buffer): string[] {
  return listAttributes(file)
    .filter((name) => !name.startsWith("security."))
    .sort();
}

function textOf(file: Buffer, name: string): string | undefined {
  const value = readAttribute(file, name);
  return value && Buffer.from(value).toString("latin1");
}

test("attributes are set, replaced, listed, read and removed, byte for byte", options, (context) => {
  assert.equal(canReadAttributes(), true);
  const { file } = makePlace(context);
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  assert.deepEqual(ownNames(file), []);
  setAttribute(file, "user.a", Buffer.from("first"));
  setAttribute(file, NOT_UTF8, bytes);
  setAttribute(file, "user.empty", new Uint8Array(0));
  assert.deepEqual(ownNames(file), ["user.a", "user.empty", NOT_UTF8].sort());
  assert.equal(textOf(file, "user.a"), "first");
  assert.deepEqual(readAttribute(file, NOT_UTF8), bytes);
  assert.deepEqual(readAttribute(file, "user.empty"), new Uint8Array(0));
  // A part of a larger array, and a shorter value after a longer one.
  setAttribute(file, "user.a", bytes.subarray(0x61, 0x64));
  assert.equal(textOf(file, "user.a"), "abc");
  removeAttribute(file, NOT_UTF8);
  removeAttribute(file, "user.a");
  assert.deepEqual(ownNames(file), ["user.empty"]);
});

test("a value stays what it was when the next one is read", options, (context) => {
  const { file } = makePlace(context);
  setAttribute(file, "user.a", Buffer.from("aaaa"));
  setAttribute(file, "user.b", Buffer.from("bb"));
  const first = readAttribute(file, "user.a");
  assert.equal(textOf(file, "user.b"), "bb");
  assert.deepEqual(first, new Uint8Array(Buffer.from("aaaa")));
});

test("large values come whole, and those at the edge of the first try", options, (context) => {
  const { file } = makePlace(context);
  const valueOf = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 7) % 251);
  for (const length of [1023, 1024, 1025, 2000]) {
    setAttribute(file, "user.edge", valueOf(length));
    assert.deepEqual(readAttribute(file, "user.edge"), valueOf(length));
  }
  removeAttribute(file, "user.edge");
  let stored = 0;
  for (const length of [3000, 15_000, 60_000, 65_536]) {
    const code = codeOf(() => setAttribute(file, "user.large", valueOf(length)));
    if (code === undefined) stored = length;
    else assert.match(code, /^(ENOSPC|E2BIG|ERANGE)$/, String(length));
    assert.deepEqual(readAttribute(file, "user.large"), valueOf(stored));
  }
  assert.ok(stored >= 3000);
  context.diagnostic(`the largest value was one of ${stored} bytes`);
  assert.equal(
    codeOf(() => setAttribute(file, "user.large", new Uint8Array(65_537))),
    "E2BIG",
  );
  assert.equal(readAttribute(file, "user.large")?.length, stored);
});

test("many names come whole", options, (context) => {
  const { file } = makePlace(context);
  const names = Array.from({ length: 12 }, (_, index) => `user.${String(index).padStart(200, "n")}`);
  for (const name of names) setAttribute(file, name, Buffer.from("v"));
  assert.deepEqual(ownNames(file), names.sort());
});

test("more names than the kernel lists are an error, not a part of them", options, (context) => {
  const { file } = makePlace(context);
  for (let index = 0; index < 270; index++) {
    const name = `user.${String(index).padStart(250, "n")}`;
    const code = codeOf(() => setAttribute(file, name, new Uint8Array(0)));
    if (code === undefined) continue;
    assert.match(code, /^(ENOSPC|E2BIG)$/);
    assert.equal(ownNames(file).length, index);
    context.skip(`the file system takes no more than ${index} names`);
    return;
  }
  assert.equal(
    codeOf(() => listAttributes(file)),
    "E2BIG",
  );
});

test("what is not there is undefined to read, and an error to remove", options, (context) => {
  const { file, directory } = makePlace(context);
  assert.equal(readAttribute(file, "user.none"), undefined);
  assert.equal(
    codeOf(() => removeAttribute(file, "user.none")),
    "ENODATA",
  );
  const nowhere = entryPath(directory, "nowhere");
  const actions = [
    () => listAttributes(nowhere),
    () => readAttribute(nowhere, "user.a"),
    () => setAttribute(nowhere, "user.a", Buffer.from("a")),
    () => removeAttribute(nowhere, "user.a"),
  ];
  assert.deepEqual(actions.map(codeOf), ["ENOENT", "ENOENT", "ENOENT", "ENOENT"]);
});

test("a directory has attributes of its own", options, (context) => {
  const { where, directory } = makePlace(context);
  fs.mkdirSync(path.join(where, "sub"));
  setAttribute(entryPath(directory, "sub"), "user.a", Buffer.from("d"));
  assert.equal(textOf(bytesOfPath(path.join(where, "sub")), "user.a"), "d");
});

test("no link is followed", options, (context) => {
  const { where, directory, file } = makePlace(context);
  setAttribute(file, "user.a", Buffer.from("of the file"));
  fs.symlinkSync(file, path.join(where, "link"));
  const link = entryPath(directory, "link");
  assert.deepEqual(ownNames(link), []);
  assert.equal(readAttribute(link, "user.a"), undefined);
  // Links cannot have attributes in the namespace user.
  assert.equal(
    codeOf(() => setAttribute(link, "user.a", Buffer.from("of the link"))),
    "EPERM",
  );
  assert.match(codeOf(() => removeAttribute(link, "user.a")) ?? "", /^(EPERM|ENODATA)$/);
  assert.equal(textOf(file, "user.a"), "of the file");
});

test("a link has attributes of administrators itself", rootOptions, (context) => {
  const { where, directory, file } = makePlace(context);
  fs.symlinkSync(file, path.join(where, "link"));
  const link = entryPath(directory, "link");
  const code = codeOf(() => setAttribute(link, "trusted.a", Buffer.from("of the link")));
  if (code === "EPERM") {
    context.skip("root has no power over this file system here");
    return;
  }
  assert.equal(code, undefined);
  assert.deepEqual(ownNames(link), ["trusted.a"]);
  assert.equal(textOf(link, "trusted.a"), "of the link");
  assert.deepEqual(ownNames(file), []);
  removeAttribute(link, "trusted.a");
  assert.deepEqual(ownNames(link), []);
});

test("an ordinary user is refused what is not its own", rootOptions, (context) => {
  const { where } = makePlace(context);
  // The user nobody can use this path, but not one over /proc/self, which belongs to root.
  const file = bytesOfPath(path.join(where, "plain"));
  fs.writeFileSync(file, "");
  fs.chmodSync(file, 0o600);
  fs.chmodSync(where, 0o755);
  setAttribute(file, "user.a", Buffer.from("a"));
  const codes = asNobody(() =>
    [
      () => readAttribute(file, "user.a"),
      () => setAttribute(file, "user.a", Buffer.from("b")),
      () => setAttribute(file, "trusted.a", Buffer.from("b")),
      () => removeAttribute(file, "user.a"),
    ].map(codeOf),
  );
  assert.deepEqual(codes, ["EACCES", "EACCES", "EPERM", "EACCES"]);
  assert.equal(textOf(file, "user.a"), "a");
});

test("a file system without attributes has an empty list, and takes none", () => {
  const file = bytesOfPath("/proc/self/comm");
  assert.deepEqual(ownNames(file), []);
  assert.equal(
    codeOf(() => setAttribute(file, "user.a", Buffer.from("a"))),
    "ENOTSUP",
  );
  assert.equal(
    codeOf(() => readAttribute(file, "user.a")),
    "ENOTSUP",
  );
});

test("names and paths that cannot be are refused before the call", options, (context) => {
  const { file } = makePlace(context);
  const value = Buffer.from("a");
  for (const name of ["", "user.a\0b", "user.\u0100", `user.${"n".repeat(251)}`, "n".repeat(5000)]) {
    const actions = [
      () => setAttribute(file, name, value),
      () => readAttribute(file, name),
      () => removeAttribute(file, name),
    ];
    assert.deepEqual(actions.map(codeOf), ["EINVAL", "EINVAL", "EINVAL"], name.slice(0, 20));
  }
  const cut = Buffer.concat([file, Buffer.from("\0more")]);
  const actions = [() => listAttributes(cut), () => setAttribute(cut, "user.a", value)];
  assert.deepEqual(actions.map(codeOf), ["EINVAL", "EINVAL"]);
  assert.deepEqual(ownNames(file), []);
  const longest = `user.${"n".repeat(250)}`;
  setAttribute(file, longest, value);
  assert.equal(textOf(file, longest), "a");
});

test("without the library nothing is listed or read, and setting says why", (context) => {
  const name = path.join(temporaryDirectory(context, parent), "file");
  fs.writeFileSync(name, "");
  if (parent !== undefined) setAttribute(bytesOfPath(name), "user.a", Buffer.from("a"));
  const expression = `((file) => [
    sys.canReadAttributes(),
    sys.listAttributes(file),
    sys.readAttribute(file, "user.a") ?? null,
    codeOf(() => sys.setAttribute(file, "user.b", Buffer.from("b"))),
    codeOf(() => sys.removeAttribute(file, "user.a")),
    codeOf(() => sys.readAttribute(file, "")),
  ])(Buffer.from(given[0]))`;
  const found = withoutFfi("xattrs.ts", expression, name);
  assert.deepEqual(found, [false, [], null, "ENOSYS", "ENOSYS", "EINVAL"]);
  if (parent !== undefined) assert.deepEqual(ownNames(bytesOfPath(name)), ["user.a"]);
});
