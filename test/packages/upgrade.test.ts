import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { findNfpm } from "../../scripts/nfpm.ts";
import { eventually, must } from "../support/processes.ts";
import { debOf, DIST, machineProblem, ProjectCopy, rpmOf, VERSION } from "./copies.ts";
import {
  acquainted,
  assertActive,
  assertSameFiles,
  BASE,
  CONFIG,
  configure,
  isActive,
  KEY,
  prepare,
  push,
} from "./fleet.ts";
import { Laboratory, laboratoryProblem } from "./laboratory.ts";
import type { Machine } from "./machine.ts";

/**
 * Packages come and go: built once more, they are the same; a higher version takes the place of a lower one while files
 * are on their way; removed ones leave what belongs to the administrator.
 */

const NEWER = VERSION.replace(/\d+$/, (patch) => String(Number(patch) + 1));
const BIG_MIB = 64;

/** What the newer version says in its config file, so that the package manager has to choose. */
const NEW_LINE = "# A line of the newer version.";

const problem = machineProblem() ?? (await laboratoryProblem());

void suite("packages come and go", { skip: problem ?? false }, () => {
  const again = new ProjectCopy();
  const newer = new ProjectCopy();
  let laboratory: Laboratory;
  let machines: Machine[];
  let one: Machine;
  let two: Machine;
  let three: Machine;
  let withRpm: Machine;
  let key: string;

  before(async () => {
    newer.replace("package.json", `"version": "${VERSION}"`, `"version": "${NEWER}"`);
    newer.replace("etc/makuosan.conf", "\n", `\n${NEW_LINE}\n`);
    laboratory = await Laboratory.open();
    await Promise.all([again.build(), newer.build()]);
    const boot = (name: string) => laboratory.boot(name, { "/packages": DIST, "/newer": newer.dist });
    [one, two, three, withRpm] = [
      await boot("web1"),
      await boot("web2"),
      await boot("web3"),
      await boot("rpm1"),
    ];
    machines = [one, two, three];
    for (const machine of machines) {
      await machine.must("apt-get", "install", "-y", `/packages/${debOf(VERSION)}`);
      key ??= (await machine.must("cat", KEY)).trim();
      await prepare(machine, key);
      await machine.must("systemctl", "enable", "--now", "makuosan");
    }
    await acquainted(machines);
  });
  after(async () => {
    again.remove();
    newer.remove();
    await laboratory.close();
  });

  test("what is built from one commit is the same, byte for byte, in another folder and at another time", () => {
    for (const file of ["makuosan", debOf(VERSION), rpmOf(VERSION)]) {
      const [first, second] = [DIST, again.dist].map((folder) => fs.readFileSync(path.join(folder, file)));
      assert.ok(first?.equals(second ?? Buffer.alloc(0)), file);
    }
  });

  const upgrade = (machine: Machine) =>
    machine.must(
      "apt-get",
      "install",
      "-y",
      "-o",
      "Dpkg::Options::=--force-confold",
      `/newer/${debOf(NEWER)}`,
    );

  /** Writes a big file on the first machine and pushes it slowly; resolves when it is on its way. */
  async function pushSlowly(mbps: number): Promise<{ readonly done: ReturnType<Machine["run"]> }> {
    await configure(one, { rate: String(mbps) });
    await one.must("systemctl", "restart", "makuosan");
    await acquainted(machines);
    await one.shell(`head -c ${BIG_MIB}M /dev/urandom > ${BASE}/big && chown makuosan: ${BASE}/big`);
    const done = one.run("msync", "-r");
    const status = new RegExp(
      `Status: "2 members; transfer 1 to 2 members: sending, [1-9]\\d* of ${BIG_MIB} MiB"`,
    );
    await eventually("the state of the service shows how far the transfer is", async () =>
      status.test(await one.must("systemctl", "status", "makuosan")),
    );
    await eventually("that of a receiver tells where the transfer is from", async () =>
      /Status: "2 members; transfer 1 from web1"/.test(await two.must("systemctl", "status", "makuosan")),
    );
    return { done };
  }

  const sumOfBig = async (machine: Machine) => (await machine.run("sha256sum", `${BASE}/big`)).stdout;

  test("a receiver is upgraded in the middle of a transfer, and keeps its config file", async () => {
    await configure(two, { loglevel: "debug" });
    const config = await two.must("cat", CONFIG);
    const { done } = await pushSlowly(100);
    await upgrade(two);
    const { status, stderr } = await done;
    assert.equal(await sumOfBig(three), await sumOfBig(one));
    if (status === 0) assert.equal(await sumOfBig(two), await sumOfBig(one));
    else {
      assert.match(stderr, /^error: web2: [^\n]+\n$/);
      assert.equal(status, 3);
      assert.equal(await sumOfBig(two), "");
    }
    await assertActive(two);
    assert.equal(await two.must("cat", CONFIG), config);
    assert.ok((await two.must("cat", `${CONFIG}.dpkg-dist`)).includes(NEW_LINE));
    await acquainted(machines);
    assert.ok((await one.must("msync", "--members")).includes(`web2 ${two.ip} (Ver${NEWER})`));
    await push(one, "-r");
    await assertSameFiles(machines);
    assert.equal((await two.run("ls", `${BASE}/.makuosan`)).status, 2, "nothing staged is left");
  });

  test("the sender is upgraded in the middle of a transfer that takes too long: it is reported, nothing is half", async () => {
    const old = await sumOfBig(two);
    const history = await one.must("msync", "--history", "1000");
    assert.match(history, / sent +from /);
    const { done } = await pushSlowly(20);
    await upgrade(one);
    for (const line of history.trim().split("\n"))
      assert.ok((await one.must("msync", "--history", "1000")).includes(line), line);
    const { status, stderr } = await done;
    assert.notEqual(status, 0);
    assert.match(stderr, /^error: /);
    for (const machine of [two, three]) assert.equal(await sumOfBig(machine), old);
    await assertActive(one);
    await configure(one, { rate: "1000" });
    await one.must("systemctl", "restart", "makuosan");
    await acquainted(machines);
    await push(one, "-r");
    await assertSameFiles(machines);
  });

  test("history and node id outlive an upgrade, and both are still written", async () => {
    const ids = () => one.must("cat", "/var/lib/makuosan/node-id");
    const transfers = async () => (await one.must("msync", "--history", "1000")).split("\n");
    const [id, kept] = [await ids(), await transfers()];
    assert.ok(kept.length > 1, "pushes were made before the upgrade of this host");
    await one.must("apt-get", "install", "-y", "--reinstall", `/newer/${debOf(NEWER)}`);
    await acquainted(machines);
    assert.equal(await ids(), id);
    await one.shell(`date > ${BASE}/upgraded && chown makuosan: ${BASE}/upgraded`);
    await push(one, "upgraded");
    const now = await transfers();
    for (const line of kept) assert.ok(now.includes(line), line);
    assert.ok(now.length > kept.length);
  });

  test("an upgrade does not start what was switched off", async () => {
    await three.must("systemctl", "disable", "--now", "makuosan");
    await upgrade(three);
    assert.equal(await isActive(three), false);
    assert.notEqual((await three.run("systemctl", "is-enabled", "makuosan")).status, 0);
    await three.must("systemctl", "enable", "--now", "makuosan");
    await acquainted(machines);
  });

  test("a removal stops the service, and leaves the key, the config file and the tree", async () => {
    const tree = await three.must("ls", "-laR", BASE);
    await three.must("apt-get", "remove", "-y", "makuosan");
    assert.equal(await isActive(three), false);
    assert.notEqual((await three.run("ls", "/usr/sbin/makuosan", "/usr/bin/msync")).status, 0);
    assert.ok((await three.must("cat", CONFIG)).includes(`base = ${BASE}`));
    await three.must("apt-get", "purge", "-y", "makuosan");
    assert.notEqual((await three.run("ls", CONFIG)).status, 0);
    assert.notEqual((await three.run("ls", "/var/lib/makuosan")).status, 0);
    assert.equal((await three.must("cat", KEY)).trim(), key);
    assert.equal(await three.must("ls", "-laR", BASE), tree);
  });

  test("installed once more, it takes up the key and the tree that are there", async () => {
    const said = await three.must("apt-get", "install", "-y", `/packages/${debOf(VERSION)}`);
    assert.doesNotMatch(said, /a new key/);
    assert.equal((await three.must("cat", KEY)).trim(), key);
    await configure(three, { base: BASE });
    await three.must("systemctl", "enable", "--now", "makuosan");
    await acquainted(machines);
    await one.shell(`date > ${BASE}/once-more && chown makuosan: ${BASE}/once-more`);
    await push(one, "-r");
    await assertSameFiles(machines);
  });

  test("the package for RPM makes a key and a service that joins the others", async () => {
    const said = await withRpm.must("rpm", "-i", "--nodeps", `/packages/${rpmOf(VERSION)}`);
    assert.match(said, /a new key is in \/etc\/makuosan\.key\. All servers need the same one: copy it/);
    assert.equal(await withRpm.must("stat", "-c", "%a %U", KEY), "600 root\n");
    assert.notEqual((await withRpm.must("cat", KEY)).trim(), key);
    assert.equal(await isActive(withRpm), false);
    await prepare(withRpm, key);
    await withRpm.must("systemctl", "enable", "--now", "makuosan");
    await assertActive(withRpm);
    await acquainted([...machines, withRpm]);
    await push(one, "-r");
    await assertSameFiles([one, withRpm]);
  });

  test("an upgrade by RPM keeps the config file and restarts the service, and a removal leaves the rest", async () => {
    const config = await withRpm.must("cat", CONFIG);
    await withRpm.must("rpm", "-U", "--nodeps", `/newer/${rpmOf(NEWER)}`);
    assert.equal(await withRpm.must("cat", CONFIG), config);
    assert.ok((await withRpm.must("cat", `${CONFIG}.rpmnew`)).includes(NEW_LINE));
    await eventually("the new version runs", async () =>
      (await withRpm.run("msync", "--status")).stdout.includes(`version : ${NEWER}\n`),
    );
    await withRpm.must("rpm", "-e", "makuosan");
    assert.equal(await isActive(withRpm), false);
    assert.notEqual((await withRpm.run("ls", "/usr/sbin/makuosan")).status, 0);
    assert.equal((await withRpm.must("cat", KEY)).trim(), key);
    await assertSameFiles([one, withRpm]);
  });

  test("an upgrade by RPM over a version before 2 makes a key, and keeps the start file", async () => {
    const old = path.join(newer.dist, "old");
    fs.mkdirSync(old);
    fs.writeFileSync(path.join(old, "makuosan"), "BASE_DIR=/srv/makuosan\nOPTIONS=-r\n");
    fs.writeFileSync(
      path.join(old, "nfpm.json"),
      JSON.stringify({
        ...{
          name: "makuosan",
          arch: "amd64",
          version: "1.3.6",
          release: "1",
          maintainer: "a <a@example.org>",
        },
        contents: [
          { src: path.join(old, "makuosan"), dst: "/etc/sysconfig/makuosan", type: "config|noreplace" },
        ],
      }),
    );
    await must(findNfpm(), ["package", "-f", path.join(old, "nfpm.json"), "-p", "rpm", "-t", `${old}/`]);
    await withRpm.shell(`rm -r ${KEY} ${CONFIG}*; rpm -i --nodeps /newer/old/makuosan-1.3.6-1.x86_64.rpm`);
    const said = await withRpm.must("rpm", "-U", "--nodeps", `/packages/${rpmOf(VERSION)}`);
    assert.match(said, /a new key is in \/etc\/makuosan\.key/);
    const [, command = ""] = /^makuosan: (makuosan --import-sysconfig .*)$/m.exec(said) ?? [];
    await withRpm.shell(command);
    const imported = await withRpm.must("cat", `${CONFIG}.d/40-imported.conf`);
    assert.equal(imported, "base = /srv/makuosan\nreceive = no\n");
    await withRpm.must("rpm", "-e", "makuosan");
  });

  test("the package for RPM goes into an empty root", async () => {
    const root = "/root/empty";
    await withRpm.must("rpm", "--root", root, "--initdb");
    await withRpm.must("rpm", "--root", root, "-i", "--nodeps", "--noscripts", `/packages/${rpmOf(VERSION)}`);
    assert.equal(await withRpm.must(`${root}/usr/bin/msync`, "--version"), `msync ${VERSION}\n`);
    assert.equal(await withRpm.must("rpm", "--root", root, "-V", "--nodeps", "makuosan"), "");
    const documents = await withRpm.shell(`cd ${root} && find usr/share etc usr/lib/systemd -type f | sort`);
    for (const file of [
      "etc/makuosan.conf",
      "usr/lib/systemd/system/makuosan.service",
      "usr/share/doc/makuosan/examples/strict.conf",
      "usr/share/licenses/makuosan/third-party-licenses.txt",
      "usr/share/man/man8/makuosan.8.gz",
    ]) {
      assert.ok(documents.includes(`${file}\n`), file);
    }
  });
});
