import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import type { Finished } from "../support/processes.ts";

/** Ordinary users who may use the control socket of a daemon that is root. */

const skip = await namespaceProblem();
const options = skip === undefined ? {} : { skip };

/** Users and groups that every system has: the user daemon is in the group daemon alone. */
const DAEMON = 1;
const BIN = 2;

let fleet: NamespaceFleet;
let sender: Host;
let receiver: Host;

if (skip === undefined) {
  before(async () => {
    fleet = await NamespaceFleet.create({ hosts: 2 });
    await Promise.all(fleet.hosts.map((host) => host.start()));
    await acquainted(fleet.hosts);
    [sender, receiver] = fleet.hosts as [Host, Host];
    assert.equal((await sender.run("chmod", ["666", sender.socket])).status, 0);
  });
  after(() => fleet.destroy());
}

/** Runs msync as an ordinary user. */
function msyncAs(uid: number, gid: number, ...args: string[]): Promise<Finished> {
  const [program = "", ...rest] = sender.msyncCommand(...args);
  return sender.run("setpriv", [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    "--",
    program,
    ...rest,
  ]);
}

const gidOf = (host: Host, file: string) => fs.lstatSync(path.join(host.base, file)).gid;

test("nobody gets a group by way of a daemon that is root", options, async () => {
  const shadow = path.join(sender.base, "secret");
  fs.writeFileSync(shadow, "root's\n", { mode: 0o640 });
  const { status, stderr } = await msyncAs(DAEMON, DAEMON, "-g", "bin", "secret");
  assert.equal(
    stderr,
    "error: the user daemon is not in the group bin, and cannot give files to it: " +
      "name a group of this user, or be root\n",
  );
  assert.deepEqual(
    [status, gidOf(sender, "secret"), fs.existsSync(path.join(receiver.base, "secret"))],
    [1, 0, false],
  );
});

test("files of others keep their group and are named", options, async () => {
  const directory = path.join(sender.base, "mixed");
  fs.mkdirSync(directory);
  for (const [name, uid] of [
    ["mine", DAEMON],
    ["roots", 0],
    ["bins", BIN],
  ] as const) {
    fs.writeFileSync(path.join(directory, name), name);
    fs.chownSync(path.join(directory, name), uid, 0);
  }
  fs.symlinkSync("roots", path.join(directory, "link"));
  fs.lchownSync(path.join(directory, "link"), DAEMON, 0);
  for (const isDryRun of [true, false]) {
    const { status, stderr } = await msyncAs(
      DAEMON,
      DAEMON,
      "-r",
      ...(isDryRun ? ["-n"] : []),
      "-g",
      "daemon",
      "mixed",
    );
    assert.deepEqual(stderr.trimEnd().split("\n").sort(), [
      "error: mixed/bins: its group cannot be changed: it does not belong to the user who asked",
      "error: mixed/roots: its group cannot be changed: it does not belong to the user who asked",
      "error: mixed: its group cannot be changed: it does not belong to the user who asked",
    ]);
    assert.equal(status, 3);
    const given = isDryRun ? 0 : DAEMON;
    for (const [name, gid] of [
      ["mixed/mine", given],
      ["mixed/link", given],
      ["mixed/roots", 0],
      ["mixed/bins", 0],
      ["mixed", 0],
    ] as const) {
      assert.equal(gidOf(sender, name), gid, name);
      if (!isDryRun) assert.equal(gidOf(receiver, name), gid, `${name} there`);
    }
  }
  // A group beside the user's own, that of the process, is one that it may give.
  assert.equal((await msyncAs(DAEMON, BIN, "-g", "bin", "mixed/mine")).status, 0);
  assert.equal(gidOf(sender, "mixed/mine"), BIN);
});

test("root may give any group", options, async () => {
  assert.equal((await sender.msync("-g", "54321", "mixed/bins")).status, 0);
  assert.equal(gidOf(sender, "mixed/bins"), 54321);
});

test("the log and the history name the user of each push", options, async () => {
  assert.equal((await msyncAs(DAEMON, DAEMON, "secret")).status, 0);
  const { stdout } = await sender.msync("--history", "1", "--json");
  const { entries } = JSON.parse(stdout) as { entries: { by: { user: string; uid: number; pid: number } }[] };
  const { by } = entries[0] ?? assert.fail();
  assert.deepEqual([by.user, by.uid], ["daemon", DAEMON]);
  assert.ok(by.pid > 1);
  await sender.msync("secret");
  const log = (await sender.stop()).stdout;
  assert.match(log, new RegExp(`^transfer \\d+ to 1 members ended .* user=daemon uid=1 pid=${by.pid}$`, "m"));
  assert.match(log, /^transfer \d+ to 1 members ended .* user=root uid=0 pid=\d+$/m);
});

test("msync works where /proc is not mounted", options, async () => {
  const [program = "", ...args] = receiver.msyncCommand("--members");
  const script = 'mount -t tmpfs none /proc && exec "$@"';
  const { status, stdout, stderr } = await receiver.run("unshare", [
    ...["--mount", "sh", "-c", script, "sh"],
    ...[program, ...args],
  ]);
  assert.equal(stderr.replace(/^warning: no key is set: .*\n/, ""), "");
  assert.match(stdout, /^Total: \d+ members$/m);
  assert.equal(status, 0);
});
