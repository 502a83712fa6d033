import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { acquainted, type Host } from "./host.ts";
import { must } from "./processes.ts";

/**
 * Tests of msync beyond plain pushes, on real daemons. The same tests run between network namespaces as root, and on
 * the loopback network as an ordinary user.
 */

export interface CommandFleet {
  readonly hosts: Host[];
  readonly directory: string;
}

/** Starts three daemons: the first one pushes; each has its own settings. */
export async function startHosts(fleet: CommandFleet): Promise<void> {
  const [sender, second, third] = fleet.hosts as [Host, Host, Host];
  const config = path.join(fleet.directory, "sender.conf");
  fs.writeFileSync(config, 'exclude = *.secret, cache/\nexclude[] = "#*#"\n');
  await sender.start("--config", config);
  await second.start("--labels", "web,tokyo");
  await third.start("--labels", "web,osaka", "--exclude", "local.conf");
  await acquainted(fleet.hosts);
}

export async function excludeScenarios(context: TestContext, fleet: CommandFleet): Promise<void> {
  const [sender, second, third] = fleet.hosts as [Host, Host, Host];

  await context.test("patterns of the config file, of options and of files hold together", async () => {
    await shell(
      sender,
      "mkdir -p ex/cache ex/sub/node_modules/m ex/tmp && cd ex && " +
        "touch a.html a.secret '#a#' cache/x sub/b.log sub/node_modules/m/i tmp/t 'sub/caf\u00e9.old' 'sub/odd name~'",
    );
    const list = path.join(fleet.directory, "excludes");
    fs.writeFileSync(list, "node_modules/\r\n\n*.old\n# no comment\n");
    const args = [
      "-r",
      "--exclude",
      "*.log",
      "--exclude",
      "*~",
      "--exclude-from",
      list,
      "--exclude",
      "/ex/tmp/",
    ];
    assert.deepEqual(await sender.msync(...args), { status: 0, stdout: "", stderr: "" });
    for (const host of [second, third]) {
      assert.equal(await tree(host, "ex"), "ex\nex/a.html\nex/sub\n");
    }
    const { status, stdout } = await sender.run("sh", [
      "-c",
      'printf "*.log\\n" | "$@"',
      "sh",
      ...sender.msyncCommand("-rn", "--exclude-from", "-", "ex/sub"),
    ]);
    assert.equal(status, 0);
    assert.equal(
      stdout,
      "(dryrun) [update:ex/sub/caf\u00e9.old]\n(dryrun) [update:ex/sub/node_modules]\n" +
        "(dryrun) [update:ex/sub/odd name~]\n(dryrun) [update:ex/sub/node_modules/m]\n" +
        "(dryrun) [update:ex/sub/node_modules/m/i]\n",
    );
  });

  await context.test("an excluded path that was asked for is named, and the others go", async () => {
    await shell(sender, "echo 1 > ex/one && echo 2 > ex/two.secret");
    const { status, stderr } = await sender.msync("ex/one", "ex/two.secret", "ex/cache/x");
    assert.equal(status, 3);
    assert.match(stderr, /^warning: ex\/two\.secret is not sent: an exclude pattern matches it/m);
    assert.match(stderr, /^warning: ex\/cache\/x is not sent: an exclude pattern matches it/m);
    assert.equal(await tree(second, "ex"), "ex\nex/a.html\nex/one\nex/sub\n");
  });

  await context.test("what a receiver excludes stays as it is there", async () => {
    await shell(sender, "echo from the sender > ex/local.conf");
    await shell(third, "echo its own > ex/local.conf");
    const { stdout } = await sender.msync("-v", "ex/local.conf");
    assert.equal(stdout, "update host2:ex/local.conf\n");
    assert.equal(await shell(third, "cat ex/local.conf"), "its own\n");
    assert.match((await third.msync("--status")).stdout, /^excludes : local\.conf$/m);
  });

  await context.test("bad patterns and files are refused with a sentence", async () => {
    for (const [args, sentence] of [
      [["--exclude", "a\\"], /^error: the exclude pattern 'a\\' ends a name with a backslash: /],
      [["--exclude", "/"], /^error: the exclude pattern '\/' matches nothing: /],
      [
        ["--exclude-from", "/nowhere"],
        /^error: the exclude patterns of \/nowhere cannot be read \(ENOENT\): /,
      ],
    ] as [string[], RegExp][]) {
      const { status, stderr } = await sender.msync("-r", ...args);
      assert.match(stderr, sentence);
      assert.equal(status, 1);
    }
  });
}

export async function targetScenarios(context: TestContext, fleet: CommandFleet): Promise<void> {
  const [sender, second, third] = fleet.hosts as [Host, Host, Host];
  let round = 0;
  /** Pushes a new file; returns the hosts that have it afterwards, and how msync ended. */
  const push = async (...args: string[]) => {
    const file = `target${++round}`;
    await shell(sender, `echo ${round} > ${file}`);
    const { status, stderr } = await sender.msync(...args, file);
    const having = [second, third].filter((host) => fs.existsSync(path.join(host.base, file)));
    return { hosts: having.map((host) => host.name).join(" "), status, stderr };
  };
  const well = (hosts: string) => ({ hosts, status: 0, stderr: "" });

  await context.test("several names, patterns, labels and exceptions choose the members", async () => {
    assert.deepEqual(await push("-t", "host2", "-t", third.ip), well("host2 host3"));
    assert.deepEqual(await push("-t", "host[3-9]"), well("host3"));
    assert.deepEqual(await push("-t", "@tokyo"), well("host2"));
    assert.deepEqual(await push("-t", "@web", "--except", "@tok*"), well("host3"));
    assert.deepEqual(await push("--except", "host3"), well("host2"));
  });

  await context.test("who is not there is named with status 3, and the others get it", async () => {
    const { hosts, status, stderr } = await push("-t", "host9", "-t", "@paris", "-t", "db*", "-t", "host2");
    assert.deepEqual({ hosts, status }, { hosts: "host2", status: 3 });
    assert.equal(
      stderr,
      ["host9 is not a member", "no member has the label paris", "no member is called db*"]
        .map((sentence) => `error: ${sentence}: 'msync --members' lists those that are there\n`)
        .join(""),
    );
    const typo = await push("--except", "hots3");
    assert.deepEqual([typo.hosts, typo.status], ["host2 host3", 0]);
    assert.match(typo.stderr, /^warning: hots3 is not a member, so --except leaves nobody out by it\n$/);
    assert.equal((await push("--except", "*")).status, 4);
  });

  await context.test("labels are shown", async () => {
    const { stdout } = await sender.msync("--members", "-v");
    assert.match(stdout, /^host2 \S+ \(Ver\S+\) web,tokyo$/m);
    assert.match((await sender.msync("--members")).stdout, /^host2 \S+ \(Ver\S+\)$/m);
    const listed = JSON.parse((await sender.msync("--members", "--json")).stdout) as {
      members: { host: string; labels: string[] }[];
    };
    assert.deepEqual(listed.members.find(({ host }) => host === "host3")?.labels, ["web", "osaka"]);
    assert.match((await third.msync("--status")).stdout, /^labels : web,osaka$/m);
  });

  await context.test("members are waited for, and their absence has a sentence and a status", async () => {
    assert.equal((await sender.msync("--wait", "2")).status, 0);
    const { status, stderr } = await sender.msync("--wait", "3,1");
    assert.equal(stderr, "error: 2 of 3 members are there after 1 s: 'msync --members' lists them\n");
    assert.equal(status, 4);
    await third.stop();
    const waiting = push("--wait", "2", "-t", "host*");
    await third.start("--labels", "web,osaka", "--exclude", "local.conf");
    assert.deepEqual(await waiting, well("host2 host3"));
    await acquainted(fleet.hosts);
    assert.match((await sender.msync("--wait", "many")).stderr, /^error: --wait is 'many': give a number of/);
  });
}

/** Groups, owners and limits; `isRoot` says whether the daemons run as root. */
export async function ownerScenarios(
  context: TestContext,
  fleet: CommandFleet,
  isRoot: boolean,
): Promise<void> {
  const [sender, second] = fleet.hosts as [Host, Host, Host];
  const gid = (host: Host, file: string) => fs.lstatSync(path.join(host.base, file)).gid;

  await context.test("-g gives the group before it sends, where that is allowed", async () => {
    await shell(sender, "mkdir grouped && echo 1 > grouped/f");
    const { status, stderr } = await sender.msync("-r", "-g", "daemon", "grouped");
    if (isRoot) {
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
      for (const file of ["grouped", "grouped/f"]) {
        assert.deepEqual([gid(sender, file), gid(second, file)], [1, 1]);
      }
    } else {
      assert.equal(status, 1);
      assert.match(stderr, /^error: the user \S+ is not in the group daemon, and cannot give files to it: /);
      assert.equal((await sender.msync("-r", "grouped")).status, 0);
    }
    assert.equal(await tree(second, "grouped"), "grouped\ngrouped/f\n");
    if (isRoot) {
      assert.equal((await sender.msync("-g", "54321", "grouped/f")).status, 0);
      assert.deepEqual([gid(sender, "grouped/f"), gid(second, "grouped/f")], [54321, 54321]);
    }
    const unknown = await sender.msync("-g", "no-such-group", "-r");
    assert.match(unknown.stderr, /^error: the group no-such-group is unknown on this host: create it/);
    assert.equal(unknown.status, 1);
  });

  await context.test("limits and refusals are shown by --status and hold", async () => {
    await sender.stop();
    const config = path.join(fleet.directory, "limits.conf");
    fs.writeFileSync(config, "parallel = 3\nport = 5999\nowner-match = yes\n");
    sender.environment = isRoot
      ? { MAKUOSAN_PORT: "5000", MAKUOSAN_BASE: "/nowhere" }
      : { MAKUOSAN_BASE: "/nowhere" };
    await sender.start("--config", config, "-f", "2", "-T", "500", "-R", "65536", "-S", "131072", "-r");
    sender.environment = {};
    await acquainted(fleet.hosts);
    const status = (await sender.msync("--status")).stdout;
    const shown = ["parallel : 2", "rate : 500 Mbit/s", "receives : no", "sends : yes", "owner match : yes"];
    for (const line of shown) assert.match(status, new RegExp(`^${line}$`, "m"));
    assert.match(status, /^send buffer : 131072 bytes asked for$/m);
    assert.match(status, /^receive buffer : (65536|131072) bytes$/m);
    await shell(second, "echo 1 > refused");
    const refused = await second.msync("-t", "host1", "refused");
    assert.equal(refused.status, 3);
    assert.equal(refused.stderr, "error: host1: it does not receive\n");
    const foreseen = await second.msync("-n", "-t", "host1", "refused");
    assert.deepEqual([foreseen.status, foreseen.stderr], [3, "error: host1: it does not receive\n"]);
    const checked = await second.msync("--check", "refused");
    assert.equal(checked.status, 5, checked.stderr);
    assert.match(checked.stdout, /^missing host1:refused$/m);
    if (isRoot) {
      await shell(sender, "echo 1 > owned && echo 2 > alien && chown 12 alien");
      const pushed = await sender.msync("-v", "owned", "alien", "-t", "host2");
      // Asked for by its name, it is no detail.
      assert.deepEqual([pushed.status, pushed.stdout], [3, "update host2:owned\n"]);
      assert.match(pushed.stderr, /^error: alien: it does not belong to the daemon's user/);
    }
    await sender.stop();
    await sender.start("-s");
    await acquainted(fleet.hosts);
    const unsent = await sender.msync("-r");
    assert.equal(
      unsent.stderr,
      "error: this daemon was started not to send (-s): push from another server\n",
    );
    assert.equal(unsent.status, 1);
    await sender.stop();
    await sender.start();
    await acquainted(fleet.hosts);
  });
}

export async function consoleScenarios(context: TestContext, fleet: CommandFleet): Promise<void> {
  const [sender, , third] = fleet.hosts as [Host, Host, Host];
  await context.test("a daemon without a console receives, and cannot be asked", async () => {
    await third.stop();
    await third.start("-o");
    assert.equal((await sender.msync("--wait", "2")).status, 0);
    await shell(sender, "echo 1 > unasked");
    assert.deepEqual(await sender.msync("unasked"), { status: 0, stdout: "", stderr: "" });
    assert.ok(fs.existsSync(path.join(third.base, "unasked")));
    const { status, stderr } = await third.msync("--status");
    assert.equal(status, 2);
    assert.match(stderr, /^error: no makuosan answers on /);
    await third.stop();
    await third.start("--labels", "web,osaka", "--exclude", "local.conf");
    await acquainted(fleet.hosts);
  });
}

/** Runs a script in the base directory of a host; returns its output. */
export async function shell(host: Host, script: string): Promise<string> {
  const { status, stdout, stderr } = await host.run("sh", ["-c", `cd ${host.innerBase} && ${script}`]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" }, script);
  return stdout;
}

/** The paths below a directory of a host's base, one per line. */
export function tree(host: Host, directory: string): Promise<string> {
  return must("sh", ["-c", 'cd "$1" && find "$2" | LC_ALL=C sort', "sh", host.base, directory]);
}
