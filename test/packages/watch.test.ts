import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { eventually } from "../support/processes.ts";
import { debOf, DIST, machineProblem, VERSION } from "./copies.ts";
import { acquainted, assertActive, BASE, prepare } from "./fleet.ts";
import { Laboratory, laboratoryProblem } from "./laboratory.ts";
import type { Machine } from "./machine.ts";

/** makuosan-watch@.service on booted servers: what changes on one arrives on the other, whatever systemd does meanwhile. */

const problem = machineProblem() ?? (await laboratoryProblem());

/** The name of the unit for a path below the base directory is that of `systemd-escape --path`. */
const UNIT = "makuosan-watch@htdocs-my\\x20site.service";
const WATCHED = `${BASE}/htdocs/my site`;

void suite("makuosan-watch@", { skip: problem ?? false }, () => {
  let laboratory: Laboratory;
  let one: Machine;
  let two: Machine;

  before(async () => {
    laboratory = await Laboratory.open();
    one = await laboratory.boot("web1", { "/packages": DIST });
    two = await laboratory.boot("web2", { "/packages": DIST });
    for (const machine of [one, two])
      await machine.must("apt-get", "install", "-y", `/packages/${debOf(VERSION)}`);
    const key = (await one.must("cat", "/etc/makuosan.key")).trim();
    for (const machine of [one, two]) {
      await prepare(machine, key);
      await machine.must("systemctl", "enable", "--now", "makuosan");
    }
    await acquainted([one, two]);
    await asService(`mkdir -p '${WATCHED}' && echo 1 >'${WATCHED}/first' && echo 1 >${BASE}/other`);
  });
  after(() => laboratory.close());

  /** As the user of the service, which owns the tree. */
  const asService = (line: string) =>
    one.must("setpriv", "--reuid=makuosan", "--regid=makuosan", "--init-groups", "sh", "-c", line);
  const stateOf = async () => (await one.run("systemctl", "is-active", UNIT)).stdout.trim();
  const isRunning = async () => (await stateOf()) === "active";
  const has = async (file: string) => (await two.run("test", "-e", file)).status === 0;
  /** The state and the last lines of the unit, for a test that has waited in vain. */
  const arrives = async (file: string) => {
    await eventually(`${file} arrives`, () => has(file), 30_000).catch(async (error: unknown) => {
      const { stdout } = await one.run("systemctl", "status", "--no-pager", "--lines=20", UNIT);
      throw new Error(`${String(error)}\n${stdout}`);
    });
  };

  test("it pushes its path when it starts, then what changes there, and nothing else", async () => {
    assert.equal((await one.must("systemd-escape", "--path", "htdocs/my site")).trim(), "htdocs-my\\x20site");
    await one.must("systemctl", "enable", "--now", UNIT);
    await arrives(`${WATCHED}/first`);
    await asService(`mkdir '${WATCHED}/new' && echo 2 >'${WATCHED}/new/file'`);
    await arrives(`${WATCHED}/new/file`);
    assert.equal(await has(`${BASE}/other`), false);
    assert.match(
      await one.must("journalctl", "-u", UNIT, "--no-pager"),
      /update web2:htdocs\/my site\/new\/file/,
    );
  });

  test("it deletes if its environment says so", async () => {
    await asService(`rm -r '${WATCHED}/new'`);
    await one.shell(
      `mkdir -p '/etc/systemd/system/${UNIT}.d' && printf '[Service]\\nEnvironment=MSYNC_WATCH=--delete\\n' ` +
        `>'/etc/systemd/system/${UNIT}.d/delete.conf' && systemctl daemon-reload`,
    );
    await one.must("systemctl", "restart", UNIT);
    await eventually("it is deleted there, too", async () => !(await has(`${WATCHED}/new`)), 30_000);
    await asService(`rm '${WATCHED}/first' && echo 3 >'${WATCHED}/third'`);
    await arrives(`${WATCHED}/third`);
    await eventually("a single file is deleted", async () => !(await has(`${WATCHED}/first`)), 30_000);
  });

  test("it restarts with the daemon, and pushes what has changed meanwhile", async () => {
    await one.must("systemctl", "stop", "makuosan");
    assert.notEqual(await stateOf(), "active");
    await asService(`echo 4 >'${WATCHED}/fourth'`);
    await one.must("systemctl", "start", "makuosan");
    await eventually("it runs", isRunning, 30_000);
    await arrives(`${WATCHED}/fourth`);
    await one.must("systemctl", "restart", "makuosan");
    await eventually("it runs again", isRunning, 30_000);
    await asService(`echo 5 >'${WATCHED}/fifth'`);
    await arrives(`${WATCHED}/fifth`);
  });

  test("a daemon that is killed, and a watch that is killed, come back", async () => {
    await one.must("systemctl", "kill", "--signal=KILL", "makuosan");
    await asService(`echo 6 >'${WATCHED}/sixth'`);
    await arrives(`${WATCHED}/sixth`);
    await one.must("systemctl", "kill", "--signal=KILL", UNIT);
    await eventually("it runs again", isRunning, 30_000);
    await asService(`echo 7 >'${WATCHED}/seventh'`);
    await arrives(`${WATCHED}/seventh`);
  });

  test("a reboot brings it back", async () => {
    await one.reboot();
    await eventually("it runs", isRunning, 60_000);
    await asService(`echo 8 >'${WATCHED}/eighth'`);
    await arrives(`${WATCHED}/eighth`);
    await assertActive(one);
  });

  test("the instance - is the whole base directory", async () => {
    await one.must("systemctl", "start", "makuosan-watch@-");
    await arrives(`${BASE}/other`);
    await one.must("systemctl", "stop", "makuosan-watch@-");
  });

  test("each of its ends was a prompt one", async () => {
    assert.doesNotMatch(await one.must("journalctl", "-u", UNIT, "--no-pager"), /timed out/);
  });

  test("it ends with the removal of the package, and nothing of it is left", async () => {
    await one.must("apt-get", "purge", "-y", "makuosan");
    assert.notEqual(await stateOf(), "active");
    assert.equal((await one.run("pgrep", "-f", "msync --watch")).status, 1);
    assert.equal(await one.shell("find /etc/systemd/system -name '*makuosan*' -type l"), "");
  });
});
