import assert from "node:assert/strict";
import { test } from "node:test";
import { finish } from "../../../src/base/steps.ts";
import { boundUndoAreas, undoAreas } from "../../../src/tree/apply/undo-areas.ts";
import { Directories } from "../../../src/tree/disk/directories.ts";
import { removeEntry } from "../../../src/tree/disk/remove.ts";
import { failKind } from "../../disk/faults.ts";
import { Member, reasonOf } from "./member.ts";
import { change, KEEPING, looks, OLD } from "./undo-fixture.ts";

/** What a commit has kept was damaged since, or something of it was deleted: nothing is taken back by it. */

const AREA = ".makuosan/undo-t-1";

/** Opens the area. */
function withArea(member: Member, use: (area: Directories) => void): void {
  const { memory, base } = member;
  const area = new Directories(memory, base.handle(AREA));
  use(area);
  area.forgetAll();
  base.forgetAll();
}

function overwrite(member: Member, name: string, text: string): void {
  withArea(member, ({ disk, root }) => {
    removeEntry(disk, root, name);
    const file = disk.makeFile(root, name, 0o600);
    disk.write(file, Buffer.from(text), 0);
    disk.closeFile(file);
  });
}

const remove = (member: Member, name: string) =>
  withArea(member, ({ disk, root }) => removeEntry(disk, root, name));

function kept(): Member {
  const member = new Member().put(OLD);
  change(member).commit();
  return member;
}

function namesIn(member: Member): string[] {
  let names: string[] = [];
  withArea(member, ({ disk, root }) => (names = disk.list(root)));
  return names;
}

function checkRefused(member: Member, what: string): void {
  const before = looks(member);
  const push = member.push("u-1", { keeping: KEEPING });
  assert.match(
    reasonOf(() => push.stage.undo("t-1")),
    /undo-damaged$/,
    what,
  );
  finish(push.stage.clean());
  assert.deepEqual(looks(member), before, what);
}

test("without one of its lists, or of the entries that it has kept", () => {
  const names = namesIn(kept()).filter((name) => /^(done|before|made|discarded)/.test(name));
  assert.equal(names.filter((name) => name.startsWith("discarded")).length, 4);
  assert.ok(["done", "before", "made"].every((name) => names.includes(name)));
  for (const name of names) {
    const member = kept();
    remove(member, name);
    checkRefused(member, name);
  }
});

test("with a list that holds something else", () => {
  for (const name of ["done", "before", "made"])
    for (const text of ["", "garbage"]) {
      const member = kept();
      overwrite(member, name, text);
      checkRefused(member, `${name} '${text}'`);
    }
});

test("but a program that still runs in a directory that was replaced may make files there: they come back with it", () => {
  const member = kept();
  const tree = namesIn(member).find(
    (name) => name.startsWith("discarded") && member.base.stat(`${AREA}/${name}`)?.isDirectory() === true,
  );
  assert.ok(tree !== undefined);
  withArea(member, (area) => {
    const handle = area.handle(tree);
    area.disk.closeFile(area.disk.makeFile(handle, "z", 0o600));
  });
  const push = member.push("u-1", { keeping: KEEPING });
  push.stage.undo("t-1");
  push.prepare();
  push.commit();
  assert.deepEqual(Object.keys(member.tree("d/tree")).sort(), ["x", "y", "z"]);
});

test("what cannot be read at the moment stays, and nothing is taken back by it", () => {
  for (const code of ["EMFILE", "EIO", "ENOMEM"]) {
    const member = kept();
    member.memory.before = failKind("openFile", code, "kept");
    assert.deepEqual(undoAreas(member.base, member.rules), [], code);
    const { removed, failure } = finish(
      boundUndoAreas(member.base, member.rules, { pushes: 5, sizeBytes: 1e9 }),
    );
    assert.deepEqual({ removed, failure }, { removed: [], failure: undefined }, code);
    member.memory.before = undefined;
    assert.deepEqual(
      undoAreas(member.base, member.rules).map(({ name }) => name),
      ["t-1"],
      code,
    );
  }
});

test("an empty area is none, and goes; so does one whose record is a directory", () => {
  for (const damage of ["empty", "directory"]) {
    const member = kept();
    for (const name of damage === "empty" ? namesIn(member) : ["kept"]) remove(member, name);
    if (damage === "directory") withArea(member, ({ disk, root }) => disk.makeDirectory(root, "kept", 0o700));
    assert.deepEqual(undoAreas(member.base, member.rules), [], damage);
    const { failure } = finish(boundUndoAreas(member.base, member.rules, { pushes: 5, sizeBytes: 1e9 }));
    assert.equal(failure, undefined, damage);
    assert.equal(member.base.stat(AREA), undefined, damage);
  }
});
