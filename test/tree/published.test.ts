import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { Bitmap } from "../../src/base/bitmap.ts";
import { Owners } from "../../src/tree/entries/owners.ts";
import { findDrift } from "../../src/tree/scan/drift.ts";
import type { PublishedPaths } from "../../src/tree/scan/published-paths.ts";
import { NO_RULES, type ScanRequest, type ScanRules } from "../../src/tree/scan/request.ts";
import { Source } from "../../src/tree/scan/source.ts";
import { BLOCK_PLAINTEXT_BYTES, BlockKind } from "../../src/wire/datagram.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { decodeManifest } from "../../src/wire/manifest.ts";
import { contents, StagingPair } from "../support/staging.ts";

/** A host hands on what was published as it was published, and nothing else. */

const WWW: ScanRequest = { paths: ["www"], recursive: true };
const DELETING = { deletes: "also" } as const;

/** Scans a tree to its end, as a push does whose members have everything. */
function scanned(base: string, request: ScanRequest, rules: Partial<ScanRules>) {
  const source = new Source(base, new Owners(), request, { rules: { ...NO_RULES, ...rules }, dryRun: true });
  const memory = new Uint8Array(BLOCK_PLAINTEXT_BYTES);
  const given: string[] = [];
  for (let block = 0; !source.isEnded; block++) {
    const made = source.makeBlock(block, memory);
    if (made?.kind !== BlockKind.manifest) continue;
    const { directories } = decodeManifest(memory.subarray(0, made.bytes));
    for (const { header, entries, isComplete } of directories) {
      for (const { name, type } of entries) given.push(`${nameOf(type)}${path.join(header.path, name)}`);
      if (isComplete) given.push(`complete ${header.path}`);
    }
    const nothing = new Bitmap(made.entries);
    source.settle(block, { union: nothing, contents: nothing });
  }
  source.close();
  const { count, sample, lists } = source.withheld ?? { count: 0, sample: "", lists: [] };
  return { given: given.sort(), list: source.takeList(), withheld: { count, sample, lists } };
}

function nameOf(type: EntryType): string {
  const names = new Map<EntryType, string>([
    [EntryType.kept, "kept "],
    [EntryType.gone, "gone "],
    [EntryType.passage, "passage "],
  ]);
  return names.get(type) ?? "";
}

/** The list of a push of this tree; whatever is changed after this call has been changed later. */
async function publish(
  base: string,
  name: string,
  rules: Partial<ScanRules> = {},
  request = WWW,
): Promise<PublishedPaths> {
  const { list } = scanned(base, request, { ...rules, isRecorded: true });
  assert.ok(list !== undefined);
  const atMs = Date.now();
  // The times of inodes come from a clock that is some milliseconds behind.
  const probe = path.join(path.dirname(base), "probe");
  while (lateOf(probe) <= atMs + 2) await new Promise((resolve) => setTimeout(resolve, 1));
  return { name, bytes: Buffer.from(list), atMs, isServed: true };
}

function lateOf(probe: string): number {
  fs.writeFileSync(probe, "");
  return fs.statSync(probe).ctimeMs;
}

function makeTree(context: TestContext): { pair: StagingPair; at: (name: string) => string } {
  const pair = new StagingPair();
  context.after(() => pair.destroy());
  const at = (name: string) => path.join(pair.from, name);
  fs.mkdirSync(at("www/sub"), { recursive: true });
  for (const name of ["a", "b", "sub/c"]) fs.writeFileSync(at(`www/${name}`), name);
  return { pair, at };
}

test("all that was published is handed on, and nothing that lies beside it", async (context) => {
  const { pair, at } = makeTree(context);
  const published = [await publish(pair.from, "one", DELETING)];
  fs.writeFileSync(at("www/mine"), "mine");
  fs.mkdirSync(at("www/more"));
  fs.writeFileSync(at("www/more/mine"), "mine");
  const { given, withheld } = scanned(pair.from, WWW, { ...DELETING, published });
  const complete = ["complete www", "complete www/sub"];
  assert.deepEqual(given, [...complete, "passage www", "www/a", "www/b", "www/sub", "www/sub/c"]);
  assert.deepEqual(withheld, { count: 0, sample: "", lists: [] });
  // A member gets what was published.
  pair.scanRules = { ...DELETING, published };
  pair.push();
  assert.deepEqual(Object.keys(contents(pair.to)).sort(), ["www", "www/a", "www/b", "www/sub", "www/sub/c"]);
});

test("what was edited, replaced or deleted by hand since is withheld, and is not deleted elsewhere", async (context) => {
  const { pair, at } = makeTree(context);
  const published = [await publish(pair.from, "one", DELETING)];
  fs.writeFileSync(at("www/a"), "half");
  fs.rmSync(at("www/sub/c"));
  const { given, withheld } = scanned(pair.from, WWW, { ...DELETING, published });
  const kept = ["kept www/a", "kept www/sub", "passage www/sub"];
  assert.deepEqual(given, ["complete www", ...kept, "www", "www/b"]);
  assert.deepEqual(withheld, { count: 2, sample: "www/a", lists: ["one"] });
  // A member that has all of it keeps that.
  fs.cpSync(pair.from, pair.to, { recursive: true, preserveTimestamps: true });
  fs.writeFileSync(path.join(pair.to, "www/sub/c"), "c");
  pair.scanRules = { ...DELETING, published };
  pair.push();
  assert.equal(fs.readFileSync(path.join(pair.to, "www/sub/c"), "utf8"), "c");
});

test("an entry belongs to the last publication of its path", async (context) => {
  const { pair, at } = makeTree(context);
  const first = await publish(pair.from, "one");
  fs.writeFileSync(at("www/a"), "later");
  const second = await publish(pair.from, "two", {}, { paths: ["www/a"], recursive: false });
  const served = (published: PublishedPaths[]) => scanned(pair.from, WWW, { published });
  const both = served([first, second]);
  assert.ok(both.given.includes("www/a"));
  assert.equal(both.withheld.count, 0);
  // Only the first one is asked for: what the second one has brought is none of it.
  const alone = served([first, { ...second, isServed: false }]);
  assert.ok(!alone.given.includes("www/a"));
  assert.equal(alone.withheld.count, 0);
  // Without the second one, it would be an edit by hand.
  assert.deepEqual(served([first]).withheld, { count: 1, sample: "www/a", lists: ["one"] });
});

/** A source that serves, with its first block made: everything of a small tree is in it. */
function serving(base: string, published: readonly PublishedPaths[], rules: Partial<ScanRules> = {}) {
  const options = { rules: { ...NO_RULES, ...rules, published }, dryRun: false };
  const source = new Source(base, new Owners(), WWW, options);
  const memory = new Uint8Array(BLOCK_PLAINTEXT_BYTES);
  const made = source.makeBlock(0, memory);
  assert.ok(made?.kind === BlockKind.manifest);
  const { directories } = decodeManifest(memory.subarray(0, made.bytes));
  const names = directories.flatMap(({ header, entries }) =>
    entries.map(({ name }) => path.join(header.path, name)),
  );
  /** Reads what members want, to the end. */
  const read = (...wanted: string[]) => {
    const union = new Bitmap(made.entries);
    for (const name of wanted) union.set(names.indexOf(name));
    source.settle(0, { union, contents: union });
    for (let block = 1; !source.isEnded; block++) source.makeBlock(block, memory);
    source.close();
    return source.withheld;
  };
  return { source, read };
}

test("a file that changes before it is read is withheld, unless a later push has changed it for all", async (context) => {
  const { pair, at } = makeTree(context);
  const published = [await publish(pair.from, "one")];
  const edited = serving(pair.from, published);
  fs.writeFileSync(at("www/a"), "half");
  assert.deepEqual(edited.read("www/a"), { count: 1, sample: "www/a", lists: ["one"], torn: [] });
  fs.writeFileSync(at("www/a"), "a");
  const again = [await publish(pair.from, "again")];
  for (const isEarly of [true, false]) {
    const pushed = serving(pair.from, again);
    fs.writeFileSync(at("www/a"), `later ${isEarly}`);
    const later = await publish(pair.from, "two", {}, { paths: ["www/a"], recursive: false });
    if (isEarly) pushed.source.supersede(later);
    pushed.read("www/a");
    if (!isEarly) pushed.source.supersede(later);
    assert.equal(pushed.source.withheld, undefined);
    fs.writeFileSync(at("www/a"), "a");
    again.splice(0, 1, await publish(pair.from, `again ${isEarly}`));
  }
});

test("what a later push deletes while something is served is not missed in it", async (context) => {
  const { pair, at } = makeTree(context);
  const published = [await publish(pair.from, "one", DELETING)];
  fs.rmSync(at("www/sub"), { recursive: true });
  fs.writeFileSync(at("www/new"), "new");
  const later = await publish(pair.from, "two", DELETING);
  const served = serving(pair.from, published, DELETING);
  assert.equal(served.source.withheld?.lists[0], "one");
  served.source.supersede(later);
  served.read();
  assert.equal(served.source.withheld, undefined);
});

test("deletes in a directory that is not complete any more are withheld", async (context) => {
  const { pair, at } = makeTree(context);
  const first = await publish(pair.from, "one", DELETING);
  fs.writeFileSync(at("www/a"), "later");
  const second = await publish(pair.from, "two", {}, { paths: ["www/a"], recursive: false });
  fs.rmSync(at("www/a"));
  // What is gone is of the second one; without it, nobody can tell what is superfluous beside it.
  const published = [first, { ...second, isServed: false }];
  const { given, withheld } = scanned(pair.from, WWW, { ...DELETING, published });
  assert.ok(!given.includes("complete www"));
  assert.deepEqual(withheld, { count: 1, sample: "www", lists: ["one"] });
});

test("an entry that a later publication has replaced and somebody has changed is missing in the earlier one, too", async (context) => {
  const { pair, at } = makeTree(context);
  const first = await publish(pair.from, "one");
  fs.writeFileSync(at("www/a"), "second");
  const second = await publish(pair.from, "two");
  fs.writeFileSync(at("www/a"), "by hand");
  const withheld = (lists: readonly PublishedPaths[]) => {
    const source = new Source(pair.from, new Owners(), WWW, {
      rules: { ...NO_RULES, published: lists },
      dryRun: true,
    });
    const memory = new Uint8Array(BLOCK_PLAINTEXT_BYTES);
    for (let block = 0; !source.isEnded; block++) {
      const made = source.makeBlock(block, memory);
      const nothing = new Bitmap(made?.entries ?? 0);
      if (made?.kind === BlockKind.manifest) source.settle(block, { union: nothing, contents: nothing });
    }
    source.close();
    return source.withheld;
  };
  const together = withheld([first, second]);
  assert.deepEqual([together?.lists, together?.torn], [["two"], [["one", "two"]]]);
  // A further transfer brings the later one.
  const alone = withheld([first, { ...second, isServed: false, isLacked: true }]);
  assert.deepEqual([alone?.lists, alone?.torn], [["two"], [["one", "two"]]]);
  // Those who ask have the later one.
  assert.equal(withheld([first, { ...second, isServed: false }]), undefined);
});

test("what an earlier publication leads through comes with it, if those who ask lack that", async (context) => {
  const { pair, at } = makeTree(context);
  const first = await publish(pair.from, "one", DELETING);
  fs.rmSync(at("www/a"));
  fs.mkdirSync(at("www/a"));
  fs.writeFileSync(at("www/a/x"), "x");
  fs.mkdirSync(at("www/a/deep"));
  fs.writeFileSync(at("www/a/deep/y"), "y");
  const second = await publish(pair.from, "two", { ...DELETING, excludes: ["*.bak"] });
  // The member has a file where the later one has a directory.
  fs.mkdirSync(path.join(pair.to, "www"));
  fs.writeFileSync(path.join(pair.to, "www/a"), "old");
  const together = [first, { ...second, isServed: false, isLacked: true }];
  const { given, withheld } = scanned(pair.from, WWW, { ...DELETING, published: together });
  assert.deepEqual(withheld, { count: 0, sample: "", lists: [] });
  assert.ok(given.includes("www/a") && given.includes("www/a/deep/y"));
  pair.scanRules = { ...DELETING, published: together };
  pair.push();
  assert.equal(fs.readFileSync(path.join(pair.to, "www/a/deep/y"), "utf8"), "y");
});

test("an earlier publication that comes after a later one takes nothing of that away", async (context) => {
  const { pair, at } = makeTree(context);
  const early = await publish(pair.from, "one", DELETING);
  fs.mkdirSync(at("www/link"));
  fs.writeFileSync(at("www/link/x"), "x");
  const second = await publish(pair.from, "two", DELETING);
  const third = await publish(pair.from, "three", { ...DELETING, excludes: ["*.bak"] });
  pair.push();
  for (const first of [early, second]) {
    const others = [early, second, third].map((one) => ({ ...one, isServed: one === first }));
    pair.scanRules = { ...DELETING, published: others };
    pair.push();
    assert.equal(fs.readFileSync(path.join(pair.to, "www/link/x"), "utf8"), "x");
  }
});

test("a directory is made for what comes in it alone", async (context) => {
  const { pair, at } = makeTree(context);
  const [inner, whole]: ScanRequest[] = [
    { paths: ["www/sub/c"], recursive: false },
    { paths: ["www/a"], recursive: false },
  ];
  const known = await publish(pair.from, "one");
  const first = { ...known, isServed: false };
  fs.writeFileSync(at("www/a"), "later");
  const second = await publish(pair.from, "two", {}, whole);
  const paths = { paths: [...inner!.paths, ...whole!.paths], recursive: true };
  for (const rules of [{}, DELETING]) {
    assert.deepEqual(scanned(pair.from, WWW, { ...rules, published: [first, second] }).given, [
      "passage www",
      "www/a",
    ]);
    assert.deepEqual(scanned(pair.from, paths, { ...rules, published: [first, second] }).given, [
      "passage www",
      "www/a",
    ]);
  }
});

test("a directory is completed for publications that have completed it, by their own patterns", async (context) => {
  const { pair } = makeTree(context);
  const first = await publish(pair.from, "one");
  const second = await publish(pair.from, "two", { ...DELETING, excludes: ["*.bak"] });
  const given = (...published: PublishedPaths[]) =>
    scanned(pair.from, WWW, { ...DELETING, published }).given.filter((text) => text.startsWith("complete"));
  // Members delete without the patterns of the second one here, and with them when that is brought.
  assert.deepEqual(given(first, { ...second, isServed: false, isLacked: true }), []);
  assert.deepEqual(given({ ...first, isServed: false }, second), ["complete www", "complete www/sub"]);
});

test("a name of a file is a link to another one only if that is handed on, too", async (context) => {
  const { pair, at } = makeTree(context);
  fs.linkSync(at("www/a"), at("www/z"));
  const first = await publish(pair.from, "one", {}, { paths: ["www/a"], recursive: false });
  const second = await publish(pair.from, "two", {}, { paths: ["www/z"], recursive: false });
  pair.scanRules = { published: [{ ...first, isServed: false }, second] };
  const { given, withheld } = scanned(pair.from, WWW, pair.scanRules);
  assert.deepEqual(given, ["passage www", "www/z"]);
  assert.equal(withheld.count, 0);
  pair.push();
  assert.equal(fs.readFileSync(path.join(pair.to, "www/z"), "utf8"), "a");
});

test("a file that somebody has only given a further name is handed on, and one that was edited is not", async (context) => {
  const { pair, at } = makeTree(context);
  const published = [await publish(pair.from, "one", DELETING)];
  const look = () => scanned(pair.from, WWW, { published });
  fs.linkSync(at("www/a"), at("0"));
  fs.linkSync(at("www/b"), at("www/0"));
  assert.deepEqual(look().withheld, { count: 0, sample: "", lists: [] });
  assert.deepEqual(
    look().given,
    ["www", "www/a", "www/b", "www/sub", "www/sub/c"].toSpliced(0, 1, "passage www"),
  );
  pair.scanRules = { published };
  pair.push();
  assert.equal(fs.readFileSync(path.join(pair.to, "www/b"), "utf8"), "b");
  // An edit, an edit whose time was set back, and new attributes.
  fs.writeFileSync(at("www/a"), "A");
  const { mtime } = fs.statSync(at("www/sub/c"));
  fs.writeFileSync(at("www/sub/c"), "SUB/C".slice(0, 5));
  fs.utimesSync(at("www/sub/c"), mtime, mtime);
  fs.chmodSync(at("www/b"), 0o600);
  assert.deepEqual(look().withheld.count, 3);
});

test("a look finds what was changed, deleted or added, once for each entry", async (context) => {
  const { pair, at } = makeTree(context);
  const look = (published: PublishedPaths[], rules: Partial<ScanRules> = DELETING) =>
    findDrift(pair.from, new Owners(), WWW, { ...NO_RULES, ...rules, published });
  const list = await publish(pair.from, "one", DELETING);
  assert.deepEqual(look([list]), { count: 0, sample: "", lists: [] });
  fs.mkdirSync(at("www/mine/deep"), { recursive: true });
  fs.writeFileSync(at("www/mine/deep/f"), "mine");
  assert.deepEqual(look([list]), { count: 1, sample: "www/mine", lists: ["one"] });
  fs.appendFileSync(at("www/a"), "more");
  fs.chmodSync(at("www/b"), 0o600);
  fs.rmSync(at("www/sub/c"));
  assert.equal(look([list]).count, 4);
  assert.deepEqual(look([{ ...list, isServed: false }]).count, 0, "what is none of this look");
  // In a directory that no publication has completed, others may have files of their own.
  const loose = await publish(pair.from, "two");
  fs.writeFileSync(at("www/other"), "");
  assert.deepEqual(look([loose], {}), { count: 0, sample: "", lists: [] });
});

test("a list that is damaged is an error", async (context) => {
  const { pair } = makeTree(context);
  const list = await publish(pair.from, "one");
  for (const bytes of [
    Buffer.concat([list.bytes.subarray(0, -1), Buffer.from([list.bytes.at(-1)! ^ 1])]),
    list.bytes.subarray(0, -5),
    Buffer.alloc(0),
  ])
    assert.throws(
      () => scanned(pair.from, WWW, { published: [{ ...list, bytes }] }),
      /^UserError: the list published-\*-one in the state directory is damaged: remove it, and restart the daemon$/,
    );
});
