import assert from "node:assert/strict";
import { test } from "node:test";
import { directory, file, Member, meta } from "./member.ts";

/** Another implementation may send the metadata of the base directory (PROTOCOL.md 6.1). */

test("metadata of the base directory are read, and every host keeps its own", () => {
  const member = new Member().put({ old: "old" });
  const before = member.in("", (root, disk) => disk.statDirectory(root));
  const push = member.push();
  push.bring("", [directory("d"), file("f", 3)], {
    metadata: meta(0o700, { mtimeNs: 5n }),
    isComplete: false,
  });
  push.bring("d", [file("g", 2)], { metadata: meta(0o755) });
  push.prepare().commit();
  assert.equal(member.text("f"), "fff");
  assert.equal(member.text("d/g"), "gg");
  const after = member.in("", (root, disk) => disk.statDirectory(root));
  assert.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid]);
});

test("the same in a push that deletes in the base directory", () => {
  const member = new Member().put({ old: "old", f: "f" });
  const push = member.push();
  push.plan({ terms: { deletes: true } });
  push.bring("", [file("f", 3)], { metadata: meta(0o700), isComplete: true });
  push.prepare().commit();
  assert.deepEqual(member.tree(), { f: "fff" });
});
