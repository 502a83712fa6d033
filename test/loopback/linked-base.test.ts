import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { LoopbackFleet } from "../support/loopback.ts";

/** A base directory behind a symbolic link that leads to another directory later. */

const SENTENCE =
  /\/base leads to another directory than when the daemon started: run 'systemctl restart makuosan'/;

/** Puts the base directory of a host behind a link. */
function link(host: Host, name: string): string {
  const release = path.join(path.dirname(host.base), name);
  if (fs.existsSync(host.base)) {
    if (fs.lstatSync(host.base).isSymbolicLink()) fs.rmSync(host.base);
    else fs.renameSync(host.base, release);
  }
  fs.mkdirSync(release, { recursive: true });
  fs.chmodSync(release, 0o777);
  fs.symlinkSync(release, host.base);
  return release;
}

test("a push from or to a host whose base directory leads elsewhere is refused until a restart", async (context) => {
  const fleet = LoopbackFleet.create(3);
  context.after(() => fleet.destroy());
  const [sender, member, other] = fleet.hosts as [Host, Host, Host];
  const old = link(sender, "first");
  const received = link(member, "first");
  await Promise.all(fleet.hosts.map((host) => host.start()));
  await acquainted(fleet.hosts);
  fs.writeFileSync(path.join(old, "file"), "one");
  assert.equal((await sender.msync("file")).status, 0);
  assert.equal(fs.readFileSync(path.join(received, "file"), "utf8"), "one");

  link(member, "second");
  fs.writeFileSync(path.join(old, "file"), "two!");
  const toMember = await sender.msync("file");
  assert.equal(toMember.status, 3);
  assert.match(toMember.stderr, /host2/);
  assert.match(toMember.stderr, SENTENCE);
  assert.equal(fs.readFileSync(path.join(received, "file"), "utf8"), "one");
  assert.equal(fs.readFileSync(path.join(other.base, "file"), "utf8"), "two!");

  link(sender, "second");
  const fromSender = await sender.msync("file");
  assert.equal(fromSender.status, 3);
  assert.match(fromSender.stderr, SENTENCE);

  await Promise.all([sender, member].map((host) => host.stop()));
  await Promise.all([sender, member].map((host) => host.start()));
  await acquainted(fleet.hosts);
  fs.writeFileSync(path.join(sender.base, "file"), "three");
  assert.equal((await sender.msync("file")).status, 0);
  assert.equal(fs.readFileSync(path.join(member.base, "file"), "utf8"), "three");
});
