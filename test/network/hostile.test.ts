import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { acquainted, DIST, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { must, run } from "../support/processes.ts";
import { makeFile, sameTrees } from "../support/trees.ts";

/** Whoever has no key can neither write nor see anything, nor stop the daemons. */

const skip = await namespaceProblem();
const FLOOD_SECONDS = Number(process.env["FLOOD_SECONDS"] ?? 10);

/** Sends packets made of noise, of packets seen on the wire, and of such with some bytes changed. */
const FLOODER = `
const dgram = require("node:dgram"), crypto = require("node:crypto"), fs = require("node:fs");
const seen = [], group = dgram.createSocket({ type: "udp4", reuseAddr: true });
group.on("message", (m) => { if (seen.length < 5000) seen.push(Buffer.from(m.subarray(0, 1440))); });
group.bind(5000, "224.0.0.108", () => group.addMembership("224.0.0.108", "10.77.0.4"));
const socket = dgram.createSocket("udp4");
// From the port of the fleet: what comes from another one is not even looked at.
socket.bind(5000, "10.77.0.4", () => { socket.setMulticastInterface("10.77.0.4"); });
const end = Date.now() + ${FLOOD_SECONDS} * 1000; let sent = 0;
function one() {
  const kind = Math.random();
  if (kind < 0.3 || seen.length === 0) return crypto.randomBytes(Math.floor(Math.random() * 1472));
  const packet = Buffer.from(seen[Math.floor(Math.random() * seen.length)]);
  if (kind < 0.5) return packet;
  for (let n = Math.ceil(Math.random() * 4); n > 0; n--) packet[Math.floor(Math.random() * packet.length)] = Math.random() * 256;
  return kind < 0.6 ? packet.subarray(0, Math.floor(Math.random() * packet.length)) : packet;
}
(function burst() {
  for (let n = 0; n < 50; n++, sent++) socket.send(one(), 5000, ["224.0.0.108", "10.77.0.2", "10.77.0.3"][sent % 3]);
  if (Date.now() < end) setTimeout(burst, 2); else { console.log(sent, seen.length); process.exit(0); }
})();`;

const memoryKiB = (host: Host) =>
  Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${host.pid}/status`, "latin1"))?.[1] ?? 0);

test("a fleet with a key", { skip }, async (suite) => {
  const fleet = await NamespaceFleet.create({ hosts: 4 });
  suite.after(() => fleet.destroy());
  const key = path.join(fleet.directory, "key");
  const otherKey = path.join(fleet.directory, "other-key");
  for (const file of [key, otherKey]) await must(path.join(DIST, "msync"), ["--keygen", file]);
  const [sender, receiver, third, stranger] = fleet.hosts as [Host, Host, Host, Host];
  const fellows = [sender, receiver, third];
  await Promise.all(fellows.map((host) => host.start("-k", key)));
  await acquainted(fellows);

  await suite.test("files go over the wire sealed", async () => {
    makeFile(path.join(sender.base, "file"), 1_000_000);
    const { status, stderr } = await sender.msync("-r");
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    assert.equal(await sameTrees(sender, receiver), "");
  });

  await suite.test("a node with another key is no member, and is shown with its address", async () => {
    await stranger.start("-k", otherKey);
    makeFile(path.join(stranger.base, "evil"), 1000);
    assert.equal((await stranger.msync("-r")).status, 4);
    assert.match(
      (await receiver.msync("--status")).stdout,
      /^foreign packets : \d+ \(last from 10\.77\.0\.4\)$/m,
    );
    assert.ok(!fs.existsSync(path.join(receiver.base, "evil")));
    await stranger.stop();
  });

  await suite.test(
    "noise, replayed and changed packets change nothing, and memory stays flat",
    async (context) => {
      const flood = stranger.run(process.execPath, ["-e", FLOODER], {
        timeoutMs: (FLOOD_SECONDS + 30) * 1000,
      });
      for (let round = 0; round < 5; round++) {
        makeFile(path.join(sender.base, `round${round}`), 3_000_000);
        const { status, stderr } = await sender.msync("-r");
        assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
      }
      const before = fellows.map(memoryKiB);
      const { stdout, stderr } = await flood;
      context.diagnostic(`packets sent and seen: ${stdout.trim()}`);
      assert.equal(stderr, "");
      const grown = fellows.map((host, index) => memoryKiB(host) - (before[index] ?? 0));
      context.diagnostic(`memory grew by ${grown.join(", ")} KiB`);
      for (const kib of grown) assert.ok(kib < 60_000);
      assert.equal((await sender.msync("-r")).status, 0);
      for (const other of [receiver, third]) assert.equal(await sameTrees(sender, other), "");
      assert.match((await receiver.msync("--status")).stdout, /^replayed packets : [1-9]/m);
    },
  );
});

test("a key file that others can read, or that holds no key, is refused", { skip }, async () => {
  const directory = fs.mkdtempSync("/tmp/makuosan-key-");
  try {
    const file = path.join(directory, "key");
    fs.writeFileSync(file, "nonsense\n", { mode: 0o600 });
    const start = () =>
      run(path.join(DIST, "makuosan"), [
        "--config",
        "/dev/null",
        "-b",
        directory,
        "-k",
        file,
        "-i",
        "127.0.0.9",
        "-p",
        "5099",
      ]);
    assert.match(
      (await start()).stderr,
      /^error: the key file .* holds no key in line 1: write one of 'msync --keygen', or put # before a comment\n$/,
    );
    fs.chmodSync(file, 0o644);
    const { status, stderr } = await start();
    assert.match(stderr, /^error: the key file .* can be read or changed by everybody: 'chmod 600 .*'\n$/);
    assert.equal(status, 1);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
});
