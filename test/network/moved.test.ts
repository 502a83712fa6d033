import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { makeFile, makeTree, sameTrees } from "../support/trees.ts";

/** Moved files and trees, with --delete: members have the contents, so they are not sent. */

const skip = await namespaceProblem();
const TREE_BYTES = 300 * 8000 + 20_000_000;
/** Contents of files that are too small for a digest. With headers of blocks, everything else is far more. */
const SMALL_BYTES = 1_000;
/** The manifest and the digests of 300 small files and a large one, and all messages, are less than this share. */
const MOST = 0.02;

let fleet: NamespaceFleet;
let sender: Host;
let receivers: Host[];

if (skip === undefined) {
  before(async () => {
    fleet = await NamespaceFleet.create({ hosts: 4 });
    await Promise.all(fleet.hosts.map((host) => host.start()));
    await acquainted(fleet.hosts);
    [sender, ...receivers] = fleet.hosts as [Host, ...Host[]];
    makeTree(path.join(sender.base, "tree"), 10, 30, 8000);
    makeFile(path.join(sender.base, "tree", "large"), 20_000_000);
    assert.deepEqual(await sender.msync("-r"), { status: 0, stdout: "", stderr: "" });
  });
  after(() => fleet.destroy());
}

async function wireBytes(): Promise<number> {
  const { stdout } = await sender.run("ip", ["-s", "-j", "link", "show", "dev", "eth0"]);
  const [link] = JSON.parse(stdout) as { stats64: { tx: { bytes: number } } }[];
  return link?.stats64.tx.bytes ?? 0;
}

/** Pushes everything with --delete; the contents that were sent, and the bytes on the wire as a share of the tree. */
async function push(): Promise<{ sentBytes: number; share: number }> {
  const earlier = await wireBytes();
  const { status, stdout, stderr } = await sender.msync("-r", "--delete", "--force-delete", "--json");
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const { sentBytes } = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as { sentBytes: number };
  const share = ((await wireBytes()) - earlier) / TREE_BYTES;
  for (const receiver of receivers) assert.equal(await sameTrees(sender, receiver), "", receiver.name);
  return { sentBytes, share };
}

const move = (host: Host, from: string, to: string) =>
  fs.renameSync(path.join(host.base, from), path.join(host.base, to));

test("a moved tree sends no contents", { skip }, async (context) => {
  move(sender, "tree", "moved");
  const { sentBytes, share } = await push();
  context.diagnostic(`${(share * 100).toFixed(2)} % of the bytes`);
  assert.ok(sentBytes < SMALL_BYTES, `${sentBytes}`);
  assert.ok(share < MOST, `${share}`);
});

test("a renamed file sends no contents", { skip }, async () => {
  move(sender, "moved/large", "moved/renamed");
  const { sentBytes, share } = await push();
  assert.ok(sentBytes < SMALL_BYTES, `${sentBytes}`);
  assert.ok(share < MOST, `${share}`);
});

test("a file of the same size and time with other contents is sent", { skip }, async () => {
  const [first] = receivers as [Host];
  const file = path.join(first.base, "moved", "renamed");
  const { atime, mtime } = fs.statSync(file);
  const own = fs.openSync(file, "r+");
  fs.writeSync(own, "tampered", 7_000_000);
  fs.closeSync(own);
  for (const base of fleet.hosts.map((host) => host.base))
    fs.utimesSync(path.join(base, "moved", "renamed"), atime, mtime);
  move(sender, "moved", "again");
  const { sentBytes } = await push();
  assert.ok(sentBytes >= 20_000_000 && sentBytes < 20_100_000, `${sentBytes}`);
});

test("a member that lacks the tree gets the contents, and so do all", { skip }, async () => {
  const [, , last] = receivers as [Host, Host, Host];
  fs.rmSync(path.join(last.base, "again"), { recursive: true });
  move(sender, "again", "last");
  const { sentBytes } = await push();
  assert.ok(sentBytes > 0.98 * TREE_BYTES, `${sentBytes}`);
});

test("packets that get lost change nothing", { skip }, async () => {
  for (const receiver of receivers) await fleet.lose(receiver, 5);
  move(sender, "last", "over");
  const { sentBytes } = await push();
  assert.ok(sentBytes < SMALL_BYTES, `${sentBytes}`);
  for (const receiver of receivers) await fleet.loseNothing(receiver);
});

test("no member has called anything malformed", { skip }, async () => {
  for (const host of fleet.hosts)
    assert.match((await host.msync("--status")).stdout, /^malformed packets : 0$/m);
});
