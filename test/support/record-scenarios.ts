import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { type CommandFleet, shell, tree } from "./command-scenarios.ts";
import { acquainted, type Host } from "./host.ts";
import { eventually } from "./processes.ts";

/** The history of a daemon, and the programs that it runs for transfers, on real daemons. */

export async function historyScenarios(context: TestContext, fleet: CommandFleet): Promise<void> {
  const [sender, second] = fleet.hosts as [Host, Host, Host];
  const state = path.join(fleet.directory, "state");
  fs.mkdirSync(state);
  fs.chmodSync(state, 0o777);
  const restart = async () => {
    await sender.stop();
    await sender.start("--state", state);
    await acquainted(fleet.hosts);
  };

  await context.test("what was sent and received is shown, also after a new start", async () => {
    await restart();
    await shell(sender, "mkdir past && echo 12345 > past/f && echo 1 > past/g");
    await sender.msync("-r", "past");
    await sender.msync("-rn", "past");
    await sender.msync("-r", "-t", "host2", "past");
    await shell(second, "echo back > back");
    await second.msync("-t", "host1", "back");
    await restart();
    const { status, stdout, stderr } = await sender.msync("--history", "-n", "3", "-v");
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    const time = "^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d";
    const expected = [
      `${time} sent     from host1: 3 entries, \\d+ bytes, \\d+\\.\\d\\d s: 2 of 2 done, id [0-9a-f]{16}-\\d+$`,
      "^  host2: done$",
      "^  host3: done$",
      `${time} sent     from host1: 0 entries, 0 bytes, \\d+\\.\\d\\d s: 1 of 1 done, id [0-9a-f]{16}-\\d+$`,
      "^  host2: done$",
      `${time} received from host2: 1 entries, 5 bytes, \\d+\\.\\d\\d s: done, id [0-9a-f]{16}-\\d+$`,
      "^  host1: done$",
    ];
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines.length, expected.length, stdout);
    expected.forEach((line, index) => assert.match(lines[index] ?? "", new RegExp(line)));
    assert.match(
      (await sender.msync("--status")).stdout,
      /^history : .*\/state\/history-[0-9a-f]{12}\.jsonl$/m,
    );
  });

  await context.test("both sides name a transfer alike, and as JSON all is there", async () => {
    const last = async (host: Host) => {
      const { stdout } = await host.msync("--history", "1", "--json");
      return (JSON.parse(stdout) as { entries: Record<string, unknown>[] }).entries[0] ?? {};
    };
    const [here, there] = [await last(sender), await last(second)];
    assert.equal(here["transfer"], there["transfer"]);
    assert.deepEqual([here["direction"], there["direction"]], ["received", "sent"]);
    assert.deepEqual([here["entries"], there["exitStatus"]], [1, 0]);
    assert.match(
      (await sender.msync("--history", "many")).stderr,
      /^error: --history is 'many': give a number/,
    );
    assert.equal((await sender.msync("--history", "-n", "0")).stdout, "");
  });

  await context.test("a failed transfer keeps its reasons, and a state directory must be one", async () => {
    await sender.msync("-t", "host9", "-t", "host2", "past/f");
    await shell(second, "rm -r past && echo 1 > past");
    const { status } = await sender.msync("-t", "host2", "past/f");
    assert.equal(status, 3);
    const { stdout } = await sender.msync("--history", "1");
    assert.match(stdout, /: 0 of 1 done\n {2}host2: failed: past: it is not a directory on this member/);
    await shell(second, "rm past");
    await sender.stop();
    await assert.rejects(
      sender.start("--state", "/nowhere"),
      /the state directory \/nowhere cannot be written \(ENOENT\)/,
    );
    await sender.stop();
    await restart();
  });
}

/** Hooks on the second host; `isRoot` says whether the daemons run as root, and so can run hooks as another user. */
export async function hookScenarios(
  context: TestContext,
  fleet: CommandFleet,
  isRoot: boolean,
): Promise<void> {
  const [sender, second, third] = fleet.hosts as [Host, Host, Host];
  const out = path.join(fleet.directory, "hooked");
  fs.mkdirSync(out);
  fs.chmodSync(out, 0o777);
  const program = (name: string, text: string) => {
    const file = path.join(fleet.directory, name);
    fs.writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return file;
  };
  const record = `cd ${out} && env > $MAKUOSAN_HOOK.env && cat > $MAKUOSAN_HOOK.list && id -u > $MAKUOSAN_HOOK.user
    ls "$MAKUOSAN_BASE/hooked" > $MAKUOSAN_HOOK.tree 2>&1; echo "$MAKUOSAN_HOOK speaks"
    touch $MAKUOSAN_HOOK.ended`;
  const pre = program(
    "pre",
    `${record}
    if [ -e refuse ]; then echo "no thanks" >&2; exit 7; fi
    if [ -e slow ]; then sleep 300 & echo $! > sleeper; wait; fi`,
  );
  const post = program("post", record);
  const read = (name: string) => fs.readFileSync(path.join(out, name), "utf8");
  const clear = () => fs.readdirSync(out).forEach((name) => fs.rmSync(path.join(out, name)));
  const ran = () =>
    fs
      .readdirSync(out)
      .filter((name) => name.endsWith(".user"))
      .sort()
      .join(" ");
  const user = isRoot ? ["--hook-user", "nobody"] : [];
  const start = async (...more: string[]) => {
    await second.stop();
    await second.start("--pre-commit", pre, "--post-commit", post, ...user, ...more);
    await acquainted(fleet.hosts);
  };
  await start();

  await context.test(
    "both run once for a transfer, with its paths and facts, before and after the switch",
    async () => {
      await shell(sender, "mkdir hooked && echo 1 > hooked/a && echo 2 > 'hooked/odd\nname'");
      assert.deepEqual(await sender.msync("-r", "hooked"), { status: 0, stdout: "", stderr: "" });
      await eventually("post-commit has run", () => ran() === "post-commit.user pre-commit.user");
      await eventually("it has ended", () => fs.existsSync(path.join(out, "post-commit.ended")));
      const paths = ["hooked", "hooked/a", "hooked/odd\nname"];
      for (const hook of ["pre-commit", "post-commit"]) {
        assert.deepEqual(read(`${hook}.list`).split("\0"), [...paths, ""]);
        // Root's hooks run as nobody, and so do the daemons of a fleet of an ordinary user that root has started.
        assert.equal(read(`${hook}.user`), `${process.getuid?.() === 0 ? 65534 : process.getuid?.()}\n`);
        const facts = read(`${hook}.env`);
        for (const fact of ["SENDER=host1", `BASE=${second.innerBase}`, "ENTRIES=3", `HOOK=${hook}`]) {
          assert.match(facts, new RegExp(`^MAKUOSAN_${fact}$`, "m"));
        }
        assert.match(facts, /^MAKUOSAN_STAGING=.*\/\.makuosan\/[0-9a-f]{16}-\d+\/tree$/m);
        assert.doesNotMatch(facts, /^(WATCHDOG_USEC|MAKUOSAN_HOOK_SECRET|HOME)=/m);
      }
      assert.match(read("post-commit.env"), /^MAKUOSAN_RESULT=done$/m);
      assert.match(read("pre-commit.tree"), /No such file/);
      assert.match(read("post-commit.tree"), /^a$/m);
      clear();
      assert.equal((await sender.msync("-r", "hooked")).status, 0);
      assert.equal((await sender.msync("-rn", "hooked")).status, 0);
      assert.equal(ran(), "", "where nothing changes, none runs");
    },
  );

  await context.test(
    "a pre-commit that fails keeps its member from the switch, and the sender says why",
    async () => {
      fs.writeFileSync(path.join(out, "refuse"), "");
      await shell(sender, "echo more > hooked/refused");
      const { status, stderr } = await sender.msync("-r", "hooked");
      assert.equal(stderr, "error: host2: the pre-commit hook ended with status 7: no thanks\n");
      assert.equal(status, 3);
      assert.match(await tree(third, "hooked"), /^hooked\/refused$/m);
      assert.doesNotMatch(await tree(second, "hooked"), /refused/);
      await shell(sender, "echo nobody gets it > hooked/aborted");
      assert.equal((await sender.msync("--all-or-nothing", "-r", "hooked")).status, 6);
      assert.doesNotMatch(await tree(third, "hooked"), /aborted/);
      assert.equal(ran(), "pre-commit.user");
      clear();
    },
  );

  await context.test("one that takes too long is ended with all that it has started", async () => {
    const { stdout: log } = await second.stop();
    assert.match(log, /^pre-commit: pre-commit speaks/m);
    assert.match(log, /^pre-commit: no thanks/m);
    assert.match(log, /^post-commit: post-commit speaks/m);
    assert.match(log, /^the pre-commit hook ended with status 7: no thanks/m);
    await start("--hook-timeout", "1");
    fs.writeFileSync(path.join(out, "slow"), "");
    await shell(sender, "echo slow > hooked/slow");
    const { status, stderr } = await sender.msync("-r", "hooked");
    assert.equal(stderr, "error: host2: the pre-commit hook did not end within 1 s\n");
    assert.equal(status, 3);
    const sleeper = Number(read("sleeper"));
    await eventually("the sleeper is gone", () => !isAlive(sleeper));
    clear();
    assert.equal((await sender.msync("-r", "hooked")).status, 0);
    assert.equal(await tree(second, "hooked"), await tree(third, "hooked"));
  });

  await context.test("hooks that cannot or should not be run are refused at the start", async () => {
    await second.stop();
    const inBase = path.join(second.base, "hook");
    fs.writeFileSync(inBase, "#!/bin/sh\n", { mode: 0o755 });
    const open = program("open", "");
    fs.chmodSync(open, 0o777);
    const cases: [string[], RegExp][] = [
      [
        ["--pre-commit", "/nowhere"],
        /the pre-commit hook \/nowhere cannot be reached \(ENOENT\): name another/,
      ],
      [["--post-commit", "/etc/passwd"], /the post-commit hook \/etc\/passwd is no program: make it one/],
      [
        ["--pre-commit", path.join(second.innerBase, "hook")],
        /lies in the base directory, where a push could/,
      ],
      [["--pre-commit", open], /can be changed by everybody/],
      [["--hook-timeout", "0"], /--hook-timeout is '0': give a whole number from 1 to 240/],
      [["--hook-user", "no-such-user"], /the user no-such-user is unknown on this host/],
    ];
    if (!isRoot)
      cases.push([["--hook-user", "daemon"], /hooks cannot run as daemon: only a daemon that stays root/]);
    for (const [args, sentence] of cases) {
      await assert.rejects(second.start(...args), sentence);
      await second.stop();
    }
    fs.rmSync(inBase);
  });
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
