import assert from "node:assert/strict";
import { test } from "node:test";
import { ITSELF } from "../../../src/tree/disk/disk.ts";
import { failKind } from "../../disk/faults.ts";
import { directory, file, Member, meta } from "./member.ts";

/** What the set-group-id bit of a directory does to new entries, where no group can be set. */

const GROUP = 500;
const OTHER_GROUP = 501;
const stranger = { group: { id: 77, name: "" } };

/** A member without rights, whose directories belong to it; each has a group, which it passes on or not. */
function member(
  groups: Readonly<Record<string, readonly [group: number, mode: number]>>,
  own: number[],
): Member {
  const one = new Member({ rules: { keepOwner: false, ownGroups: new Set([1000, ...own]) } });
  for (const [path, [group, mode]] of Object.entries(groups)) {
    if (path !== "") one.put({ [`${path}/`]: "" });
    one.in(path, (opened, disk) => {
      disk.setOwner(opened, ITSELF, 1000, group);
      disk.setMode(opened, ITSELF, mode);
    });
  }
  one.memory.actAs(1000, 1000, own);
  return one;
}

function push(one: Member, path: string): void {
  const { metadata } = directory("n", { metadata: meta(0o755, stranger) });
  one
    .push()
    .bring(path, [directory("n", { metadata }), file("f", 1, { metadata: meta(0o640, stranger) })])
    .bring(path === "" ? "n" : `${path}/n`, [file("g", 1, { metadata: meta(0o640, stranger) })])
    .prepare()
    .commit();
}

test("a group of this process comes from the directory, whatever the base directory passes on", () => {
  const one = member({ "": [OTHER_GROUP, 0o2755], d: [GROUP, 0o2755] }, [GROUP]);
  push(one, "d");
  assert.deepEqual(
    ["d/f", "d/n", "d/n/g"].map((path) => one.rights(path)),
    [`640 1000:${GROUP}`, `2755 1000:${GROUP}`, `640 1000:${GROUP}`],
  );
});

test("a directory without the bit passes nothing on below a base directory with it", () => {
  const one = member({ "": [GROUP, 0o2755], d: [1000, 0o755] }, [GROUP]);
  push(one, "d");
  assert.deepEqual(
    ["d/f", "d/n", "d/n/g"].map((path) => one.rights(path)),
    ["640 1000:1000", "755 1000:1000", "640 1000:1000"],
  );
});

test("a group that this process may not give comes from the base directory, if that has it as well", () => {
  const one = member({ "": [GROUP, 0o2755], d: [GROUP, 0o2755] }, []);
  push(one, "d");
  assert.equal(one.rights("d/f"), `640 1000:${GROUP}`);
  const without = member({ "": [1000, 0o755], d: [GROUP, 0o2755] }, []);
  push(without, "d");
  assert.equal(without.rights("d/f"), "640 1000:1000");
});

test("a disk that fails ends the transfer, except where it only forbids the bit or the group", () => {
  for (const kind of ["setOwner", "setMode"] as const)
    for (const code of ["EIO", "EPERM"]) {
      const one = member({ "": [1000, 0o755], d: [GROUP, 0o2755] }, [GROUP]);
      let failed = false;
      one.memory.before = (call) => {
        if (failed || call.kind !== kind || call.name !== ITSELF) return;
        failed = true;
        failKind(kind, code)(call);
      };
      if (code === "EIO") assert.throws(() => push(one, "d"), { code });
      else push(one, "d");
      assert.ok(failed);
    }
});
