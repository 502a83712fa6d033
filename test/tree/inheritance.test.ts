import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { finish } from "../../src/base/steps.ts";
import { readAttribute, setAttribute } from "../../src/sys/xattrs.ts";
import { Owners } from "../../src/tree/entries/owners.ts";
import { type Acl, aclOf, aclValue } from "../support/acl.ts";
import { StagingPair } from "../support/staging.ts";

/** New entries get what an entry that is made by hand in their directory gets; own attributes outlive a change of the mode. */

const ACCESS = "system.posix_acl_access";
const DEFAULT = "system.posix_acl_default";
const READER: Acl = { user: 7, group: 5, mask: 7, other: 5, 12345: 7 };
const OTHER_READER: Acl = { user: 7, group: 5, mask: 7, other: 5, 54321: 5 };

let pair: StagingPair;

beforeEach(() => {
  pair = new StagingPair();
});

afterEach(() => pair.destroy());

const takesAcls = (() => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-acl-"));
  try {
    setAttribute(Buffer.from(directory), DEFAULT, aclValue(READER));
    return true;
  } catch {
    return false;
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
})();
const withAcls = { skip: !takesAcls && "the temporary directory takes no access control lists" };
const asRoot = { skip: process.getuid?.() !== 0 && "only root can give files to any group" };

function write(base: string, names: readonly string[], mode = 0o640): void {
  for (const name of names) {
    fs.mkdirSync(path.dirname(path.join(base, name)), { recursive: true });
    fs.writeFileSync(path.join(base, name), name);
    fs.chmodSync(path.join(base, name), mode);
  }
}

const at = (name: string) => Buffer.from(path.join(pair.to, name));
const setAcl = (name: string, attribute: string, acl: Acl) =>
  setAttribute(at(name), attribute, aclValue(acl));
const aclAt = (name: string, attribute: string) => aclOf(readAttribute(at(name), attribute));
const modeOf = (name: string) => fs.statSync(at(name)).mode & 0o7777;

/** What an entry has that is made by hand, with the mode that the sender's has. */
function byHand(directory: string, mode: number, isDirectory = false): Record<string, unknown> {
  const name = path.join(directory, "by-hand");
  if (isDirectory) fs.mkdirSync(at(name));
  else fs.writeFileSync(at(name), "");
  const isPassedOn = isDirectory ? fs.statSync(at(name)).mode & 0o2000 : 0;
  fs.chmodSync(at(name), mode | isPassedOn);
  const facts = factsOf(name);
  fs.rmSync(at(name), { recursive: true });
  return facts;
}

function factsOf(name: string): Record<string, unknown> {
  const { mode, gid } = fs.statSync(at(name));
  const acls = [ACCESS, DEFAULT].map((one) => (takesAcls ? aclAt(name, one) : undefined));
  return { mode: (mode & 0o7777).toString(8), gid, access: acls[0], default: acls[1] };
}

/** One file in the base directory, in a directory, in a directory below that, and in new directories of each. */
const FILES = ["f", "d/f", "d/e/f", "n/f", "d/n/f", "d/n/o/f", "d/e/n/f"];

for (const [where, directories] of Object.entries({
  "the base directory alone": ["."],
  "a directory alone": ["d"],
  "a directory and the one below": ["d", "d/e"],
  "the base directory and one below, but not between them": [".", "d/e"],
  "every directory": [".", "d", "d/e"],
})) {
  test(`a default list of ${where} is that of new entries in it, and of no others`, withAcls, () => {
    fs.mkdirSync(path.join(pair.to, "d/e"), { recursive: true });
    for (const [index, name] of directories.entries())
      setAcl(name, DEFAULT, index === 0 ? READER : OTHER_READER);
    const expected = new Map([".", "d", "d/e"].map((name) => [name, byHand(name, 0o640)]));
    const newDirectories = new Map([".", "d", "d/e"].map((name) => [name, byHand(name, 0o755, true)]));
    write(pair.from, FILES);
    pair.push();
    for (const name of FILES) {
      const [above = "."] = [path.dirname(name).replace(/(^|\/)n(\/o)?$/, "")].filter(Boolean);
      assert.deepEqual(factsOf(name), expected.get(above), name);
      const own = path.dirname(name);
      if (above !== own && own !== ".") assert.deepEqual(factsOf(own), newDirectories.get(above), own);
    }
    // The next push finds nothing to do.
    const wanted = pair.wanted;
    pair.push();
    assert.equal(pair.wanted, wanted);
    assert.deepEqual(pair.leftOver(), []);
  });
}

test("each of two directories passes on its own list, file by file in turns", withAcls, () => {
  const names = ["a/1", "b/1", "c/1"].flatMap((name) => [name, name.replace("1", "2")]);
  for (const name of ["a", "b", "c"]) fs.mkdirSync(at(name));
  setAcl("a", DEFAULT, READER);
  setAcl("b", DEFAULT, OTHER_READER);
  write(pair.from, names, 0o664);
  pair.push();
  for (const name of names) {
    const facts = { a: READER, b: OTHER_READER, c: undefined }[name.slice(0, 1)];
    assert.equal(modeOf(name), 0o664);
    const expected = facts === undefined ? undefined : { ...facts, user: 6, mask: 6, other: 4 };
    assert.deepEqual(aclAt(name, ACCESS), expected, name);
  }
});

test("a list that the sender sends counts, also where it sends none", withAcls, () => {
  fs.mkdirSync(at("d"));
  setAcl("d", DEFAULT, READER);
  setAcl(".", DEFAULT, READER);
  write(pair.from, ["d/with", "d/without"]);
  const acl = { user: 6, group: 4, mask: 4, other: 0, 777: 4 };
  setAttribute(Buffer.from(path.join(pair.from, "d/with")), ACCESS, aclValue(acl));
  pair.scanRules = { sendsAttributes: true };
  pair.push();
  assert.deepEqual(aclAt("d/with", ACCESS), acl);
  assert.equal(aclAt("d/without", ACCESS), undefined);
});

for (const [what, change] of [
  ["mode", (file: string) => fs.chmodSync(file, 0o604)],
  ["time", (file: string) => fs.utimesSync(file, 1_000_000, 1_000_000)],
] as const) {
  test(`where only the ${what} changes, the member's own lists and attributes stay`, withAcls, () => {
    write(pair.from, ["d/f", "d/plain"]);
    pair.push();
    setAcl("d", DEFAULT, OTHER_READER);
    setAcl("d/f", ACCESS, { user: 6, group: 4, mask: 4, other: 0, 12345: 6 });
    setAttribute(at("d/f"), "user.note", Buffer.from("mine"));
    fs.chmodSync(at("d/f"), 0o640);
    const before = fs.statSync(at("d/f")).ino;
    pair.sentSegments = 0;
    pair.scanRules = { comparesContents: true };
    for (const name of ["d/f", "d/plain"]) change(path.join(pair.from, name));
    pair.push();
    assert.equal(pair.sentSegments, 0);
    assert.notEqual(fs.statSync(at("d/f")).ino, before);
    assert.equal(Buffer.from(readAttribute(at("d/f"), "user.note") ?? []).toString(), "mine");
    const mask = what === "mode" ? 0 : 4;
    const other = what === "mode" ? 4 : 0;
    assert.deepEqual(aclAt("d/f", ACCESS), { user: 6, group: 4, mask, other, 12345: 6 });
    assert.equal(aclAt("d/plain", ACCESS), undefined, "it had none, whatever its directory passes on by now");
    assert.equal(modeOf("d/plain"), what === "mode" ? 0o604 : 0o640);
  });
}

test("capabilities of a program stay with its owner, and go with another one", asRoot, () => {
  write(pair.from, ["same", "other"], 0o755);
  pair.push();
  const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
  for (const name of ["same", "other"]) {
    setAttribute(at(name), "security.capability", capability);
    fs.chmodSync(path.join(pair.from, name), 0o750);
  }
  fs.chownSync(path.join(pair.from, "other"), 12, 12);
  pair.push();
  assert.deepEqual(Buffer.from(readAttribute(at("same"), "security.capability") ?? []), capability);
  assert.equal(readAttribute(at("other"), "security.capability"), undefined);
});

test(
  "a directory with the set-group-id bit passes on its group and its bit, where no group is set",
  asRoot,
  () => {
    Object.assign(pair.rules, { keepOwner: false, ownGroups: new Set([0]), owners: new Owners() });
    for (const name of ["d", "d/e", "plain"]) fs.mkdirSync(at(name));
    for (const [name, group] of [
      ["d", 34],
      ["d/e", 35],
    ] as const) {
      fs.chownSync(at(name), 0, group);
      fs.chmodSync(at(name), 0o2775);
    }
    const directories = ["d", "d/e", "plain"];
    const files = new Map(directories.map((name) => [name, byHand(name, 0o640)]));
    const made = new Map(directories.map((name) => [name, byHand(name, 0o755, true)]));
    const names = directories.flatMap((name) => [`${name}/f`, `${name}/n/f`, `${name}/n/o/f`]);
    write(pair.from, names);
    // A group that the member does not give.
    for (const name of fs.readdirSync(pair.from, { recursive: true, encoding: "utf8" }))
      fs.chownSync(path.join(pair.from, name), 0, 77);
    pair.push();
    for (const name of directories) {
      assert.deepEqual(factsOf(`${name}/f`), files.get(name), name);
      for (const one of ["n", "n/o"])
        assert.deepEqual(factsOf(`${name}/${one}`), made.get(name), `${name}/${one}`);
      assert.deepEqual(factsOf(`${name}/n/o/f`), files.get(name), name);
    }
    assert.equal(modeOf("d").toString(8), "2755", "the bit of the administrator stays");
    const wanted = pair.wanted;
    pair.push();
    assert.equal(pair.wanted, wanted);
  },
);

test("nothing of the staging area has a list of the base directory", withAcls, () => {
  setAcl(".", DEFAULT, READER);
  write(pair.from, ["f"]);
  const stage = pair.stage();
  const [area = ""] = pair.leftOver();
  for (const name of [".makuosan", path.join(".makuosan", area), path.join(".makuosan", area, "journal")])
    assert.equal(aclAt(name, ACCESS), undefined, name);
  assert.equal(aclAt(".makuosan", DEFAULT), undefined);
  finish(stage.clean());
});
