import assert from "node:assert/strict";
import crypto from "node:crypto";
import { describe, test } from "node:test";
import { Stage } from "../../src/tree/apply/stage.ts";
import type { Decision, Decisions, Outcome } from "../../src/tree/decide/decision.ts";
import { Planner, type StagePlan } from "../../src/tree/decide/planner.ts";
import { Precedence } from "../../src/tree/decide/precedence.ts";
import { Protection } from "../../src/tree/decide/protection.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { ITSELF } from "../../src/tree/disk/disk.ts";
import { Owners } from "../../src/tree/entries/owners.ts";
import type { AttributeRules } from "../../src/tree/entries/attributes.ts";
import { StageError } from "../../src/tree/reasons/stage-error.ts";
import { BLOCK_PLAINTEXT_BYTES } from "../../src/wire/datagram.ts";
import { Difference } from "../../src/wire/differences.ts";
import { type Entry, EntryType, NO_EXTRAS } from "../../src/wire/entry.ts";
import { ManifestWriter } from "../../src/wire/manifest.ts";
import { MemoryDisk } from "../disk/memory-disk.ts";
import { putFile, withDirectory } from "../disk/small-tree.ts";
import { finish } from "../support/staging.ts";

/** The decision about an entry for each way in which both sides can differ; no real disk is used. */

/** Any time with nanoseconds that a rounding would change. */
const TIME_NS = 1_000_000_007n;
const metadata = { mode: 0o644, mtimeNs: TIME_NS, user: { id: 0, name: "" }, group: { id: 0, name: "" } };
const rootRules: AttributeRules = { owners: new Owners(), keepOwner: true, ownGroups: new Set([0]) };

const entry = (type: EntryType, name: string, more: Partial<Entry> = {}): Entry => ({
  type,
  name,
  metadata: type === EntryType.directory ? { ...metadata, mode: 0o755 } : metadata,
  size: 0,
  target: "",
  extras: undefined,
  ...more,
});
const file = (name: string, size = 5, more: Partial<Entry> = {}) =>
  entry(EntryType.file, name, { size, ...more });

/** A member with a file `f`, a directory `d` with a file in it, and a link `l`. */
function member(options: ConstructorParameters<typeof MemoryDisk>[0] = {}): MemoryDisk {
  const disk = new MemoryDisk(options);
  const root = disk.openRoot("/");
  putFile(disk, root, "f", "hello");
  disk.setTime(root, "f", TIME_NS);
  disk.makeDirectory(root, "d", 0o755);
  withDirectory(disk, root, "d", (_, directory) => {
    putFile(disk, directory, "inner", "hello");
    disk.setTime(directory, ITSELF, TIME_NS);
  });
  disk.makeSymlink(root, "l", "f");
  disk.setTime(root, "l", TIME_NS);
  return disk;
}

interface Asked {
  readonly entries: readonly Entry[];
  readonly isComplete?: boolean;
  readonly disk?: MemoryDisk;
  readonly rules?: AttributeRules;
  readonly protection?: Protection;
  readonly excludes?: readonly string[];
}

function blockOf({ entries, isComplete = false, excludes = [] }: Asked): Uint8Array {
  const writer = new ManifestWriter(new Uint8Array(BLOCK_PLAINTEXT_BYTES), 0);
  const header = { path: "", metadata: undefined };
  if (isComplete)
    writer.addTerms({ isForced: false, isCheck: true, deletes: true, tellsDigests: false, base: "/" });
  for (const pattern of excludes) writer.addExclude(pattern);
  for (const one of entries) writer.add(header, one);
  if (isComplete) writer.addComplete(header);
  return writer.finish();
}

/** The decisions as words, and how each entry differs. */
function decide(asked: Asked): { decisions: string[]; differences: number[] } {
  const tree = Directories.at(asked.disk ?? member(), "/");
  const { rules = rootRules, protection } = asked;
  const planner = new Planner({ tree, rules, protection, precedence: new Precedence(tree) });
  const decisions: string[] = [];
  const steps: Decisions<StagePlan> = planner.plan(blockOf(asked));
  for (let outcome: Outcome = "done"; ;) {
    const next = steps.next(outcome);
    if (next.done === true) return { decisions, differences: [...(next.value.differences ?? [])] };
    if (next.value !== undefined) decisions.push(words(next.value));
    outcome = "done";
  }
}

function words(decision: Decision): string {
  switch (decision.kind) {
    case "place":
    case "copy":
    case "link":
      return `${decision.kind} ${decision.place.path}`;
    case "skip":
      return `skip ${decision.path} ${decision.reason.code}`;
    case "refuse":
      return `refuse ${decision.reason.path} ${decision.reason.code}`;
    case "recognize":
      return `recognize ${decision.number}`;
    case "find":
      return `find ${decision.chunks.length}`;
    default:
      return `${decision.kind} ${decision.path}`;
  }
}

const decisionsOf = (asked: Asked) => decide(asked).decisions;
const reasonOf = (asked: Asked) => {
  try {
    decide(asked);
  } catch (error) {
    if (error instanceof StageError) return `${error.reason.path}: ${error.reason.code}`;
    throw error;
  }
  return "none";
};

describe("what differs", () => {
  test("a file of the same size and time is the same", () =>
    assert.deepEqual(decisionsOf({ entries: [file("f")] }), []));
  test("a file that is missing is placed", () =>
    assert.deepEqual(decisionsOf({ entries: [file("new")] }), ["place new"]));
  test("a file of another size or time is placed", () => {
    assert.deepEqual(decisionsOf({ entries: [file("f", 6)] }), ["place f"]);
    const later = { metadata: { ...metadata, mtimeNs: TIME_NS + 1n } };
    assert.deepEqual(decisionsOf({ entries: [file("f", 5, later)] }), ["place f"]);
  });
  test("a file of another mode is copied from the member's own", () =>
    assert.deepEqual(decisionsOf({ entries: [file("f", 5, { metadata: { ...metadata, mode: 0o600 } })] }), [
      "copy f",
    ]));
  test("a directory that is there gets its attributes", () => {
    const closed = { metadata: { ...metadata, mode: 0o700 } };
    assert.deepEqual(decisionsOf({ entries: [entry(EntryType.directory, "d", closed)] }), ["adjust d"]);
    assert.deepEqual(decisionsOf({ entries: [entry(EntryType.directory, "d")] }), []);
  });
  test("a link to something else is placed", () => {
    assert.deepEqual(decisionsOf({ entries: [entry(EntryType.symlink, "l", { target: "f" })] }), []);
    assert.deepEqual(decisionsOf({ entries: [entry(EntryType.symlink, "l", { target: "g" })] }), ["place l"]);
  });
  test("another name of a file is linked where it is not one already", () => {
    const link = entry(EntryType.hardLink, "g", { target: "f" });
    assert.deepEqual(decisionsOf({ entries: [link] }), ["link g"]);
    const disk = member();
    const root = disk.openRoot("/");
    disk.link(root, "f", root, "g");
    assert.deepEqual(decisionsOf({ entries: [link], disk }), []);
    const changed = file("f", 6, { extras: { ...NO_EXTRAS, hasOtherNames: true } });
    assert.deepEqual(decisionsOf({ entries: [changed, link], disk }), ["place f", "link g"]);
  });
  test("a device is left out where it cannot be made", () => {
    const device = entry(EntryType.blockDevice, "b", {
      extras: { ...NO_EXTRAS, device: { major: 8, minor: 0 } },
    });
    assert.deepEqual(decisionsOf({ entries: [device] }), ["place b"]);
    const rules = { ...rootRules, keepOwner: false };
    assert.deepEqual(decisionsOf({ entries: [device], rules }), ["skip b cannot-be-made"]);
  });
  test("how an entry differs is told in bits", () => {
    const closed = { metadata: { ...metadata, mode: 0o600, mtimeNs: 5n } };
    const { differences } = decide({ entries: [file("f", 5, closed), file("new")], isComplete: true });
    assert.deepEqual(differences, [
      Difference.mode | Difference.time | Difference.contents,
      Difference.missing,
    ]);
  });
});

describe("contents that are compared by a digest", () => {
  const hello = crypto.createHash("sha256").update("hello").digest();
  const told = (name: string) => file(name, 5, { extras: { ...NO_EXTRAS, digest: hello } });
  /** How many times the files were opened. */
  const readings = (disk: MemoryDisk, entries: readonly Entry[]) => {
    let opened = 0;
    const open = disk.openFile.bind(disk);
    disk.openFile = (...args) => {
      opened++;
      return open(...args);
    };
    return { decisions: decisionsOf({ entries, disk }), opened };
  };

  test("a file is read once, however often it is told", () => {
    const { decisions, opened } = readings(
      member(),
      Array.from({ length: 100 }, () => told("f")),
    );
    assert.equal(opened, 1);
    assert.deepEqual(new Set(decisions), new Set(["place f"]), "it counts as different then");
  });
  test("a file with several names is read once for each of them", () => {
    const disk = member();
    const root = disk.openRoot("/");
    for (const name of ["g", "h"]) disk.link(root, "f", root, name);
    assert.deepEqual(readings(disk, ["f", "g", "h"].map(told)), { decisions: [], opened: 3 });
    const again = ["f", "g", "h", "f", "g", "h", "f"].map(told);
    assert.equal(readings(disk, again).opened, 3);
  });
  test("a file of another mode is copied once, however often it is told", () => {
    const entries = [1, 2, 3].map(() => file("f", 5, { metadata: { ...metadata, mode: 0o600 } }));
    assert.deepEqual(decisionsOf({ entries }), ["copy f", "place f", "place f"]);
  });
});

describe("what goes", () => {
  const kept = [file("f"), entry(EntryType.symlink, "l", { target: "f" })];

  test("an entry that the sender does not have is removed with all in it", () =>
    assert.deepEqual(decisionsOf({ entries: kept, isComplete: true }), ["remove d", "goes d/inner"]));
  test("nothing is removed in a directory that is not complete", () =>
    assert.deepEqual(decisionsOf({ entries: kept }), []));
  test("what either side excludes stays, with the directories that it is in", () => {
    assert.deepEqual(decisionsOf({ entries: kept, isComplete: true, excludes: ["inner"] }), []);
    const protection = Protection.of(["inner"], "/");
    assert.ok(protection !== undefined);
    assert.deepEqual(decisionsOf({ entries: kept, isComplete: true, protection }), []);
  });
  test("what a file takes the place of goes with it", () =>
    assert.deepEqual(decisionsOf({ entries: [file("d")], isComplete: true }), [
      "goes d/inner",
      "place d",
      "remove f",
      "remove l",
    ]));
});

describe("what is refused", () => {
  const rules = { ...rootRules, keepOwner: false };

  test("a directory in which this process may not write", () => {
    const disk = member();
    disk.actAs(1000);
    assert.deepEqual(decisionsOf({ entries: [file("new")], disk, rules }), ["place new", "refuse  EACCES"]);
  });
  test("a delete in such a directory", () => {
    const disk = member();
    disk.setMode(disk.openRoot("/"), ITSELF, 0o777);
    disk.actAs(1000);
    const kept = [file("f"), entry(EntryType.symlink, "l", { target: "f" })];
    const decisions = decisionsOf({ entries: kept, isComplete: true, disk, rules });
    assert.deepEqual(decisions.slice(0, 2), ["refuse d EACCES", "refuse d EACCES"]);
  });
  test("a path that leads through a file", () => {
    assert.equal(reasonOf({ entries: [entry(EntryType.passage, "f")] }), "f: not-a-passage");
  });
  test("a file in the place of something that belongs to somebody else in a sticky directory", () => {
    const disk = member();
    disk.setMode(disk.openRoot("/"), ITSELF, 0o1777);
    disk.actAs(1000);
    assert.deepEqual(decisionsOf({ entries: [file("f", 6)], disk, rules }).slice(0, 1), ["refuse f sticky"]);
  });
  test("a file in the place of a directory that holds something excluded", () => {
    assert.deepEqual(
      decisionsOf({ entries: [file("d")], isComplete: true, excludes: ["inner"] }).slice(0, 1),
      ["refuse d holds-excluded"],
    );
    const protection = Protection.of(["inner"], "/");
    assert.ok(protection !== undefined);
    assert.equal(reasonOf({ entries: [file("d")], protection }), "d: holds-protected");
  });
  test("more bytes than are free", () => {
    const disk = member();
    disk.setCapacity(100_000);
    for (const dryRun of [false, true]) {
      const stage = new Stage(Directories.at(disk, "/"), rootRules, "t-1", dryRun);
      assert.throws(
        () => finish(stage.plan(blockOf({ entries: [file("big", 200_000)] }))),
        (error) =>
          error instanceof StageError &&
          error.reason.code === "no-space" &&
          error.reason.args[0] === "200000",
      );
      finish(stage.clean());
    }
  });
});

test("a file that changes while it is copied is asked for after all", () => {
  const disk = member();
  const root = disk.openRoot("/");
  const stage = new Stage(Directories.at(disk, "/"), rootRules, "t-1", false);
  const copied = blockOf({
    entries: [file("f", 5, { metadata: { ...metadata, mode: 0o600 } })],
    isComplete: true,
  });
  const steps = stage.plan(copied);
  // The first step has read the file; then it is written to.
  assert.equal(steps.next().done, false);
  const writing = disk.openFile(root, "f", "write");
  disk.write(writing, Buffer.from("HELLO"), 0);
  disk.closeFile(writing);
  const plan = finish(steps);
  assert.equal(plan.differences?.[0], Difference.mode | Difference.contents);
  finish(stage.clean());
});
