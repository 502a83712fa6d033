import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { sameTrees } from "../support/trees.ts";

/** A large file that changes: members have most of it, so little is sent. */

const skip = await namespaceProblem();
const SIZE = 64 * 1024 * 1024;

let fleet: NamespaceFleet;
let sender: Host;
let receivers: Host[];
let contents = Buffer.alloc(0);

if (skip === undefined) {
  before(async () => {
    fleet = await NamespaceFleet.create({ hosts: 4 });
    await Promise.all(fleet.hosts.map((host) => host.start()));
    await acquainted(fleet.hosts);
    [sender, ...receivers] = fleet.hosts as [Host, ...Host[]];
    contents = crypto
      .createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16))
      .update(Buffer.alloc(SIZE));
    fs.writeFileSync(path.join(sender.base, "image"), contents);
    await push();
  });
  after(() => fleet.destroy());
}

async function wireBytes(): Promise<number> {
  const { stdout } = await sender.run("ip", ["-s", "-j", "link", "show", "dev", "eth0"]);
  const [link] = JSON.parse(stdout) as { stats64: { tx: { bytes: number } } }[];
  return link?.stats64.tx.bytes ?? 0;
}

/** Changes the sender's file in some places, by insertions, deletions and in place. */
function edit(seed: number): void {
  const parts: Buffer[] = [];
  for (let index = 0; index < 10; index++) {
    const [start, end] = [(SIZE / 10) * index, (SIZE / 10) * (index + 1)].map((place) => Math.floor(place));
    const middle = Math.floor(((start ?? 0) + (end ?? 0)) / 2);
    parts.push(contents.subarray(start, middle), Buffer.from(`edited ${seed}`.repeat(index * 10)));
    parts.push(contents.subarray(middle + index * 7, end));
  }
  contents = Buffer.concat([...parts, contents.subarray(SIZE)]);
  fs.writeFileSync(path.join(sender.base, "image"), contents);
}

/** Pushes everything; what the result says, and the bytes on the wire as a share of the file. */
async function push(...options: string[]): Promise<{ net: number; share: number }> {
  const earlier = await wireBytes();
  const { status, stdout, stderr } = await sender.msync("-r", "--json", ...options);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const result = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Record<string, number>;
  const net = (result["sentBytes"] ?? 0) - (result["savedBytes"] ?? 0);
  const share = ((await wireBytes()) - earlier) / SIZE;
  for (const receiver of receivers) assert.equal(await sameTrees(sender, receiver), "", receiver.name);
  return { net, share };
}

test("a changed file sends what has changed", { skip }, async (context) => {
  edit(1);
  const { net, share } = await push();
  context.diagnostic(`${(share * 100).toFixed(2)} % of the bytes`);
  assert.ok(net < 0.05 * SIZE && share < 0.06, `${net} ${share}`);
});

test("a member with another version gets more, and so do all", { skip }, async () => {
  const [, other] = receivers as [Host, Host];
  const file = path.join(other.base, "image");
  const own = fs.openSync(file, "r+");
  fs.writeSync(own, Buffer.alloc(SIZE / 4, "other"), 0, SIZE / 4, 1000);
  fs.closeSync(own);
  edit(2);
  const { share } = await push();
  // After two looks in the first quarter, 24 MiB are sent before the next one.
  assert.ok(share > 0.25 && share < 0.5, `${share}`);
});

test("all of it is sent if that is asked for, and if a member has nothing of it", { skip }, async () => {
  edit(3);
  const whole = await push("--whole-file");
  const [first] = receivers as [Host];
  fs.rmSync(path.join(first.base, "image"));
  edit(4);
  const { share } = await push();
  assert.ok(whole.share > 1 && share > 1, `${whole.share} ${share}`);
});

test("--stats and the history say how much did not have to be sent", { skip }, async () => {
  edit(99);
  const { status, stdout } = await sender.msync("-r", "--stats");
  assert.equal(status, 0);
  const [, bytes, saved] =
    /^sent 1 entries, (\d+) bytes \((\d+) saved\) in [\d.]+ s to 3 of 3 hosts/.exec(stdout) ?? [];
  assert.ok(Number(saved) > 0.9 * Number(bytes), stdout);
  const history = await sender.msync("--history", "1");
  assert.ok(history.stdout.includes(`: 1 entries, ${bytes} bytes (${saved} saved), `), history.stdout);
});

function pushContents(now: Buffer): ReturnType<typeof push> {
  contents = Buffer.from(now);
  fs.writeFileSync(path.join(sender.base, "image"), contents);
  return push();
}

test("bytes that were put in anywhere, or removed, cost few others", { skip }, async (context) => {
  const MB = 1_000_000;
  const old = crypto.randomBytes(SIZE);
  const put = (megabytes: number, at: number) =>
    Buffer.concat([old.subarray(0, at), crypto.randomBytes(megabytes * MB), old.subarray(at)]);
  const without = (megabytes: number, at: number) =>
    Buffer.concat([old.subarray(0, at), old.subarray(at + megabytes * MB)]);
  // What the sender sends before it asks again is 8 MiB, and then 16.
  const kinds: [what: string, now: Buffer, mostMegabytes: number][] = [
    ["1 MB in front", put(1, 0), 10],
    ["4 MB in front", put(4, 0), 10],
    ["20 MB in front", put(20, 0), 28],
    ["20 MB in the middle", put(20, 30 * MB), 21],
    ["the first 5 MB removed", without(5, 0), 10],
    ["20 MB removed in the middle", without(20, 20 * MB), 20],
    ["halves swapped", Buffer.concat([old.subarray(SIZE / 2), old.subarray(0, SIZE / 2)]), 36],
  ];
  for (const [what, now, mostMegabytes] of kinds) {
    await pushContents(old);
    const { net } = await pushContents(now);
    context.diagnostic(`${what}: ${(net / MB).toFixed(1)} MB`);
    assert.ok(net < mostMegabytes * MB, `${what}: ${net}`);
  }
});
