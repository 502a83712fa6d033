import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { DIST, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";
import { listing, sameTrees } from "../support/trees.ts";

/** The session of the README, between real daemons that run as www-data in the background. */

const skip = await namespaceProblem();
const WWW_DATA = 33;

let fleet: NamespaceFleet;
let hosts: Host[];
let host1: Host;

const shell = (host: Host, command: string) => host.run("sh", ["-c", `cd /var/www && ${command}`]);
const msync = (...args: string[]) => host1.run(path.join(DIST, "msync"), args);
const makuosan = (host: Host, ...args: string[]) => host.run(path.join(DIST, "makuosan"), args);

async function startInBackground(host: Host): Promise<void> {
  fs.chownSync(host.base, WWW_DATA, WWW_DATA);
  const { status, stdout, stderr } = await makuosan(
    host,
    "-b",
    "/var/www",
    "-u",
    "www-data",
    "-g",
    "www-data",
  );
  assert.deepEqual({ status, stderr, stdout }, { status: 0, stderr: "", stdout: "" });
}

/** `pkill makuosan` on one host; the processes of the others are seen from there, but live in other networks. */
async function pkill(host: Host): Promise<number | null> {
  const { stdout } = await host.run(path.join(DIST, "msync"), ["--status"]);
  const pid = /^process : (\d+)$/m.exec(stdout)?.[1] ?? "";
  return (await host.run("pkill", ["--ns", pid, "--nslist", "net", "makuosan"])).status;
}

async function members(count: number): Promise<void> {
  await eventually(`${count} members`, async () =>
    (await msync("--members")).stdout.includes(`Total: ${count} members`),
  );
}

if (skip === undefined) {
  before(async () => {
    fleet = await NamespaceFleet.create({ hosts: 4 });
    hosts = fleet.hosts;
    host1 = hosts[0]!;
    await Promise.all(hosts.map(startInBackground));
    await members(3);
  });

  after(() => fleet.destroy());
}

test("two files go to everybody, with owner, mode, size and time", { skip }, async () => {
  await shell(
    host1,
    "echo hoge > hoge.html; echo fuga > fuga.html; chown www-data:www-data hoge.html fuga.html",
  );
  assert.deepEqual(await msync("-r"), { status: 0, stdout: "", stderr: "" });
  for (const host of hosts.slice(1)) {
    const { stdout } = await shell(host, "ls -la");
    assert.match(stdout, /^-rw-r--r-- +1 www-data www-data +5 .* fuga.html$/m);
    assert.match(stdout, /^-rw-r--r-- +1 www-data www-data +5 .* hoge.html$/m);
    assert.equal(await sameTrees(host1, host), "");
  }
});

test("a dry run says what would go and changes nothing anywhere", { skip }, async () => {
  await shell(host1, "echo piyo > piyo.html");
  const old = await Promise.all(hosts.map((host) => listing(host)));
  assert.equal((await msync("-rn")).stdout, "(dryrun) [update:piyo.html]\n");
  const { stdout } = await msync("-rnv");
  assert.equal(stdout, ["2", "3", "4"].map((n) => `(dryrun) update host${n}:piyo.html\n`).join(""));
  assert.deepEqual(await Promise.all(hosts.map((host) => listing(host))), old);
});

test("one file is sent by its name, from any directory", { skip }, async () => {
  await shell(host1, "echo index > index.html");
  assert.equal(
    (await host1.run("sh", ["-c", `cd / && ${DIST}/msync -v index.html`])).stdout.split("\n").length,
    4,
  );
  assert.match(await listing(hosts[3]!), /^index.html f/m);
  assert.doesNotMatch(await listing(hosts[3]!), /piyo/);
});

test("a directory is sent with all that is in it, to one host or to all", { skip }, async () => {
  await shell(host1, "mkdir -p hogehoge/sub && echo 1 > hogehoge/a && echo 2 > hogehoge/sub/b");
  assert.equal((await msync("-t", "host3", "-r", "hogehoge/")).status, 0);
  assert.match(await listing(hosts[2]!), /^hogehoge\/sub\/b f/m);
  assert.doesNotMatch(await listing(hosts[1]!), /hogehoge/);
  assert.equal((await msync("-r", "hogehoge/")).status, 0);
  assert.match(await listing(hosts[1]!), /^hogehoge\/sub\/b f/m);
});

test("-v and -vv name each host with each path", { skip }, async () => {
  await shell(host1, "echo changed > index.html");
  const { stdout } = await msync("-vv", "index.html", "hoge.html");
  const lines = stdout.trimEnd().split("\n").sort();
  assert.deepEqual(lines, [
    ...["2", "3", "4"].map((n) => `skip   host${n}:hoge.html`),
    ...["2", "3", "4"].map((n) => `update host${n}:index.html`),
  ]);
});

test("--members and --status keep their form", { skip }, async () => {
  const { stdout } = await msync("--members");
  assert.match(
    stdout,
    /^host2 10\.77\.0\.2 \(Ver[\d.]+\)\nhost3 10\.77\.0\.3 \(Ver[\d.]+\)\nhost4 .*\nTotal: 3 members\n$/,
  );
  const status = (await msync("--status")).stdout;
  for (const key of ["process", "version", "basedir"])
    assert.match(status, new RegExp(`^${key} : \\S+$`, "m"));
});

test("a target that is no member is named, and the others get the file", { skip }, async () => {
  await shell(host1, "echo more > more.html");
  const { status, stderr } = await msync("-t", "host9", "-t", "host2", "more.html");
  assert.equal(status, 3);
  assert.match(stderr, /^error: host9 is not a member/);
  assert.match(await listing(hosts[1]!), /^more.html f/m);
});

test("a fifth host is a member without a change on the others", { skip }, async () => {
  await shell(host1, "chown -hR www-data:www-data *");
  const host5 = await fleet.addHost();
  await startInBackground(host5);
  await members(4);
  assert.equal((await msync("-r")).status, 0);
  assert.equal(await sameTrees(host1, host5), "");
});

test("SIGTERM ends a daemon cleanly and the others know at once", { skip }, async () => {
  const began = performance.now();
  assert.equal(await pkill(hosts[3]!), 0);
  await members(3);
  assert.ok(performance.now() - began < 5_000, "they do not wait for its silence");
  assert.doesNotMatch((await msync("--members")).stdout, /host4/);
});
