import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JournalWriter } from "../../../src/tree/apply/journal.ts";
import { recover } from "../../../src/tree/apply/recovery.ts";
import { StepKind } from "../../../src/tree/decide/decision.ts";
import { ITSELF } from "../../../src/tree/disk/disk.ts";
import { EntryType } from "../../../src/wire/entry.ts";
import { failKind } from "../../disk/faults.ts";
import { directory, file, Member, meta, type Push } from "./member.ts";

/** What a start makes of everything that it may find below .makuosan. */

const AREA = ".makuosan/t-1";

const start = (member: Member) =>
  recover(member.base, member.rules).map(
    ({ name, failure, isLeft }) =>
      `${name} ${failure?.path ?? ""} ${failure?.code ?? "finished"}${isLeft ? ", left" : ""}`,
  );

/** A member whose transfer is ready: it replaces `a`, brings `d` with something in it, and deletes `old`. */
function ready(options: ConstructorParameters<typeof Member>[0] = {}): { member: Member; push: Push } {
  const member = new Member({ withLooks: true, ...options }).put({ a: "old a", old: "o" });
  const push = member.push();
  push.plan({ terms: {} });
  push.bring("", [file("a", 1), directory("d")], { isComplete: true }).bring("d", [file("x", 1)]);
  push.prepare();
  return { member, push };
}

/** The names under which a start or a push has moved something of somebody else away, without their random ends. */
function moves(member: Member): string[] {
  const moved: string[] = [];
  recover(member.base, member.rules, { onMoved: (name) => moved.push(name) });
  for (const name of moved) assert.ok(member.has(name), name);
  return moved.map((name) => name.replace(/-foreign-[0-9a-f]{8}$/, ""));
}

/** A start reads nothing of BASE/.makuosan, and moves it away; the next push goes as usual. */
function assertMovedAway(member: Member): void {
  const before = member.tree(".makuosan");
  assert.deepEqual(moves(member), [".makuosan"]);
  const moved =
    Object.keys(member.tree()).find((name) => /^\.makuosan-foreign-[0-9a-f]{8}\/$/.test(name)) ?? "";
  assert.deepEqual(member.tree(moved.slice(0, -1)), before);
  assert.equal(member.text("a"), "old a");
  member
    .push("t-2")
    .bring("", [file("b", 1)])
    .prepare()
    .commit();
  assert.equal(member.text("b"), "b");
}

const OLD = { a: "old a", old: "o" };
const NEW = { a: "a", "d/": "", "d/x": "x" };

function rename(member: Member, from: string, to: string, path = AREA): void {
  member.in(path, (area, disk) => disk.rename(area, from, area, to));
}

describe("an area", () => {
  test("that is staged or ready goes, and nothing else has changed", () => {
    const { member } = ready();
    assert.deepEqual(start(member), []);
    assert.deepEqual(member.tree(), OLD);
    const staged = new Member().put(OLD);
    staged.push().bring("", [file("a", 1)]);
    assert.deepEqual(start(staged), []);
    assert.deepEqual(staged.tree(), OLD);
  });

  test("that is called commit is finished, and told", () => {
    const { member } = ready();
    rename(member, "ready", "commit");
    assert.deepEqual(start(member), ["t-1  finished"]);
    assert.deepEqual(member.tree(), NEW);
  });

  test("that is ready, and of which something is moved or put out of the way, is finished", () => {
    const moved = ready().member;
    moved.in(`${AREA}/tree`, (tree, disk) => moved.in("", (root) => disk.rename(tree, "a", root, "a")));
    assert.deepEqual(start(moved), ["t-1  finished"]);
    assert.deepEqual(moved.tree(), NEW);
    const discarded = ready().member;
    discarded.in(AREA, (area, disk) => disk.makeDirectory(area, "discarded1", 0o700));
    assert.deepEqual(start(discarded), ["t-1  finished"]);
    assert.deepEqual(discarded.tree(), NEW);
    const exchanged = new Member().put({ "d/x": "x" });
    const push = exchanged.push();
    push.plan({ terms: {} });
    push.bring("", [file("d", 1)]).prepare();
    exchanged.in(`${AREA}/tree`, (tree, disk) =>
      exchanged.in("", (root) => disk.exchange(tree, "d", root, "d")),
    );
    assert.deepEqual(start(exchanged), ["t-1  finished"]);
    assert.deepEqual(exchanged.tree(), { d: "d" });
  });

  test("that is done goes without being read", () => {
    const { member } = ready();
    rename(member, "ready", "done");
    assert.deepEqual(start(member), []);
    assert.deepEqual(member.tree(), OLD);
  });

  test("that was finished while a directory had to be filled gets its attributes again", () => {
    const { member } = ready();
    rename(member, "ready", "commit");
    member.in("", (root, disk) => {
      disk.makeDirectory(root, "d", 0o700);
    });
    assert.deepEqual(start(member), ["t-1  finished"]);
    assert.deepEqual(member.tree(), NEW);
    assert.equal(member.rights("d"), "755 0:0");
  });

  test("whose directories are in their places already gives them their attributes anyway", () => {
    const { member } = ready();
    rename(member, "ready", "commit");
    member.in(`${AREA}/tree`, (tree, disk) => member.in("", (root) => disk.rename(tree, "d", root, "d")));
    member.in("d", (inner, disk) => disk.setMode(inner, ITSELF, 0o711));
    assert.deepEqual(start(member), ["t-1  finished"]);
    assert.equal(member.rights("d"), "755 0:0");
  });

  test("of which a step fails is told, and goes", () => {
    const { member } = ready();
    rename(member, "ready", "commit");
    member.memory.before = failKind("rename", "EIO", "a");
    assert.deepEqual(start(member), ["t-1 a EIO"]);
    member.memory.before = undefined;
    assert.deepEqual(member.tree(), { ...NEW, a: "old a" });
  });

  test("that cannot be read is told and left, and the others are finished", () => {
    const { member } = ready();
    rename(member, "ready", "commit");
    member.in(".makuosan", (staging, disk) => {
      disk.makeDirectory(staging, "aa-1", 0o700);
      disk.makeDirectory(staging, "zz-1", 0o700);
    });
    for (const name of ["aa-1", "zz-1"])
      member.in(`.makuosan/${name}`, (area, disk) => {
        disk.makeDirectory(area, "tree", 0o700);
        disk.setOwner(area, ITSELF, 1000, 1000);
      });
    assert.deepEqual(start(member).sort(), [
      "aa-1 .makuosan/aa-1 EPERM, left",
      "t-1  finished",
      "zz-1 .makuosan/zz-1 EPERM, left",
    ]);
    assert.deepEqual(member.tree(), {
      ...NEW,
      ".makuosan/": "",
      ".makuosan/aa-1/": "",
      ".makuosan/aa-1/tree/": "",
      ".makuosan/zz-1/": "",
      ".makuosan/zz-1/tree/": "",
    });
  });

  test("without a tree goes, as do directories that were being removed; what no transfer has left stays, and is told", () => {
    const { member } = ready();
    rename(member, "ready", "commit");
    const strange = ["A-1", "x-", "-1", "a-1-b", ".removed-x", "html"];
    member.in(".makuosan", (staging, disk) => {
      for (const name of [".removed-0", ...strange, "empty-7"]) disk.makeDirectory(staging, name, 0o700);
      disk.closeFile(disk.makeFile(staging, "b-2", 0o600));
    });
    const told: string[] = [];
    recover(member.base, member.rules, { onStrange: (name) => told.push(name) });
    assert.deepEqual(told.sort(), [...strange, "b-2"].sort());
    const left = Object.fromEntries(strange.map((name) => [`.makuosan/${name}/`, ""]));
    assert.deepEqual(member.tree(), { ...NEW, ...left, ".makuosan/": "", ".makuosan/b-2": "" });
  });

  test("may be missing: nothing is left where nothing of a transfer was there", () => {
    for (const here of [
      { ".makuosan/": "" },
      { ".makuosan/.removed-3/x": "x", ".makuosan/empty-1/": "" },
    ] as Record<string, string>[]) {
      const member = new Member().put(here);
      member.in("", (root, disk) => disk.setMode(root, ITSELF, 0o755));
      assert.deepEqual(start(member), []);
      assert.deepEqual(member.tree(), {});
    }
  });

  test("is closed in any case", () => {
    for (const name of ["commit", "ready", "done"]) {
      const { member } = ready();
      member.disk.lines.length = 0;
      if (name !== "ready") rename(member, "ready", name);
      start(member);
      assert.equal(member.openHandles, 1, name);
    }
    const foreign = ready().member;
    foreign.in(`${AREA}/tree`, (tree, disk) => disk.setMode(tree, ITSELF, 0o770));
    foreign.disk.lines.length = 0;
    assert.deepEqual(start(foreign), ["t-1 .makuosan/t-1 EPERM, left"]);
    assert.equal(foreign.openHandles, 1);
  });
});

describe("what somebody else has put there", () => {
  const refuse = (change: (member: Member) => void): string[] => {
    const { member } = ready();
    rename(member, "ready", "commit");
    change(member);
    member.disk.lines.length = 0;
    const found = start(member);
    assert.equal(member.openHandles, 1);
    assert.deepEqual([member.text("a"), member.has("d")], ["old a", false]);
    return found;
  };

  test("a journal of another user, or one that others can write to, is not carried out", () => {
    for (const change of [
      (member: Member) => member.in(AREA, (area, disk) => disk.setOwner(area, "commit", 1000, 0)),
      (member: Member) =>
        member.in(AREA, (area, disk) => {
          const journal = disk.openFile(area, "commit", "write");
          disk.setFileMode(journal, 0o620);
        }),
      (member: Member) =>
        member.in(AREA, (area, disk) => {
          const journal = disk.openFile(area, "commit", "write");
          disk.setFileMode(journal, 0o602);
        }),
    ])
      assert.deepEqual(refuse(change), ["t-1  EPERM"]);
  });

  test("a link or a FIFO in the place of the journal is not carried out", () => {
    const replace = (make: (member: Member) => void) =>
      refuse((member) => {
        member.in(AREA, (area, disk) => disk.unlink(area, "commit"));
        make(member);
      });
    assert.deepEqual(
      replace((member) => member.in(AREA, (area, disk) => disk.makeSymlink(area, "commit", "x"))),
      ["t-1  ELOOP"],
    );
    const device = { major: 0, minor: 0 };
    assert.deepEqual(
      replace((member) =>
        member.in(AREA, (area, disk) => disk.makeSpecial(area, "commit", "fifo", 0o600, device)),
      ),
      ["t-1  EPERM"],
    );
  });

  test("a directory that others can write to is not used, either the area, its tree or the place of all areas", () => {
    for (const mode of [0o770, 0o707, 0o777]) {
      for (const path of [AREA, `${AREA}/tree`])
        assert.deepEqual(
          refuse((member) => member.in(path, (area, disk) => disk.setMode(area, ITSELF, mode))),
          ["t-1 .makuosan/t-1 EPERM, left"],
        );
      const { member } = ready();
      rename(member, "ready", "commit");
      member.in(".makuosan", (staging, disk) => disk.setMode(staging, ITSELF, mode));
      assertMovedAway(member);
    }
  });

  test("is root's where owners can be set, whoever the process is: what its own user has put there is not read", () => {
    const { member } = ready();
    rename(member, "ready", "commit");
    // A program of the daemon's user can make all of this.
    member.in(".makuosan", (staging, disk) => disk.setOwner(staging, ITSELF, 1000, 1000));
    member.in("", (root, disk) => disk.setOwner(root, ITSELF, 1000, 1000));
    member.memory.actAs(1000, 1000, [], true);
    assertMovedAway(member);
    member.push("t-3").bring("", [file("c", 1)]);
    assert.equal(member.rights(".makuosan"), "700 0:1000");
  });

  test("is made root's while it is empty, and not after its user has put something there", () => {
    const member = new Member();
    member.in("", (root, disk) => disk.setOwner(root, ITSELF, 1000, 1000));
    member.memory.actAs(1000, 1000, [], true);
    let tries = 0;
    member.memory.before = (call) => {
      if (call.kind !== "openDirectory" || call.name !== ".makuosan" || ++tries > 2) return;
      member.memory.before = undefined;
      member.in(".makuosan", (own, disk) => disk.makeDirectory(own, "t-1", 0o700));
    };
    member.push().bring("", [file("a", 1)]);
    assert.equal(member.rights(".makuosan"), "700 0:1000");
    const moved = Object.keys(member.tree()).find((name) => name.startsWith(".makuosan-")) ?? "";
    assert.equal(member.rights(moved.slice(0, -1)), "700 1000:1000");
  });

  test("which nobody can move away fails the transfer with a sentence, and not the start", () => {
    const { member } = ready();
    member.in(".makuosan", (staging, disk) => disk.setMode(staging, ITSELF, 0o777));
    member.memory.before = failKind("rename", "EPERM", ".makuosan");
    const words =
      /\.makuosan: somebody else has put it there, and makuosan cannot move it away; rename it as root: /;
    assert.throws(() => start(member), words);
    assert.throws(() => member.push("t-2").bring("", [file("b", 1)]), words);
  });

  test("a link in the place of all areas, or of one, is not followed", () => {
    const { member } = ready();
    member.in("", (root, disk) => {
      disk.rename(root, ".makuosan", root, "real");
      disk.makeSymlink(root, ".makuosan", "real");
    });
    assert.deepEqual(moves(member), [".makuosan"]);
    assert.equal(member.text("a"), "old a");
    assert.ok(member.has("real/t-1/ready"));
    const one = ready().member;
    one.in(".makuosan", (staging, disk) => {
      disk.rename(staging, "t-1", staging, "real");
      disk.makeSymlink(staging, "t-1", "real");
    });
    rename(one, "ready", "commit", ".makuosan/real");
    assert.deepEqual(start(one), []);
    assert.equal(one.text("a"), "old a");
    assert.equal(one.tree(".makuosan")["t-1"], "-> real");
    assert.ok(one.has(".makuosan/real/commit"));
  });

  test("a journal of damaged bytes changes nothing that it does not name", () => {
    const { member } = ready();
    const size = member.stats(`${AREA}/ready`)?.size ?? 0;
    for (let place = 0; place < size; place++) {
      const damaged = ready().member;
      rename(damaged, "ready", "commit");
      damaged.in(AREA, (area, disk) => {
        const journal = disk.openFile(area, "commit", "write");
        disk.write(journal, Uint8Array.of(0xff), place);
        disk.closeFile(journal);
      });
      start(damaged);
      assert.equal(damaged.has(AREA), false, `byte ${place}`);
      const known = ["a", "d/", "d/x", "old"];
      assert.deepEqual(
        Object.keys(damaged.tree()).filter((path) => !known.includes(path)),
        [],
        `byte ${place}`,
      );
    }
  });
});

test("where there is no staging directory, a start changes nothing", () => {
  const member = new Member().put(OLD);
  const { changes } = member.memory;
  assert.deepEqual(start(member), []);
  assert.equal(member.memory.changes, changes);
});

test("a journal with a path out of the base directory is not carried out any further", () => {
  const { member } = ready();
  member.in(AREA, (area, disk) => {
    const journal = new JournalWriter(disk, area, "commit");
    journal.add(StepKind.place, EntryType.file, "a");
    journal.add(StepKind.place, EntryType.directory, "../d");
    journal.add(StepKind.adjust, EntryType.directory, "x", { metadata: meta() });
    journal.finish();
  });
  assert.deepEqual(start(member), ["t-1  damaged"]);
  assert.deepEqual(member.tree(), { a: "a", old: "o" });
});
