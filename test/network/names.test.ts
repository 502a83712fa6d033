import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { acquainted, DIST, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { must } from "../support/processes.ts";
import { listing, makeFile, sameTrees } from "../support/trees.ts";

/** Names and paths of every kind, and entries that change their type. */

const skip = await namespaceProblem();
const options = skip === undefined ? {} : { skip };

let fleet: NamespaceFleet;
let sender: Host;
let receiver: Host;

if (skip === undefined) {
  before(async () => {
    fleet = await NamespaceFleet.create({ hosts: 3 });
    await Promise.all(fleet.hosts.map((host) => host.start()));
    await acquainted(fleet.hosts);
    [sender, receiver] = fleet.hosts as [Host, Host, Host];
  });
  after(() => fleet.destroy());
}

async function succeeds(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sender.msync(...args);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  return stdout;
}

async function arrives(...args: string[]): Promise<void> {
  await succeeds(...args);
  assert.equal(await sameTrees(sender, receiver), "");
}

const inBase = (command: string) => must("bash", ["-c", `cd "$1" && ${command}`, "bash", sender.base]);

test("a path out of the base directory is refused", options, async () => {
  for (const wrong of ["../x", "a/../../x", ".."]) {
    const { status, stderr } = await sender.msync(wrong);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^error: '.*' leads out of the base directory: give a path below it, without '\.\.'\n$/,
    );
  }
});

test("an absolute path means below the base directory", options, async () => {
  await inBase("mkdir etc && echo mine > etc/passwd");
  assert.match(await succeeds("-v", "/etc/passwd"), /^update host2:etc\/passwd$/m);
  assert.equal(fs.readFileSync(path.join(receiver.base, "etc/passwd"), "latin1"), "mine\n");
  await arrives("-r");
});

test("a path that does not exist is named", options, async () => {
  const { status, stderr } = await sender.msync("nowhere", "etc/passwd");
  assert.equal(status, 3);
  assert.equal(stderr, "error: nowhere: there is no such file or directory\n");
});

test("a newline in a name is sent as it is and escaped", options, async () => {
  await inBase("echo 1 > $'new\\nline'");
  assert.match(await succeeds("-rnv"), /^\(dryrun\) update host2:new\\x0aline$/m);
  await arrives("-r");
});

test("a name that is not UTF-8 is sent by its bytes, also from the command line", options, async () => {
  await inBase(
    "echo 1 > $'caf\\xe9' && mkdir $'d\\xff' && echo 2 > $'d\\xff/\\x80' && ln -s $'\\xe9' $'l\\xe9'",
  );
  await succeeds("-n", "-r");
  const { status, stderr } = await sender.run("bash", ["-c", `${DIST}/msync $'caf\\xe9'`]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const names = fs.readdirSync(receiver.base, { encoding: "buffer" }).map((name) => name.toString("latin1"));
  assert.ok(names.includes("caf\xe9"));
  await arrives("-r");
});

test("spaces, quotes, leading dashes and names of 255 bytes are sent as they are", options, async () => {
  await inBase(
    `mkdir odd && cd odd && touch -- ' ' "'" '"' '-r' '--' '*' '\\' $'\\x01' '~' "$(printf '%255s' | tr ' ' x)"`,
  );
  await arrives("-r");
  await succeeds("--", "odd/-r");
});

test("a path of 4,000 bytes is sent", options, async () => {
  const parts = Array.from({ length: 16 }, (_, index) => `${index}`.padEnd(247, "y"));
  const script = `mkdir long && cd long && for p in "\${@:2}"; do mkdir "$p" && cd "$p"; done && echo deep > deep`;
  await must("bash", ["-c", `cd "$1" && ${script}`, "bash", sender.base, ...parts]);
  await succeeds("-r");
  const check = `cd "$1/long" && for p in "\${@:2}"; do cd "$p"; done && cat deep`;
  assert.equal(await must("bash", ["-c", check, "bash", receiver.base, ...parts]), "deep\n");
  await succeeds(["long", ...parts, "deep"].join("/"));
  const { status, stderr } = await sender.msync("x/".repeat(3000));
  assert.equal(status, 1);
  assert.match(stderr, /^error: '.*\.\.\.' is too long: a name may have 255 bytes, a path 4096\n$/);
  for (const host of [sender, receiver]) await must("rm", ["-rf", path.join(host.base, "long")]);
});

test("links go as they are, dangling ones and ones out of the tree too", options, async () => {
  await inBase(
    "mkdir links && cd links && ln -s nowhere a && ln -s /etc/shadow b && ln -s ../odd c && ln -s . d",
  );
  await arrives("-r");
  await inBase("cd links && rm a && ln -s elsewhere a");
  await arrives("-r", "links");
});

test("a path through a symbolic link is refused at the sender and at the receiver", options, async () => {
  const { status, stderr } = await sender.msync("links/c/-r");
  assert.equal(status, 3);
  assert.match(stderr, /^error: links\/c\/-r: .*symbolic link, which is not followed \(make/);
  await inBase("mkdir -p way && echo 1 > way/file");
  const outside = path.join(fleet.directory, "outside");
  fs.mkdirSync(outside);
  fs.symlinkSync(outside, path.join(receiver.base, "way"));
  const refused = await sender.msync("-t", "host2", "way/file");
  assert.equal(refused.status, 3);
  assert.match(
    refused.stderr,
    /^error: host2: way: it is not a directory on this member, and a path leads through it/,
  );
  assert.deepEqual(fs.readdirSync(outside), []);
  await arrives("-r");
  assert.deepEqual(fs.readdirSync(outside), []);
});

test("a file becomes a directory, a directory a file, a link either, and back", options, async () => {
  await inBase("mkdir types && cd types && echo 1 > a && mkdir b && echo 2 > b/x && ln -s a c && mkdir d");
  await arrives("-r");
  await inBase(
    "cd types && rm a && mkdir -p a/deep && echo 3 > a/deep/y && rm -r b && echo 4 > b && rm c && mkdir c && echo 5 > c/z && rmdir d && ln -s b d",
  );
  await arrives("-r", "--delete", "types");
  await inBase(
    "cd types && rm -r a c && rm b d && echo 1 > a && mkdir b && echo 2 > b/x && ln -s a c && mkdir d",
  );
  await arrives("-r", "--delete", "types");
});

test(
  "modes, times and owners of files and directories are kept, in parts of a tree too",
  options,
  async () => {
    await inBase(
      "mkdir -p meta/ro meta/sub && echo 1 > meta/ro/f && chmod 4755 meta/ro/f && chmod 555 meta/ro && chmod 1777 meta/sub",
    );
    await inBase(
      "chown 12:34 meta/ro/f && chown www-data meta/sub && touch -d '1999-12-31 23:59:59.123456789' meta/ro/f meta/ro meta",
    );
    await arrives("-r");
    await inBase("echo 2 > meta/sub/new && touch -d '2001-02-03 04:05:06.7' meta/sub");
    await arrives("-r", "meta/sub");
    await inBase("chmod 600 meta/ro/f && touch -d '1969-06-01' meta/ro/f");
    await arrives("-r");
  },
);

test("empty files, empty directories and the base directory's own attributes", options, async () => {
  const mode = fs.statSync(receiver.base).mode;
  await inBase("mkdir empty && touch nothing && chmod 711 .");
  await arrives("-r");
  assert.equal(fs.statSync(receiver.base).mode, mode);
  await inBase("chmod 755 .");
});

test(
  "what cannot be read is named, what is never sent is skipped, and the rest arrives",
  options,
  async () => {
    // A program that is killed leaves its socket behind.
    const leave = "net.createServer().listen('special/socket', () => process.kill(process.pid, 'SIGKILL'))";
    await inBase(
      `mkdir special && echo 1 > special/file; ${process.execPath} -e "${leave}" || test -S special/socket`,
    );
    assert.match(await succeeds("-rv"), /^ignore special\/socket: it is a socket/m);
    assert.match(await listing(receiver), /^special\/file f/m);
    await inBase("rm special/socket");
  },
);

test("files of a block's size, one less and one more arrive whole", options, async () => {
  for (const bytes of [1, 1407, 1408, 1409, 61_919, 61_920, 61_921, 61_936, 123_840, 200_000]) {
    makeFile(path.join(sender.base, `size${bytes}`), bytes);
  }
  await arrives("-r");
});

test("a base directory on an overlay works like any other", options, async () => {
  const third = fleet.hosts[2]!;
  await third.stop();
  const script = `mkdir /run/lower /run/upper /run/work /run/merged && cp -a "$1/." /run/lower && rm -rf /run/lower/.makuosan &&
    mount -t overlay overlay -o lowerdir=/run/lower,upperdir=/run/upper,workdir=/run/work /run/merged &&
    mount --bind /run/merged /var/www`;
  const { status, stderr } = await third.run("sh", ["-c", script, "sh", "/var/www"]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  await third.start();
  await acquainted(fleet.hosts);
  await inBase(
    "echo overlay > overlay && echo changed > index && rm -rf types && mkdir -p types/a && echo 1 > types/a/b",
  );
  await succeeds("-r");
  await inBase("echo again > overlay");
  await succeeds("-v", "overlay");
  assert.equal((await third.run("cat", ["/var/www/overlay", "/var/www/types/a/b"])).stdout, "again\n1\n");
});
