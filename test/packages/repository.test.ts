import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, suite, test } from "node:test";
import { hasProgram, must, run } from "../support/processes.ts";
import { debOf, machineProblem, ROOT, rpmOf, VERSION } from "./copies.ts";
import { CONFIG, KEY } from "./fleet.ts";
import { Laboratory, laboratoryProblem } from "./laboratory.ts";
import type { Machine } from "./machine.ts";
import { NEWER, Publisher } from "./publisher.ts";

/** The repositories that `make repository` makes: apt takes a package from them, and a newer one later. */

/** Without the option, a list that cannot be used is only a warning. */
const UPDATE = ["apt-get", "update", "-o", "APT::Update::Error-Mode=any"] as const;

const toolProblem = async () => {
  for (const program of ["gpg", "apt-ftparchive", "createrepo_c", "dpkg-deb", "rpmbuild"])
    if (!(await hasProgram(program))) return `there is no ${program}`;
  return undefined;
};
const problem = machineProblem() ?? (await toolProblem());
const noMachine = problem === undefined ? await laboratoryProblem() : undefined;

void suite("repositories for apt and dnf", { skip: problem ?? false }, () => {
  const publisher = new Publisher();
  before(() => publisher.open());
  after(() => publisher.close());

  test("the list for dnf has the packages of both architectures, and its signature is that of the key", async () => {
    const data = path.join(publisher.repository, "dnf", "repodata");
    const list = path.join(data, "repomd.xml");
    await publisher.gpg("--verify", `${list}.asc`, list);
    const [primary = ""] = fs.readdirSync(data).filter((name) => /primary\.xml/.test(name));
    const xml = await must("sh", [
      "-c",
      `{ gzip -dc "$1" || zstd -dc "$1"; } 2>/dev/null`,
      "sh",
      path.join(data, primary),
    ]);
    for (const architecture of ["x86_64", "aarch64"]) assert.ok(xml.includes(`<arch>${architecture}</arch>`));
    assert.ok(xml.includes(`ver="${VERSION}"`));
    fs.appendFileSync(list, " ");
    await assert.rejects(publisher.gpg("--verify", `${list}.asc`, list));
    await publisher.publish();
  });

  test("without a key it says how to make one", async () => {
    const { status, stderr } = await run(process.execPath, [path.join(ROOT, "scripts", "repository.ts")], {
      env: { MAKUOSAN_SIGNING_KEY: "" },
    });
    assert.equal(status, 1);
    assert.match(stderr, /^repository: no key is named: set MAKUOSAN_SIGNING_KEY .*quick-generate-key/);
  });

  for (const release of ["bookworm", "trixie"])
    void suite(`on a booted machine with Debian ${release}`, () => {
      let laboratory: Laboratory;
      let machine: Machine;
      before(async () => {
        if (noMachine !== undefined) return;
        laboratory = await Laboratory.open();
        await publisher.removeNewer();
        machine = await laboratory.boot("web1", { "/repository": publisher.repository }, { release });
      });
      after(() => laboratory?.close());
      const skip = noMachine ?? false;

      test("three lines add it, and apt installs makuosan with its service", { skip }, async () => {
        await machine.must("rm", "-rf", "/etc/apt/sources.list", "/etc/apt/sources.list.d");
        await machine.must("mkdir", "/etc/apt/sources.list.d");
        await machine.must("cp", "/repository/makuosan.gpg", "/usr/share/keyrings/");
        await machine.must("cp", "/repository/makuosan.list", "/etc/apt/sources.list.d/");
        await machine.must("apt-get", "update");
        const said = await machine.must("apt-get", "install", "-y", "makuosan");
        await start(machine, said);
      });

      test(
        "a newer version comes by apt-get upgrade without a question, and the service runs on",
        { skip },
        async () => {
          const config = await machine.must("cat", CONFIG);
          await publisher.addNewer();
          await machine.must("apt-get", "update");
          await machine.must("sh", "-c", "apt-get upgrade -y </dev/null");
          assert.match(await machine.must("dpkg-query", "-W", "makuosan"), new RegExp(`\\t${NEWER}-1\n`));
          assert.equal((await machine.run("systemctl", "is-active", "makuosan")).stdout, "active\n");
          // The shipped file was not changed, so that the new one is taken.
          assert.equal(await machine.must("cat", CONFIG), `${config}# A line of the newer version.\n`);
        },
      );

      test(
        "a package, and a list of packages, that were changed on the way are refused",
        { skip },
        async () => {
          const folder = path.join(publisher.repository, "apt");
          damage(path.join(folder, "pool/main", debOf(NEWER)));
          const installed = await machine.run("apt-get", "install", "--reinstall", "-y", "makuosan");
          assert.notEqual(installed.status, 0, installed.stdout);
          assert.match(installed.stderr, /Hash Sum mismatch/);
          for (const name of ["Packages", "Packages.gz"])
            damage(path.join(folder, "dists/stable/main/binary-amd64", name));
          await machine.must("rm", "-rf", "/var/lib/apt/lists");
          const { status, stdout, stderr } = await machine.run(...UPDATE);
          assert.notEqual(status, 0, stdout);
          assert.match(stderr, /Hash Sum mismatch|unexpected size/);
          await publisher.publish();
          await machine.must(...UPDATE);
        },
      );

      test("a signed list that was changed on the way is refused", { skip }, async () => {
        const list = path.join(publisher.repository, "apt/dists/stable/InRelease");
        fs.writeFileSync(list, fs.readFileSync(list, "utf8").replace("Origin: makuosan", "Origin: somebody"));
        fs.rmSync(path.join(path.dirname(list), "Release.gpg"));
        const { status, stdout, stderr } = await machine.run(...UPDATE);
        assert.notEqual(status, 0, stdout);
        assert.match(stderr, /signature|BADSIG|not signed/i);
      });
    });

  void suite("on a booted machine with dnf", () => {
    let laboratory: Laboratory;
    let machine: Machine;
    before(async () => {
      if (noMachine !== undefined) return;
      laboratory = await Laboratory.open();
      await publisher.removeNewer();
      const folders = {
        "/repository": publisher.repository,
        "/system": await publisher.systemPackages(),
        "/old": await publisher.oldVersion(),
      };
      machine = await laboratory.boot("web1", folders, { packages: ["dnf"] });
      // The machine itself is one of Debian: a package stands for what it has, such as the libraries of the system.
      await machine.shell(
        "mkdir -p /etc/yum.repos.d && cd /etc/yum.repos.d && " +
          "printf '[system]\\nname=system\\nbaseurl=file:///system\\ngpgcheck=0\\n' >system.repo",
      );
    });
    after(() => laboratory?.close());
    const skip = noMachine ?? false;

    test("the file of the README adds it, and dnf installs makuosan with its service", { skip }, async () => {
      await machine.must("cp", "/repository/makuosan.repo", "/etc/yum.repos.d/");
      const said = await machine.must("dnf", "install", "-y", "makuosan");
      await start(machine, said);
      assert.equal((await machine.run("systemctl", "is-active", "makuosan")).stdout, "active\n");
    });

    test("a newer version comes by dnf upgrade, and the service runs on", { skip }, async () => {
      const config = await machine.must("cat", CONFIG);
      await publisher.addNewerRpm();
      await machine.must("dnf", "--refresh", "upgrade", "-y");
      assert.match(await machine.must("rpm", "-q", "makuosan"), new RegExp(`^makuosan-${NEWER}-1`));
      assert.equal((await machine.run("systemctl", "is-active", "makuosan")).stdout, "active\n");
      assert.equal(await machine.must("cat", CONFIG), `${config}# A line of the newer version.\n`);
    });

    test("a list that was changed on the way is refused", { skip }, async () => {
      fs.appendFileSync(path.join(publisher.repository, "dnf/repodata/repomd.xml"), " ");
      const { status, stdout, stderr } = await machine.run(
        "dnf",
        "--refresh",
        // Otherwise it only says that it ignores the repository.
        "--setopt=makuosan.skip_if_unavailable=0",
        "makecache",
        "--repo=makuosan",
      );
      assert.notEqual(status, 0, stdout);
      assert.match(stderr, /Bad GPG signature/);
      await publisher.publish();
      await machine.must("dnf", "--refresh", "makecache", "--repo=makuosan");
    });

    test("a package that was changed on the way is refused", { skip }, async () => {
      damage(path.join(publisher.repository, "dnf", rpmOf(NEWER)));
      const { status, stdout, stderr } = await machine.run("dnf", "reinstall", "-y", "makuosan");
      assert.notEqual(status, 0, stdout);
      assert.match(stderr, /digest|checksum|does not verify/i);
    });

    test(
      "over a version before 2, dnf upgrade makes a key, keeps the start file and tells how to import it",
      { skip },
      async () => {
        await machine.must("dnf", "remove", "-y", "makuosan");
        await publisher.removeNewer();
        await machine.shell(`rm -rf ${KEY} ${CONFIG}* /srv/makuosan`);
        await machine.must(
          "dnf",
          "install",
          "-y",
          "--repofrompath=old,/old",
          "--nogpgcheck",
          "makuosan-1.3.6",
        );
        assert.match(await machine.must("rpm", "-q", "makuosan"), /^makuosan-1\.3\.6-1/);
        const said = await machine.must("dnf", "--refresh", "upgrade", "-y");
        assert.match(await machine.must("rpm", "-q", "makuosan"), new RegExp(`^makuosan-${VERSION}-1`));
        assert.match(said, /a new key is in \/etc\/makuosan\.key/);
        assert.equal(await machine.must("stat", "-c", "%a", KEY), "600\n");
        const [, command = ""] = /makuosan: (makuosan --import-sysconfig .*)$/m.exec(said) ?? [];
        await machine.shell(command);
        assert.equal(
          await machine.must("cat", `${CONFIG}.d/40-imported.conf`),
          "base = /srv/makuosan\nport = 5000\nmulticast = 224.0.0.108\nloglevel = 1\nparallel = 10\n",
        );
        await machine.must("install", "-d", "-o", "makuosan", "/srv/makuosan");
        await machine.must("systemctl", "enable", "--now", "makuosan");
        assert.match(await machine.must("msync", "--status"), /^basedir : \/srv\/makuosan$/m);
        assert.equal((await machine.run("ls", "/etc/init.d/makuosan")).status, 2);
      },
    );

    test("dnf removes it, and leaves the key and the files", { skip }, async () => {
      await machine.must("dnf", "remove", "-y", "makuosan");
      assert.notEqual((await machine.run("systemctl", "is-active", "makuosan")).stdout, "active\n");
      assert.equal(await machine.must("stat", "-c", "%a", KEY), "600\n");
      assert.equal(await machine.must("stat", "-c", "%U", "/srv/makuosan"), "makuosan\n");
    });
  });
});

/** Changes a byte in the middle of a file. */
function damage(file: string): void {
  const bytes = fs.readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  fs.writeFileSync(file, bytes);
}

/**
 * The steps of an administrator after the installation.
 *
 * @param said by the installation
 */
async function start(machine: Machine, said: string): Promise<void> {
  assert.match(said, /run: makuosan --set base=DIR && systemctl enable --now makuosan/);
  assert.match(await machine.must("msync", "--version"), new RegExp(`^msync ${VERSION}\n`));
  assert.equal(await machine.must("stat", "-c", "%a", KEY), "600\n");
  await machine.must("install", "-d", "-o", "makuosan", "/srv/makuosan");
  await machine.must("makuosan", "--set", "base=/srv/makuosan");
  await machine.must("systemctl", "enable", "--now", "makuosan");
}
