import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { eventually } from "../support/processes.ts";
import { debOf, DIST, machineProblem, VERSION } from "./copies.ts";
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
  property,
  push,
} from "./fleet.ts";
import { Laboratory, laboratoryProblem } from "./laboratory.ts";
import type { Machine } from "./machine.ts";

/** The package for Debian as an administrator meets it: three servers with a systemd of their own on one network. */

const DEB = `/packages/${debOf(VERSION)}`;

const problem = machineProblem() ?? (await laboratoryProblem());

void suite("the service, from the package for Debian", { skip: problem ?? false }, () => {
  let laboratory: Laboratory;
  let machines: [Machine, Machine, Machine];
  let one: Machine;
  let two: Machine;
  let three: Machine;

  before(async () => {
    laboratory = await Laboratory.open();
    const boot = (name: string) => laboratory.boot(name, { "/packages": DIST });
    machines = [await boot("web1"), await boot("web2"), await boot("web3")];
    [one, two, three] = machines;
  });
  after(() => laboratory.close());

  test("an installation makes a key, says what to do with it, and starts nothing", async () => {
    for (const machine of machines) {
      const said = await machine.must("apt-get", "install", "-y", DEB);
      assert.match(said, /a new key is in \/etc\/makuosan\.key\. All servers need the same one: copy it/);
      assert.match(said, /run: makuosan --set base=DIR && systemctl enable --now makuosan/);
      assert.equal(await machine.must("stat", "-c", "%a %U", KEY), "600 root\n");
      assert.equal(await isActive(machine), false);
      assert.equal((await machine.must("systemctl", "--failed", "--quiet", "--plain")).trim(), "");
    }
  });

  test("without a base directory, nothing fails at a boot either", async () => {
    await one.reboot();
    assert.equal((await one.must("systemctl", "--failed", "--quiet", "--plain")).trim(), "");
    assert.equal(await isActive(one), false);
  });

  test("without a base directory the service says which line to set, and does not try again", async () => {
    assert.notEqual((await one.run("systemctl", "start", "makuosan")).status, 0);
    const { stdout } = await one.run("systemctl", "status", "makuosan");
    assert.match(
      stdout,
      /Status: "error: no base directory is set: .*write 'base = DIR' into \/etc\/makuosan\.conf/,
    );
    assert.equal(await property(one, "ActiveState"), "failed");
    assert.equal(await property(one, "NRestarts"), "0");
  });

  test("a broken line of the config file is named in the state of the service", async () => {
    await one.shell(`cp ${CONFIG} /root/config && echo 'prot = 1' >> ${CONFIG}`);
    await one.run("systemctl", "start", "makuosan");
    const { stdout } = await one.run("systemctl", "status", "makuosan");
    assert.match(
      stdout,
      /Status: "error: \/etc\/makuosan\.conf:\d+: unknown key 'prot': did you mean 'port'\? the keys are base, user, /,
    );
    const last = await one.shell(
      "journalctl -u makuosan -o json --output-fields=PRIORITY,MESSAGE | grep prot | tail -n 1",
    );
    assert.equal((JSON.parse(last) as { PRIORITY: string }).PRIORITY, "3");
    await one.shell(`mv /root/config ${CONFIG}`);
  });

  test("with a base directory and one key, enable --now brings all of them together", async () => {
    const key = (await one.must("cat", KEY)).trim();
    for (const machine of machines) {
      await prepare(machine, key);
      await machine.must("systemctl", "enable", "--now", "makuosan");
      await assertActive(machine);
    }
    await acquainted(machines);
    await eventually("the state of the service counts the members", async () =>
      (await one.must("systemctl", "status", "makuosan")).includes('Status: "2 members"'),
    );
    const ready = await one.shell(
      "journalctl -u makuosan -o json --output-fields=PRIORITY,MESSAGE | grep '\"ready\"'",
    );
    assert.equal((JSON.parse(ready) as { PRIORITY: string }).PRIORITY, "6");
  });

  test("a push is on all of them", async () => {
    await one.shell(`cp -r /usr/share/doc ${BASE}/ && chown -R makuosan: ${BASE}`);
    await push(one, "-r");
    await assertSameFiles(machines);
  });

  test("the nightly check compares, and starts no daemon that somebody has stopped", async () => {
    await one.must("systemctl", "start", "makuosan-check");
    await one.must("systemctl", "stop", "makuosan");
    assert.notEqual((await one.run("systemctl", "start", "makuosan-check")).status, 0);
    assert.equal(await isActive(one), false);
    await one.must("systemctl", "start", "makuosan");
    await acquainted(machines);
  });

  test("on a read-only /var the daemon works, without its history", async () => {
    await one.shell(
      "chown -R root: /var/lib/makuosan && mount --bind /var /var && mount -o remount,bind,ro /var",
    );
    await one.must("systemctl", "restart", "makuosan");
    await assertActive(one);
    assert.match(await one.must("msync", "--status"), /^history : in memory only: /m);
    await one.shell("systemctl stop makuosan && umount /var && systemctl start makuosan");
    assert.match(await one.must("msync", "--status"), /^history : \/var\/lib\/makuosan\//m);
    await acquainted(machines);
  });

  test("the control socket is for root and the group, and others are told which", async () => {
    await one.shell("useradd member -G makuosan && useradd stranger");
    const as = (user: string) =>
      one.run("setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", "msync", "--members");
    assert.equal((await as("member")).status, 0);
    const { status, stderr } = await as("stranger");
    assert.equal(status, 2);
    assert.match(
      stderr,
      /^error: permission denied: join the group makuosan, or be root, to use .*: run 'usermod -aG makuosan [^']+' as root, and log in again\n$/,
    );
  });

  test("a reload takes over the log level, and with a broken config file it fails, and all stays as it was", async () => {
    const pid = await property(one, "MainPID");
    await configure(one, { loglevel: "debug" });
    await one.must("systemctl", "reload", "makuosan");
    await eventually("the log level is another one", async () =>
      (await one.must("msync", "--status")).includes("log level : debug"),
    );
    await configure(one, { loglevel: "loud" });
    const refused = await one.run("systemctl", "reload", "makuosan");
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /^Job for makuosan\.service failed/);
    await eventually("the state says what is wrong", async () =>
      /Status: "2 members; the configuration stays as it was: \/etc\/makuosan\.conf:\d+: loglevel: the log level 'loud'/.test(
        await one.must("systemctl", "status", "makuosan"),
      ),
    );
    await configure(one, { loglevel: "info" });
    await one.must("systemctl", "reload", "makuosan");
    await eventually("all is well again", async () =>
      (await one.must("systemctl", "status", "makuosan")).includes('Status: "2 members"'),
    );
    assert.equal(await property(one, "MainPID"), pid);
    assert.equal(await property(one, "ActiveState"), "active");
  });

  test("a reload takes over the keys of a file that only root may read", async () => {
    const file = "/etc/makuosan.key";
    await one.must("cp", "-p", file, `${file}.kept`);
    await one.must("msync", "--keygen", "--add", file);
    await one.must("systemctl", "reload", "makuosan");
    await eventually("two keys are accepted", async () =>
      /^accepted keys : [0-9a-f]{8}, [0-9a-f]{8}$/m.test(await one.must("msync", "--status")),
    );
    await one.shell(`echo nonsense >> ${file}`);
    assert.notEqual((await one.run("systemctl", "reload", "makuosan")).status, 0);
    await eventually("the state says what is wrong", async () =>
      /; the configuration stays as it was: the key file \/etc\/makuosan\.key holds no key in line 4: /.test(
        await one.must("systemctl", "status", "makuosan"),
      ),
    );
    assert.match(await one.must("stat", "-c", "%U %a", file), /^root 600$/m);
    await one.must("mv", `${file}.kept`, file);
    await one.must("systemctl", "reload", "makuosan");
    await eventually("one key is accepted", async () =>
      /^accepted keys : [0-9a-f]{8}$/m.test(await one.must("msync", "--status")),
    );
  });

  test("a daemon that stands still is noticed and started again", async () => {
    await two.shell("mkdir -p /run/systemd/system/makuosan.service.d");
    await two.shell(
      "printf '[Service]\\nWatchdogSec=2\\n' > /run/systemd/system/makuosan.service.d/impatient.conf",
    );
    await two.must("systemctl", "daemon-reload");
    await two.must("systemctl", "restart", "makuosan");
    const pid = await property(two, "MainPID");
    // More than one watchdog's time, with signs of life all along.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    assert.equal(await property(two, "MainPID"), pid);
    assert.equal(await property(two, "NRestarts"), "0");
    await two.must("kill", "-STOP", pid);
    await eventually("another process serves", async () => {
      return (await property(two, "NRestarts")) === "1" && (await isActive(two));
    });
    assert.notEqual(await property(two, "MainPID"), pid);
    await two.shell(
      "rm -r /run/systemd/system/makuosan.service.d && systemctl daemon-reload && systemctl restart makuosan",
    );
    await acquainted(machines);
  });

  test("a network that comes later than the service is waited for", async () => {
    await three.must("systemctl", "stop", "makuosan");
    await three.must("ip", "link", "set", "host0", "down");
    await three.must("systemctl", "start", "--no-block", "makuosan");
    await eventually("it waits", async () => {
      const { stdout } = await three.run("systemctl", "status", "makuosan");
      return stdout.includes('Status: "waiting for the network: ');
    });
    assert.equal(await property(three, "ActiveState"), "activating");
    await three.must("ip", "link", "set", "host0", "up");
    await eventually("it is ready", () => isActive(three), 30_000);
    assert.equal(await property(three, "NRestarts"), "0");
    await acquainted(machines);
  });

  test("a reboot brings the service back as the same node", async () => {
    const id = await three.must("cat", "/var/lib/makuosan/node-id");
    assert.match(id, /^[0-9a-f]{32}\n/);
    await three.reboot();
    await eventually("the service runs", () => isActive(three), 30_000);
    assert.equal(await three.must("cat", "/var/lib/makuosan/node-id"), id);
    await acquainted(machines);
    await one.shell(`date > ${BASE}/after-reboot && chown makuosan: ${BASE}/after-reboot`);
    await push(one, "after-reboot");
    await assertSameFiles(machines);
  });
});
