import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { eventually } from "../support/processes.ts";
import { debOf, DIST, machineProblem, VERSION } from "./copies.ts";
import {
  acquainted,
  assertActive,
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

/** Who the service is, what it may do, and how far its sandbox is closed: as it is shipped, and with the examples. */

const EXAMPLES = "/usr/share/doc/makuosan/examples";
const DROP_INS = "/etc/systemd/system/makuosan.service.d";

/** CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID. */
const FOR_OWNERS = 0b11011n;

const problem = machineProblem() ?? (await laboratoryProblem());

void suite("the privileges of the service", { skip: problem ?? false }, () => {
  let laboratory: Laboratory;
  let one: Machine;
  let two: Machine;

  before(async () => {
    laboratory = await Laboratory.open();
    const boot = (name: string) => laboratory.boot(name, { "/packages": DIST });
    [one, two] = [await boot("web1"), await boot("web2")];
    for (const machine of [one, two]) {
      await machine.must("apt-get", "install", "-y", `/packages/${debOf(VERSION)}`);
      await prepare(machine, (await one.must("cat", KEY)).trim());
      await machine.must("useradd", "--uid", "1234", "owner");
      await machine.must("systemctl", "enable", "--now", "makuosan");
    }
    await acquainted([one, two]);
  });
  after(() => laboratory.close());

  /** The capabilities of each thread of the daemon, permitted and effective, as the kernel writes them. */
  async function capabilities(machine: Machine): Promise<Set<bigint>> {
    const pid = await property(machine, "MainPID");
    const lines = await machine.shell(`grep -hE '^Cap(Prm|Eff):' /proc/${pid}/task/*/status`);
    return new Set(
      lines
        .trim()
        .split("\n")
        .map((line) => BigInt(`0x${line.split(/\s+/)[1]}`)),
    );
  }

  async function restart(machine: Machine): Promise<void> {
    await machine.must("systemctl", "daemon-reload");
    await machine.must("systemctl", "restart", "makuosan");
    await assertActive(machine);
    await acquainted([one, two]);
  }

  const owners = (machine: Machine, path: string) =>
    machine.must("stat", "-c", "%U:%G %a", `${BASE}/${path}`);
  const exposure = async (machine: Machine) =>
    Number(
      /Overall exposure level for \S+: ([\d.]+)/.exec(
        (await machine.run("systemd-analyze", "security", "--no-pager", "makuosan.service")).stdout,
      )?.[1],
    );

  test("as it is shipped, it is the user of the config file, without any capability", async () => {
    const pid = await property(one, "MainPID");
    assert.equal(
      (await one.must("ps", "-o", "user=,group=", "-p", pid)).trim().replace(/ +/, " "),
      "makuosan makuosan",
    );
    assert.deepEqual(await capabilities(one), new Set([0n]));
    assert.ok(!(await property(one, "CapabilityBoundingSet")).includes("net_admin"));
    // The network may come late: no number of failed starts is the last one.
    assert.equal(await property(one, "StartLimitIntervalUSec"), "0");
    assert.ok((await exposure(one)) <= 2.9, String(await exposure(one)));
    assert.equal(
      await one.must("stat", "-c", "%a %U:%G", "/run/makuosan/makuosan.sock"),
      "660 makuosan:makuosan\n",
    );
  });

  test("with keep-owner it keeps the capabilities for that in each thread that touches files, and no others", async () => {
    for (const machine of [one, two]) {
      await configure(machine, { "keep-owner": "yes" });
      await restart(machine);
    }
    // The threads that the engine of JavaScript started before have none; main thread and disk threads have these.
    assert.deepEqual(await capabilities(two), new Set([0n, FOR_OWNERS]));
    await one.shell(`mkdir ${BASE}/home && echo text > ${BASE}/home/file && ln -s file ${BASE}/home/link`);
    await one.shell(`cd ${BASE} && chown -Rh owner: home && chmod 4750 home/file && chmod 700 home`);
    await push(one, "-r");
    assert.equal(await owners(two, "home"), "owner:owner 700\n");
    assert.equal(await owners(two, "home/file"), "owner:owner 4750\n");
    assert.equal(await owners(two, "home/link"), "owner:owner 777\n");
    // It writes into directories that are not its own, too.
    await one.shell(`cd ${BASE}/home && rm file && date > file && chown owner: file`);
    await push(one, "-r");
    assert.equal(await owners(two, "home/file"), "owner:owner 644\n");
  });

  test("where the service manager leaves it too little for that, it does not start, and says so", async () => {
    await two.shell(
      `mkdir -p ${DROP_INS} && printf '[Service]\\nCapabilityBoundingSet=~CAP_FOWNER\\n' > ${DROP_INS}/less.conf`,
    );
    await two.must("systemctl", "daemon-reload");
    assert.notEqual((await two.run("systemctl", "restart", "makuosan")).status, 0);
    assert.match(
      (await two.run("systemctl", "status", "makuosan")).stdout,
      /Status: "error: owners cannot be kept, because/,
    );
    await two.must("rm", `${DROP_INS}/less.conf`);
  });

  test("a base directory in /etc needs a line of its own, which the state of the service tells", async () => {
    await two.shell("mkdir -p /etc/tree && chown makuosan: /etc/tree");
    await configure(two, { base: "/etc/tree", "keep-owner": "no" });
    await two.run("systemctl", "restart", "makuosan");
    assert.match(
      (await two.run("systemctl", "status", "makuosan")).stdout,
      /Status: "error: \/etc\/makuosan\.conf:\d+: base: the base directory \/etc\/tree is read-only for makuosan: .* ReadWritePaths=\/etc\/tree /,
    );
    await two.shell(
      `printf '[Service]\\nReadWritePaths=/etc/tree\\n' > ${DROP_INS}/base.conf && systemctl daemon-reload`,
    );
    await two.must("systemctl", "restart", "makuosan");
    await two.must("rm", `${DROP_INS}/base.conf`);
    await configure(two, { base: BASE, "keep-owner": "yes" });
    await restart(two);
  });

  test("a base directory that the sandbox hides is told from one that is missing", async () => {
    const statusOf = async () => {
      await two.run("systemctl", "restart", "makuosan");
      return (await two.run("systemctl", "status", "makuosan")).stdout;
    };
    await two.shell(
      "mkdir -p /tmp/tree /home/u/tree /run/disk && chown makuosan: /tmp/tree /home/u/tree && ln -s /tmp/tree /srv/link &&" +
        " mount -t tmpfs -o ro tmpfs /run/disk",
    );
    const hidden = (line: string) =>
      `is hidden by the sandbox of the service: .* write ${line} below \\[Service\\]`;
    for (const [base, line, sentence] of [
      ["/tmp/tree", "", hidden("PrivateTmp=no")],
      ["/srv/link", "", hidden("PrivateTmp=no")],
      ["/home/u/tree", "ProtectHome=yes", hidden("ProtectHome=no")],
      ["/home/u/tree", "ProtectHome=tmpfs", hidden("ProtectHome=no")],
      ["/home/u/tree", "InaccessiblePaths=/home/u", hidden("InaccessiblePaths=")],
      ["/run/disk", "", "is on a file system that is mounted read-only: see 'findmnt -T /run/disk'"],
      ["/srv/gone", "", "is missing: create it, such as with 'install -d -o makuosan /srv/gone'"],
    ] as const) {
      await two.shell(`printf '[Service]\\n${line}\\n' > ${DROP_INS}/base.conf && systemctl daemon-reload`);
      await configure(two, { base });
      assert.match(await statusOf(), new RegExp(`base: (?:the base directory )?${base} ${sentence}`));
    }
    await two.shell(`umount /run/disk && rm ${DROP_INS}/base.conf && systemctl daemon-reload`);
    await configure(two, { base: BASE });
    await restart(two);
  });

  test("the example keep-owner.conf does the same without ever being root", async () => {
    await two.must("cp", `${EXAMPLES}/keep-owner.conf`, DROP_INS);
    await restart(two);
    assert.deepEqual(await capabilities(two), new Set([FOR_OWNERS]));
    await one.shell(`cd ${BASE}/home && date > more && chown owner: more && chmod 640 more`);
    await push(one, "-r");
    assert.equal(await owners(two, "home/more"), "owner:owner 640\n");
    await two.must("rm", `${DROP_INS}/keep-owner.conf`);
  });

  test("the example strict.conf can write nowhere but in its base directory, and works", async () => {
    for (const machine of [one, two]) {
      await configure(machine, { "keep-owner": "no" });
      await machine.shell(`chown -R makuosan: ${BASE} && mkdir -p ${DROP_INS}`);
      await machine.must("cp", `${EXAMPLES}/strict.conf`, DROP_INS);
      await restart(machine);
    }
    assert.ok((await exposure(two)) <= 1.6, String(await exposure(two)));
    assert.deepEqual(await capabilities(two), new Set([0n]));
    await one.shell(`date > ${BASE}/strict && chown makuosan: ${BASE}/strict`);
    await push(one, "-r");
    assert.equal(await owners(two, "strict"), "makuosan:makuosan 644\n");
    await two.must("systemctl", "reload", "makuosan");
    assert.match(await two.must("msync", "--status"), /^sealed : yes$/m);
    await two.shell(`rm ${DROP_INS}/strict.conf`);
    await restart(two);
  });

  test("id and history outlive restarts, and strict.conf and the way back", async () => {
    const state = "/var/lib/makuosan";
    const kept = async () => [
      await one.must("cat", `${state}/node-id`),
      (await one.shell(`sort -u ${state}/history-*.jsonl`)).trim(),
    ];
    await one.shell(`date > ${BASE}/kept && chown makuosan: ${BASE}/kept`);
    await push(one, "kept");
    await eventually("the push is in the history", async () => (await kept())[1] !== "");
    const former = await kept();
    for (const drop of ["rm -f", `cp ${EXAMPLES}/strict.conf`, "rm -f"]) {
      await one.shell(`${drop} ${DROP_INS}/strict.conf`);
      await restart(one);
      assert.deepEqual(await kept(), former);
      assert.ok(!(await one.must("msync", "--status")).includes("in memory only"));
    }
    const files = (await one.shell(`stat -c %U ${state} ${state}/*`)).trim().split("\n");
    assert.deepEqual(new Set(files), new Set(["makuosan"]));
  });

  test("without the FFI library readiness and signs of life reach the service manager all the same", async () => {
    const drop = "[Service]\\nEnvironment=MAKUOSAN_WITHOUT_FFI=1\\nNotifyAccess=all\\nWatchdogSec=3\\n";
    await two.shell(`printf '${drop}' > ${DROP_INS}/without-ffi.conf`);
    await restart(two);
    const pid = await property(two, "MainPID");
    await eventually("the members are in the state of the service", async () =>
      (await two.must("systemctl", "status", "makuosan")).includes('Status: "1 member"'),
    );
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    assert.equal(await property(two, "MainPID"), pid);
    assert.equal(await property(two, "NRestarts"), "0");
    await configure(two, { "keep-owner": "yes" });
    assert.notEqual((await two.run("systemctl", "restart", "makuosan")).status, 0);
    assert.equal(await isActive(two), false);
    assert.match(
      (await two.run("journalctl", "-u", "makuosan", "-n", "20")).stdout,
      /error: owners cannot be kept as another user/,
    );
    assert.ok((await two.must("cat", CONFIG)).includes("keep-owner = yes"));
  });
});
