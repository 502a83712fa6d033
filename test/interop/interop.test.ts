import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { eventually, must } from "../support/processes.ts";
import { makeFile, makeTree, sameTrees } from "../support/trees.ts";
import { type Pushed, PythonMember, pythonProblem } from "./python-member.ts";

/** A member that was written from PROTOCOL.md alone sends and receives among two daemons. */

const skip = (await namespaceProblem()) ?? pythonProblem;
const options = skip === undefined ? {} : { skip };
const LOSS_PERCENT = 5;

/** The library of Python has no zstd. */
const UNCOMPRESSED = ["--compress", "no"];

let fleet: NamespaceFleet;
let one: Host;
let two: Host;
let three: Host;
let python: PythonMember;
let key: string;

if (skip === undefined) {
  before(async () => {
    fleet = await NamespaceFleet.create({ hosts: 3 });
    [one, two, three] = fleet.hosts as [Host, Host, Host];
    key = path.join(fleet.directory, "key");
    fs.writeFileSync(key, `${crypto.randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
    await Promise.all([
      // So that single datagrams get lost and not whole trains: only then parity makes up for them.
      one.start("-k", key, "-f", "8", "--no-offload", ...UNCOMPRESSED),
      two.start("-k", key, "-f", "8", "--exclude", "never-on-two", ...UNCOMPRESSED),
    ]);
    await acquainted([one, two]);
    python = newMember();
    await begin();
    for (const host of fleet.hosts) await fleet.lose(host, LOSS_PERCENT);
  });

  after(async () => {
    try {
      await stop();
    } finally {
      await fleet.destroy();
    }
  });
}

/** Ends the member; it has never met anything that breaks a rule of the document. */
async function stop(): Promise<void> {
  assert.equal(await python.stop(), "");
  assert.deepEqual(python.faults(), []);
}

function newMember(...more: string[]): PythonMember {
  return new PythonMember(three, ["--key", key, "--state", `${key}.node-id`, ...more]);
}

async function restart(...more: string[]): Promise<void> {
  await stop();
  python = newMember(...more);
  await begin();
}

/** Starts the member, and waits until all know each other. */
async function begin(): Promise<void> {
  await python.start();
  await python.knows("host1", "host2");
  for (const host of [one, two]) {
    await eventually(`${host.name} knows two members`, async () => {
      return (await host.msync("--members")).stdout.includes("Total: 2 members");
    });
  }
}

/** Pushes with msync, which must succeed and have nothing to say. */
async function push(host: Host, ...args: string[]): Promise<void> {
  const { status, stdout, stderr } = await host.msync(...args);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
}

/** Each of the two daemons has carried out a push of the member. */
function succeeded(pushed: Pushed): void {
  const verdicts = Object.entries(pushed.members).map(([name, { verdict, reason }]) => [
    name,
    verdict,
    reason,
  ]);
  assert.deepEqual(verdicts.sort(), [
    ["host1", "done", ""],
    ["host2", "done", ""],
  ]);
}

async function sameEverywhere(): Promise<void> {
  assert.equal(await sameTrees(one, two), "");
  assert.equal(await sameTrees(one, three), "");
}

function shell(host: Host, script: string): Promise<string> {
  return must("sh", ["-c", `cd "$1" && ${script}`, "sh", host.base]);
}

/** Two hundred files, and one entry of each kind that sameTrees() compares. */
async function makeAll(host: Host, name: string): Promise<void> {
  const base = path.join(host.base, name);
  makeTree(base, 4, 50, 8000);
  makeFile(path.join(base, "large"), 3_000_000);
  const script = `cd ${name} && mkdir -p empty/inner && ln -s d1/f1 link && ln d1/f1 d2/again && ln d1/f1 third &&
    truncate -s 5M sparse && printf end >>sparse && : >nothing && chmod 4711 d1/f2 && chown 12:34 d1/f3 &&
    touch -h -d 2001-02-03T04:05:06.123456789Z link d1/f4 empty`;
  await shell(host, script);
}

test("the member receives files, directories and links", options, async () => {
  await makeAll(one, "from-one");
  await push(one, "-r");
  await sameEverywhere();
  await python.until("it has received something", () => python.received().length > 0);
  assert.ok(
    python.received().some(({ restored }) => restored > 0),
    "no block was restored with parity",
  );
});

test("the member sends files, directories and links", options, async (context) => {
  await makeAll(three, "from-three");
  const pushed = await python.push(["from-three"]);
  succeeded(pushed);
  context.diagnostic(`${pushed.fragments} fragments, of which ${pushed.repaired} were repairs`);
  assert.ok(pushed.repaired > 0, "nothing was lost");
  await sameEverywhere();
});

test("names of one file stay names of one file, and holes stay holes", options, () => {
  for (const host of [one, two, three]) {
    for (const tree of ["from-one", "from-three"]) {
      const stats = ["d1/f1", "d2/again", "third", "sparse"].map((name) =>
        fs.statSync(path.join(host.base, tree, name)),
      );
      assert.equal(new Set(stats.slice(0, 3).map(({ ino }) => ino)).size, 1, `${host.name} ${tree}`);
      assert.ok(stats[3]!.blocks * 512 < 1_000_000, `${host.name} ${tree}`);
    }
  }
});

test(
  "a member that excludes the first name of a file gets the other one with contents",
  options,
  async () => {
    for (const host of [one, three]) {
      const name = `linked-${host.name}`;
      await shell(
        host,
        `mkdir ${name} && echo content >${name}/never-on-two && ln ${name}/never-on-two ${name}/other`,
      );
      if (host === one) await push(one, "-r", name);
      else succeeded(await python.push([name]));
      assert.deepEqual(fs.readdirSync(path.join(two.base, name)), ["other"]);
      assert.equal(fs.readFileSync(path.join(two.base, name, "other"), "utf8"), "content\n");
      const receiver = host === one ? three : one;
      assert.equal(fs.statSync(path.join(receiver.base, name, "other")).nlink, 2);
      for (const each of [one, two, three]) fs.rmSync(path.join(each.base, name), { recursive: true });
    }
  },
);

test("special files arrive in both directions", options, async () => {
  await shell(one, "mkdir special && mkfifo special/fifo && mknod special/null c 1 3");
  await push(one, "-r", "special");
  await shell(three, "mkdir more && mkfifo more/fifo && mknod more/zero c 1 5");
  succeeded(await python.push(["more"]));
  const format = "stat -c '%n %F %t %T %a %u %g %y' special/* more/*";
  const listed = await Promise.all([one, two, three].map((host) => shell(host, format)));
  assert.equal(listed[1], listed[0]);
  assert.equal(listed[2], listed[0]);
});

test("nothing is sent when nothing differs, and no contents if only a mode does", options, async () => {
  await push(one, "-r");
  const nothing = await python.push(["from-one"]);
  succeeded(nothing);
  assert.equal(nothing.contents, 0);
  await shell(one, "chmod 640 from-one/d3/f7");
  await push(one, "-r", "from-one");
  await shell(three, "chmod 604 from-three/d3/f8");
  const changed = await python.push(["from-three"]);
  succeeded(changed);
  assert.equal(changed.contents, 0);
  for (const host of [one, two, three]) {
    assert.equal(await shell(host, "stat -c %a from-one/d3/f7 from-three/d3/f8"), "640\n604\n", host.name);
  }
});

test("extended attributes and access control lists arrive", options, async () => {
  const attributes = (host: Host, script: string) =>
    host.run("python3", ["-c", `import os; f = "/var/www/from-one/d3/f9"; ${script}`]);
  await attributes(one, 'os.setxattr(f, "user.one", b"1"); os.setxattr(f, "trusted.two", b"22")');
  await attributes(three, 'os.setxattr(f, "user.other", b"x")');
  await push(one, "-r", "--xattrs", "from-one");
  const list = 'print([(n, os.getxattr(f, n)) for n in sorted(os.listxattr(f)) if n[0] in "ut"])';
  const { stdout } = await attributes(three, list);
  assert.equal(stdout, "[('trusted.two', b'22'), ('user.one', b'1')]\n");
});

test("a file that changes while it is sent is left out, in both directions", options, async () => {
  for (const host of [one, three]) {
    const name = `changing-${host.name}`;
    makeFile(path.join(host.base, name), 60_000_000);
    const appending = setInterval(() => fs.appendFileSync(path.join(host.base, name), "more"), 10);
    try {
      if (host === three) succeeded(await python.push([name]));
      else assert.match((await one.msync(name)).stderr, /^error: changing-host1: it changed while/);
    } finally {
      clearInterval(appending);
    }
    for (const other of [one, two, three].filter((each) => each !== host))
      assert.ok(!fs.existsSync(path.join(other.base, name)), other.name);
    fs.rmSync(path.join(host.base, name));
  }
});

test("deletes are announced, and carried out, in both directions", options, async () => {
  await shell(one, "rm -r from-one/d1 more special && mkdir more special && rm from-one/link");
  await shell(one, "rm -r from-one/d2 && echo new >from-one/d2");
  const { stdout } = await one.msync("-rn", "--delete", "from-one");
  const deletes = stdout.split("\n").filter((line) => line.startsWith("(dryrun) delete host3:from-one/"));
  // All of d1, the link, and everything in d2.
  assert.equal(deletes.length, 51 + 1 + 51);
  await push(one, "-r", "--delete", "--force-delete");
  await sameEverywhere();

  await shell(three, "rm -r from-three/d1 from-three/link && rm -r from-three/d2 && echo new >from-three/d2");
  const dry = await python.push(["from-three"], { delete: true, dry: true });
  succeeded(dry);
  assert.equal(dry.members["host2"]?.findings.length, 51 + 1 + 51);
  assert.notEqual(await sameTrees(three, two), "");
  succeeded(await python.push(["from-three"], { delete: true }));
  await sameEverywhere();
});

test("a moved tree: the member gets digests that only another member has asked for", options, async () => {
  makeTree(path.join(one.base, "moves-after"), 2, 100, 3000);
  await shell(one, `cp -a moves-after ${two.base}/moves-before && cp -a moves-after ${three.base}`);
  await push(one, "-r", "--delete", "--force-delete");
  await sameEverywhere();
  // The member looks for nothing: what it lacks is sent to all.
  await shell(three, "mv moves-after moves-before");
  await shell(one, "mv moves-after moves-again");
  await push(one, "-r", "--delete", "--force-delete");
  await sameEverywhere();
  assert.deepEqual(python.faults(), []);
});

test("a large file that changes: the member finds chunks in its own version", options, async () => {
  const size = 3_000_000;
  const old = crypto.randomBytes(size);
  for (const host of [one, two, three]) fs.writeFileSync(path.join(host.base, "image"), old);
  const at = size / 2;
  const edited = Buffer.concat([old.subarray(0, at), Buffer.from("inserted"), old.subarray(at)]);
  fs.writeFileSync(path.join(one.base, "image"), edited);
  const { status, stdout, stderr } = await one.msync("--json", "image");
  assert.deepEqual([status, stderr], [0, ""], stdout);
  await sameEverywhere();
  const result = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Record<string, number>;
  const [saved, reused] = [result["savedBytes"] ?? 0, python.received().at(-1)?.reused ?? 0];
  // At most the chunk with the change, the one after it and the last one are sent, each of at most 256 KiB.
  assert.ok(saved > size * 0.7 && reused > size * 0.7, `${saved} ${reused}`);
});

test("a path that the sender no longer has is deleted by its name", options, async () => {
  await shell(one, "rm from-one/d3/f1");
  await push(one, "--sync", "from-one/d3/f1");
  await shell(three, "rm -r from-three/d3");
  succeeded(await python.push(["from-three/d3"], { delete: true }));
  await sameEverywhere();
});

test("more deletes than the member's limit change nothing on any host", options, async () => {
  await shell(three, "mkdir limit && cd limit && seq 300 | xargs touch");
  await shell(one, "mkdir limit && touch limit/only");
  const { status, stderr } = await one.msync("-r", "--delete", "limit");
  assert.equal(status, 3);
  assert.match(stderr, /host3: 300 of 300 entries would be deleted/);
  assert.ok(!fs.existsSync(path.join(two.base, "limit")));
  await push(one, "-r", "--delete", "--force-delete", "limit");
  await sameEverywhere();
});

test("a check finds other contents with the same size and time, in both directions", options, async () => {
  const equal = await one.msync("--check", "-r", "--delete");
  assert.deepEqual([equal.status, equal.stdout], [0, ""]);
  await shell(three, "cp -p from-one/large old && printf x | dd of=from-one/large conv=notrunc status=none");
  await shell(three, "touch -r old from-one/large && rm old");
  const { status, stdout } = await one.msync("--check", "-r", "from-one");
  assert.deepEqual([status, stdout], [5, "contents host3:from-one/large\n"]);
  const CONTENTS = 4;
  const checked = await python.push(["from-one"], { check: true });
  assert.deepEqual(checked.members["host2"]?.updated, { "from-one/large": CONTENTS });
  succeeded(await python.push(["from-one"], { checksum: true }));
  await sameEverywhere();
});

test("more transfers at once than a host receives at a time", options, async () => {
  const names = (host: Host) => Array.from({ length: 8 }, (_, index) => `many/${host.name}-${index}`);
  for (const host of [one, two, three]) {
    for (const name of names(host)) {
      fs.mkdirSync(path.join(host.base, name), { recursive: true });
      for (let file = 0; file < 20; file++) makeFile(path.join(host.base, name, `f${file}`), 20_000);
    }
  }
  const [pushed] = await Promise.all([
    Promise.all(names(three).map((name) => python.push([name]))),
    ...[one, two].flatMap((host) => names(host).map((name) => push(host, "-r", name))),
  ]);
  pushed.forEach(succeeded);
  for (const name of [one, two, three].flatMap(names)) {
    for (const host of [two, three]) {
      await must("diff", ["-r", path.join(one.base, name), path.join(host.base, name)]);
    }
  }
});

test("if all hosts send the same paths, all have those of the same one in the end", options, async () => {
  for (let round = 0; round < 5; round++) {
    for (const host of [one, two, three]) {
      const content = `${host.name} `.padEnd(100 + 3 * round + host.name.charCodeAt(4), ".");
      fs.mkdirSync(path.join(host.base, "same"), { recursive: true });
      for (let file = 0; file < 30; file++)
        fs.writeFileSync(path.join(host.base, "same", `f${file}`), content);
    }
    // A host whose own push comes later says that it does not take the other one.
    await Promise.all([python.push(["same"]), one.msync("-r", "same"), two.msync("-r", "same")]);
    const contents = [one, two, three].map((host) => fs.readFileSync(path.join(host.base, "same/f0")));
    assert.deepEqual(contents[1], contents[0], `round ${round}`);
    assert.deepEqual(contents[2], contents[0], `round ${round}`);
    for (const host of [two, three])
      await must("diff", ["-r", path.join(one.base, "same"), path.join(host.base, "same")]);
  }
});

test("fragments are as short as the smallest interface takes", options, async () => {
  const [HEADERS, USUAL_PAYLOAD] = [60, 1408];
  assert.equal(python.received().at(-1)?.payload, USUAL_PAYLOAD);
  await three.run("ip", ["link", "set", "eth0", "mtu", "1400"]);
  await restart();
  await makeAll(one, "short-one");
  await makeAll(three, "short-three");
  await push(one, "-r", "short-one");
  assert.equal(python.received().at(-1)?.payload, 1400 - HEADERS);
  const pushed = await python.push(["short-three"]);
  succeeded(pushed);
  assert.equal(pushed.payload, 1400 - HEADERS);
  for (const host of [two, three]) {
    for (const name of ["short-one", "short-three"])
      await must("diff", ["-r", path.join(one.base, name), path.join(host.base, name)]);
  }
});

test("a member that no COMMIT reaches asks the others, and commits", options, async () => {
  // A member that ignores COMMIT does not repeat its last STATUS either, so that one must not get lost.
  for (const host of fleet.hosts) await fleet.loseNothing(host);
  await restart("--deaf", "COMMIT");
  await makeAll(one, "asked");
  await push(one, "-r", "asked");
  await must("diff", ["-r", path.join(one.base, "asked"), path.join(three.base, "asked")]);
  await restart();
  for (const host of fleet.hosts) await fleet.lose(host, LOSS_PERCENT);
});

test("a member that is killed is named, and a new one takes part", options, async () => {
  makeFile(path.join(one.base, "killed"), 30_000_000);
  const pushing = one.msync("killed");
  await python.until("it stages something", () => fs.existsSync(path.join(three.base, ".makuosan")));
  await python.kill();
  const { status, stderr } = await pushing;
  assert.equal(status, 3);
  // A slow machine warns before.
  assert.match(stderr, /^error: host3: no answer for 5 seconds\n$/m);
  await restart();
  assert.ok(!fs.existsSync(path.join(three.base, ".makuosan")));
  await push(one, "killed");
  assert.deepEqual(
    fs.readFileSync(path.join(three.base, "killed")),
    fs.readFileSync(path.join(one.base, "killed")),
  );
});
