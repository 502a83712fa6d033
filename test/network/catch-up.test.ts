import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import {
  becomesCurrent,
  becomesEqual,
  fleetOf,
  isEqual,
  push,
  says,
  start,
  startAll,
  withoutWarnings,
} from "../support/catching-up.ts";
import { shell } from "../support/command-scenarios.ts";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem } from "../support/namespaces.ts";
import { eventually } from "../support/processes.ts";

const skip = await namespaceProblem();

/** Hosts that were down, cut off or full get what they have missed, as their users see it. */

test(
  "a host that was down gets all kinds of pushes by itself",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(5);
    context.after(() => fleet.destroy());
    await startAll(fleet);
    const [one, two, three, four] = fleet.hosts as [Host, Host, Host, Host, Host];
    await shell(
      one,
      "mkdir -p www/d old && echo 1 > www/a && echo 2 > www/d/b && echo x > www/type && echo o > old/o && ln -s a www/link",
    );
    await push(one, "-r");
    await four.stop();
    await eventually("host4 has left", async () =>
      (await one.msync("--members")).stdout.includes("Total: 3"),
    );
    for (let index = 0; index < 5; index++) {
      await shell(one, `echo ${index} > www/f${index} && echo v${index} > www/a`);
      await push(one, "-r", "www");
      await shell(two, `mkdir -p two && echo ${index} > two/f${index}`);
      await push(two, "-r", "--delete", "two");
    }
    await shell(
      two,
      "rm two/f1 && mkdir two/sub && echo s > two/sub/s && ln -s f2 two/link && chmod 600 two/f2",
    );
    await push(two, "-r", "--delete", "two");
    await shell(three, "rm www/type && mkdir www/type && echo t > www/type/t && rm www/f3");
    await push(three, "-r", "--delete", "www");
    await shell(three, "mkdir logs && echo keep > logs/x.log && echo l > logs/l");
    await push(three, "-r", "--delete", "--exclude", "*.log", "logs");
    // Directories that later pushes complete lie below earlier ones, and some of the paths are for others meanwhile.
    await shell(one, "rm www/link && mkdir www/link && echo l > www/link/l");
    await push(one, "-r", "--delete", "www");
    await push(one, "-t", "host2", "-t", "host5", "www/a");
    await push(one, "-r", "--delete", "--exclude", "*.bak", "www");
    await shell(one, "rm -r old && echo only > only && echo not > not");
    await push(one, "-r", "--sync", "--delete", "old");
    await push(one, "-t", "host4", "-t", "host5", "only").catch(() => undefined);
    await push(one, "-t", "host2", "not");
    await start(fleet, four);
    const began = performance.now();
    await becomesCurrent(four, one);
    const tookMs = performance.now() - began;
    context.diagnostic(`host4 is current ${Math.round(tookMs)} ms after it was ready`);
    const found = async (host: Host) =>
      (
        await host.run("sh", [
          "-c",
          "cd /var/www && find . ! -name . ! -name not ! -name only ! -name '*.log' -printf '%p %y %m %s %T@ %l\\n' | sort",
        ])
      ).stdout;
    assert.equal(await found(four), await found(one));
    assert.equal(fs.existsSync(path.join(four.base, "only")), true, "what was for it by name came");
    assert.equal(fs.existsSync(path.join(four.base, "not")), false, "what was for others did not come");
    await says(one, /^host4 .*, current$/m);
    assert.match((await four.msync("--history")).stdout, /received from .*: done \(catch-up\)$/m);
  },
);

test(
  "a new host gets everything without the host that pushed, and nothing that was not published",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(4);
    context.after(() => fleet.destroy());
    const [one, two, three, four] = fleet.hosts as [Host, Host, Host, Host];
    await startAll(fleet, [one, two, three]);
    await shell(one, "mkdir -p www/sub && echo 1 > www/a && echo 2 > www/sub/b && echo 3 > www/c");
    await push(one, "-r", "www");
    await one.stop();
    // On one of the others, somebody has edited a file, made one and deleted one.
    await shell(two, "echo half > www/a && echo mine > www/local && rm www/c");
    await start(fleet, four);
    await becomesCurrent(four, two);
    const { stdout } = await four.run("sh", ["-c", "cd /var/www && grep -r . . | sort"]);
    assert.equal(stdout, "./www/a:1\n./www/c:3\n./www/sub/b:2\n");
    assert.match(four.log, /host[23] has brought 1 push/);
    // The same with the edited host alone: what cannot be handed on is named, and comes from nowhere.
    await four.stop();
    await three.stop();
    await shell(four, "rm -r www");
    fs.rmSync(path.join(fleet.directory, "state-host4"), { recursive: true });
    await start(fleet, four);
    await says(two, /^host4 .*, behind 1 since .*: host2: 2 entries are not as published there any more/m);
    assert.equal((await four.run("sh", ["-c", "cd /var/www && ls www"])).stdout, "sub\n");
  },
);

test(
  "a full host says why it is behind, and gets the push when there is space",
  { skip, timeout: 180_000 },
  async (context) => {
    const fleet = await fleetOf(3, { tmpfs: "20m" });
    context.after(() => fleet.destroy());
    await startAll(fleet);
    const [one, , three] = fleet.hosts as [Host, Host, Host];
    await shell(three, "head -c 15000000 /dev/zero > filler");
    await shell(one, "head -c 8000000 /dev/urandom > big");
    const { status, stderr } = await one.msync("big");
    assert.equal(status, 3);
    assert.match(stderr, /^error: host3: .*; it catches up as soon as it can$/m);
    await says(one, /^host3 .*, behind 1 since .*space/m);
    await shell(three, "rm filler");
    await eventually(
      "host3 has it",
      async () => (await three.run("cmp", ["-s", "/var/www/big", path.join(one.base, "big")])).status === 0,
      60_000,
    );
  },
);

/** A hook that waits until the test writes a line into a FIFO. */
function waitingHook(
  context: TestContext,
  directory: string,
): { readonly hook: string; readonly release: () => void } {
  const [hook, fifo] = [path.join(directory, "hook"), path.join(directory, "fifo")];
  fs.writeFileSync(hook, `#!/bin/sh\nread line < ${fifo}\n`, { mode: 0o755 });
  execFileSync("mkfifo", ["-m", "644", fifo]);
  // Opened both ways, so that nobody waits here for the hook.
  const file = fs.openSync(fifo, "r+");
  context.after(() => fs.closeSync(file));
  return { hook, release: () => fs.writeSync(file, "go\n") };
}

test(
  "a host that is killed before the commit has the new state after its start, and knows what it has",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as [Host, Host, Host];
    const { hook, release } = waitingHook(context, fleet.directory);
    await startAll(fleet, [one, three]);
    await start(fleet, two, "--pre-commit", hook);
    await acquainted(fleet.hosts);
    await shell(one, "mkdir d && for i in $(seq 300); do echo $i > d/$i; done");
    const pushing = one.msync("-r", "d");
    // Nobody commits before the hook of host2 has ended.
    const area = path.join(three.base, ".makuosan");
    await eventually("host3 is ready", () =>
      (fs.existsSync(area) ? fs.readdirSync(area) : []).some((name) =>
        fs.existsSync(path.join(area, name, "ready")),
      ),
    );
    await three.stop("SIGKILL");
    release();
    const { stderr } = await pushing;
    assert.match(withoutWarnings(stderr), /^error: host3: /m);
    assert.equal(fs.existsSync(path.join(three.base, "d")), false);
    await two.stop();
    await start(fleet, two);
    await start(fleet, three);
    await becomesCurrent(three, one);
    // All of it was on its disk already: nobody has sent it once more.
    assert.match(three.log, /was committed by others, and now here, without being sent again/);
    for (const host of [one, two]) assert.doesNotMatch(host.log, /brings \d+ push/);
    await becomesEqual(one, 60);
    await eventually("host2 is current", async () =>
      (await two.msync("--status")).stdout.includes("catch-up : current (1 "),
    );
    await two.stop();
    await start(fleet, two);
    await acquainted(fleet.hosts);
    await eventually("host2 is current", async () =>
      (await two.msync("--status")).stdout.includes("catch-up : current (1 "),
    );
    assert.doesNotMatch(two.log, /asks for them/);
    // A log that cannot be read is said, and all comes once more.
    await two.stop();
    const state = path.join(fleet.directory, "state-host2");
    const file = path.join(
      state,
      fs.readdirSync(state).find((name) => name.startsWith("publications-")) ?? "",
    );
    fs.writeFileSync(file, fs.readFileSync(file, "latin1").replace("publication", "publicatioN"));
    await start(fleet, two);
    assert.match(two.log, /publications-.*\.jsonl is damaged: this host gets all pushes once more/);
    await eventually("host2 is current", async () =>
      (await two.msync("--status")).stdout.includes("catch-up : current (1 "),
    );
  },
);

/** Lets hosts hear nothing of some others. */
async function cut(hosts: readonly Host[], others: readonly Host[]): Promise<void> {
  const from = others.map(({ ip }) => ip).join(", ");
  const chain = `type filter hook input priority 0; ip saddr { ${from} } drop;`;
  const input = `table ip cut { chain input { ${chain} }; }\n`;
  for (const host of hosts) assert.equal((await host.run("nft", ["-f", "-"], { input })).status, 0);
}

test(
  "two halves that push while they are cut off from each other agree when the cut ends",
  { skip, timeout: 180_000 },
  async (context) => {
    const fleet = await fleetOf(5);
    context.after(() => fleet.destroy());
    await startAll(fleet);
    const [one, two, three, four, five] = fleet.hosts as [Host, Host, Host, Host, Host];
    await shell(one, "mkdir www old && echo 0 > www/shared && echo x > old/x && echo y > old/y");
    await push(one, "-r");
    const halves = [[one, two, three] as const, [four, five] as const] as const;
    await cut(halves[0], halves[1]);
    await cut(halves[1], halves[0]);
    const pushAlone = async (host: Host, ...args: string[]) => {
      const { status, stderr } = await host.msync(...args);
      assert.equal(status, 3, stderr);
    };
    // The half with more pushes is the later one in the end: their places go on from the same one.
    const inFirst = async () => {
      for (const text of ["1", "2", "3"]) {
        await shell(one, `echo one${text} > www/shared && echo ${text} > www/first`);
        await pushAlone(one, "-r", "www");
      }
    };
    const inSecond = async () => {
      await shell(four, "echo four > www/shared && echo 4 > www/second && rm old/x");
      await pushAlone(four, "-r", "www/shared", "www/second");
      await pushAlone(four, "-r", "--delete", "old");
    };
    await Promise.all([inFirst(), inSecond()]);
    for (const host of fleet.hosts) await host.run("nft", ["delete", "table", "ip", "cut"]);
    const endedMs = performance.now();
    const expected = "./old/y:y\n./www/first:3\n./www/second:4\n./www/shared:one3\n";
    const contents = (host: Host) => host.run("sh", ["-c", "cd /var/www && grep -r . . | sort"]);
    for (const host of fleet.hosts)
      await eventually(
        `${host.name} has the last version of each path`,
        async () => (await contents(host)).stdout === expected,
        60_000,
      );
    // In the simulation, which has no other work, this ends within 10 s.
    context.diagnostic(
      `all are equal ${Math.round(performance.now() - endedMs)} ms after the end of the cut`,
    );
    for (const host of fleet.hosts) await becomesCurrent(host, one);
  },
);

test(
  "a file that is half edited on the host that has pushed it is never seen elsewhere",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as [Host, Host, Host];
    await startAll(fleet, [one, two]);
    await shell(one, "echo published > a && echo whole > b");
    await push(one, "a", "b");
    await shell(one, "echo half > a");
    await start(fleet, three);
    await becomesCurrent(three, two);
    const read = async (host: Host) => (await host.run("sh", ["-c", "cd /var/www && grep -H . *"])).stdout;
    assert.equal(await read(three), "a:published\nb:whole\n");
    // The same with the host alone that has pushed.
    await two.stop();
    await three.stop();
    await shell(three, "rm a b");
    fs.rmSync(path.join(fleet.directory, "state-host3"), { recursive: true });
    await start(fleet, three);
    await says(
      one,
      /^host3 .*, behind 1 since .*: host1: 1 entry is not as published there any more, such as a/m,
    );
    assert.equal(await read(three), "b:whole\n");
  },
);

test(
  "a host that looks finds what was changed by hand, and gets it again if it is told so",
  { skip, timeout: 120_000 },
  async (context) => {
    const fleet = await fleetOf(3);
    context.after(() => fleet.destroy());
    const [one, two, three] = fleet.hosts as [Host, Host, Host];
    await start(fleet, one);
    await start(fleet, two, "--check-every", "1s");
    await start(fleet, three, "--check-every", "1s", "--drift", "repair");
    await acquainted(fleet.hosts);
    await shell(one, "mkdir www && echo 1 > www/a && echo 2 > www/b");
    await push(one, "-r", "--delete", "www");
    for (const host of [two, three])
      await shell(host, "echo half > www/a && rm www/b && echo mine > www/c && echo out > outside");
    await says(one, /^host2 .*, current, but 3 entries are not as published here, such as www\/[ac]$/m);
    await eventually("host3 has it again", () => isEqual(one, ["-t", "host3", "www"]), 60_000);
    assert.match(three.log, /3 entries are not as published here, such as .*: this host gets them again/);
    await says(one, /^host3 .*, current$/m);
    assert.equal(fs.readFileSync(path.join(three.base, "outside"), "utf8"), "out\n");
    assert.equal(fs.readFileSync(path.join(two.base, "www/a"), "utf8"), "half\n");
  },
);
