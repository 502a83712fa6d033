import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { readAttribute, setAttribute } from "../../src/sys/xattrs.ts";
import { type CommandFleet, shell, tree } from "./command-scenarios.ts";
import type { Host } from "./host.ts";

/** Deletes, comparisons and entries of special types, with the whole command on real daemons. */

export async function deleteScenarios(
  context: TestContext,
  fleet: CommandFleet,
  isRoot: boolean,
): Promise<void> {
  const [sender, second, third] = fleet.hosts as [Host, Host, Host];
  /** Sorts output that has one line for each host and path, in any order. */
  const sorted = (text: string) => text.trimEnd().split("\n").sort();

  await context.test("-n lists what would be deleted, and -v what is", async () => {
    await shell(sender, "mkdir -p del/sub && echo 1 > del/a && echo 2 > del/sub/b");
    assert.equal((await sender.msync("-r", "del")).status, 0);
    await shell(second, "mkdir del/old && touch del/old/x del/sub/y");
    await shell(third, "touch del/z del/keep.secret");
    const dry = await sender.msync("-rn", "--delete", "--exclude", "*.secret", "del");
    assert.deepEqual(
      sorted(dry.stdout).filter((line) => line.includes("delete")),
      ["host2:del/old", "host2:del/old/x", "host2:del/sub/y", "host3:del/z"].map(
        (place) => `(dryrun) delete ${place}`,
      ),
    );
    assert.equal(
      await tree(second, "del"),
      "del\ndel/a\ndel/old\ndel/old/x\ndel/sub\ndel/sub/b\ndel/sub/y\n",
    );
    await shell(sender, "echo 3 > del/new");
    const { status, stdout, stderr } = await sender.msync("-rv", "--delete", "--exclude", "*.secret", "del");
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    const deleted = sorted(stdout).filter((line) => line.startsWith("delete"));
    assert.deepEqual(deleted, [
      "delete host2:del/old",
      "delete host2:del/old/x",
      "delete host2:del/sub/y",
      "delete host3:del/z",
    ]);
    assert.equal(await tree(second, "del"), "del\ndel/a\ndel/new\ndel/sub\ndel/sub/b\n");
    assert.equal(
      await tree(third, "del"),
      "del\ndel/a\ndel/keep.secret\ndel/new\ndel/sub\ndel/sub/b\n",
      "what is excluded stays",
    );
  });

  await context.test("too much is deleted nowhere, and the sentence names --force-delete", async () => {
    await shell(second, "for i in $(seq 150); do touch del/many$i; done");
    await shell(sender, "echo 4 > del/newer");
    const { status, stderr } = await sender.msync("-r", "--delete", "del");
    assert.equal(status, 3);
    assert.match(
      stderr,
      /^error: nothing was changed anywhere: host2: 150 of \d+ entries would be deleted, .* --force-delete /,
    );
    for (const host of [second, third]) assert.equal(fs.existsSync(path.join(host.base, "del/newer")), false);
    assert.equal((await sender.msync("-r", "--delete", "--force-delete", "del")).status, 0);
    assert.equal(await tree(second, "del"), "del\ndel/a\ndel/new\ndel/newer\ndel/sub\ndel/sub/b\n");
  });

  await context.test("an empty source deletes nothing", async () => {
    await shell(sender, "mkdir away && mv del/* away");
    const { status, stderr } = await sender.msync("-r", "--delete", "del");
    assert.equal(status, 3);
    assert.match(stderr, /^error: nothing was changed anywhere: 'del' is empty here, .* --force-delete /);
    assert.equal(await tree(second, "del"), "del\ndel/a\ndel/new\ndel/newer\ndel/sub\ndel/sub/b\n");
    await shell(sender, "mv away/* del && rmdir away");
  });

  await context.test("--sync deletes a path that is gone, and sends one that is there", async () => {
    await shell(sender, "rm -r del/sub && echo changed > del/a");
    const { status, stdout } = await sender.msync("-v", "--sync", "del/sub", "del/a", "-t", "host2");
    assert.equal(status, 0);
    assert.deepEqual(sorted(stdout), [
      "delete host2:del/sub",
      "delete host2:del/sub/b",
      "update host2:del/a",
    ]);
    assert.equal(await tree(second, "del"), "del\ndel/a\ndel/new\ndel/newer\n");
    assert.ok(fs.existsSync(path.join(third.base, "del/sub/b")), "the other one was not asked");
    const unsynced = await sender.msync("del/sub");
    assert.equal(unsynced.stderr, "error: del/sub: there is no such file or directory\n");
  });

  if (isRoot) {
    await context.test("what is mounted somewhere below is never deleted", async () => {
      await shell(sender, "mkdir mnt && touch mnt/x");
      await shell(second, "mkdir -p mnt/old/deep/point place && echo precious > place/file");
      await shell(second, "mount --bind place mnt/old/deep/point");
      const { status, stderr } = await sender.msync("-r", "--delete", "-t", "host2", "mnt");
      assert.equal(status, 3);
      assert.match(stderr, /^error: host2: mnt\/old\/deep\/point.*: something is mounted on it/);
      await shell(sender, "rm -r mnt && echo a file > mnt");
      const replaced = await sender.msync("mnt", "-t", "host2");
      assert.match(replaced.stderr, /^error: host2: mnt: it is a directory on this member that is not empty/);
      assert.equal(await shell(second, "cat mnt/old/deep/point/file"), "precious\n");
      await shell(second, "umount mnt/old/deep/point && rm -r mnt place");
      await shell(sender, "rm mnt");
    });
  }

  if (!isRoot && process.getuid?.() === 0) {
    await context.test(
      "what may not be deleted is told by a check, and fails before the switch, in a dry run too",
      async () => {
        await shell(sender, "mkdir owned-by && echo 1 > owned-by/a");
        assert.equal((await sender.msync("-r", "owned-by")).status, 0);
        fs.mkdirSync(path.join(second.base, "owned-by/old"));
        fs.writeFileSync(path.join(second.base, "owned-by/old/x"), "");
        const check = await sender.msync("--check", "-r", "--delete", "-t", "host2", "owned-by");
        assert.equal(check.status, 5);
        assert.match(check.stdout, /^superfluous host2:owned-by\/old\/x$/m);
        for (const option of ["-rn", "-r"]) {
          const { status, stderr } = await sender.msync(option, "--delete", "-t", "host2", "owned-by");
          assert.deepEqual(
            { status, stderr },
            {
              status: 3,
              stderr: "error: host2: owned-by/old: permission denied (give the daemon's user access to it)\n",
            },
            option,
          );
        }
        fs.rmSync(path.join(second.base, "owned-by"), { recursive: true });
      },
    );
  }

  await context.test("scripts have sync, dsync and check", async () => {
    const file = path.join(fleet.directory, "deletes");
    fs.writeFileSync(
      file,
      "verbose 1\nsync -t host3 del/sub\ndsync -r -t host3 del\ncheck -r -t host3 del\n",
    );
    await shell(third, "touch del/junk");
    await shell(sender, "echo 5 > del/unsent");
    const { status, stdout } = await sender.msync("-f", file);
    assert.equal(status, 5);
    const lines = sorted(stdout);
    assert.ok(lines.includes("delete host3:del/sub"));
    assert.ok(lines.includes("delete host3:del/junk"));
    assert.ok(lines.includes("missing host3:del/unsent"), "dsync has deleted, and sent nothing");
    assert.ok(lines.includes("host3: OK del/newer"));
  });

  await context.test("options that make no sense are refused with a sentence", async () => {
    for (const [args, sentence] of [
      [["--delete", "del"], "error: --delete looks at directories with all that is in them: add -r\n"],
      [["-r", "--force-delete"], "error: --force-delete is for --delete and --sync: add one of them\n"],
    ] as [string[], string][]) {
      const { status, stderr } = await sender.msync(...args);
      assert.deepEqual({ status, stderr }, { status: 1, stderr: sentence });
    }
  });
}

export async function checkScenarios(
  context: TestContext,
  fleet: CommandFleet,
  isRoot: boolean,
): Promise<void> {
  const [sender, second, third] = fleet.hosts as [Host, Host, Host];

  await context.test("--check finds every kind of difference, and changes nothing", async () => {
    await shell(sender, "mkdir -p chk/d && for i in a b c e; do echo content-of-$i > chk/$i; done");
    await shell(sender, "head -c 3000000 /dev/zero > chk/large && touch -d @1000000000 chk/*");
    assert.equal((await sender.msync("-r", "chk")).status, 0);
    assert.deepEqual(await sender.msync("--check", "-r", "chk"), { status: 0, stdout: "", stderr: "" });
    await shell(
      second,
      "printf 'CONTENT' | dd of=chk/a conv=notrunc status=none && touch -d @1000000000 chk/a",
    );
    await shell(second, "chmod 600 chk/b && touch -d @5 chk/c && rm chk/e && ln -s b chk/e");
    await shell(third, "printf x | dd of=chk/large bs=1 seek=2999999 conv=notrunc status=none");
    await shell(third, "touch -d @1000000000 chk/large && rm chk/a && touch chk/extra");
    const { status, stdout } = await sender.msync("--check", "-r", "--delete", "chk");
    assert.equal(status, 5);
    const lines = stdout.trimEnd().split("\n").sort();
    const expected = [
      "contents host2:chk/a",
      "contents host3:chk/large",
      "missing host3:chk/a",
      "mode host2:chk/b",
      "superfluous host3:chk/extra",
      "time host2:chk/c",
      "type host2:chk/e",
    ];
    // The times of directories differ as well, because something was created in them.
    assert.deepEqual(
      lines.filter((line) => !/^time host[23]:chk(\/d)?$/.test(line)),
      expected,
    );
    const verbose = (await sender.msync("--check", "-r", "-v", "chk")).stdout;
    for (const line of ["host2: NG chk/a", "host3: NG chk/a", "host2: OK chk/large", "host3: NG chk/large"])
      assert.match(verbose, new RegExp(`^${line}$`, "m"));
    assert.equal(fs.existsSync(path.join(third.base, "chk/a")), false, "nothing was sent");
  });

  await context.test(
    "a plain push does not see contents that differ behind size and time; --checksum does",
    async () => {
      assert.equal((await sender.msync("chk/a", "-t", "host2")).status, 0);
      assert.match(await shell(second, "cat chk/a"), /^CONTENT/);
      assert.equal((await sender.msync("--checksum", "chk/a", "-t", "host2")).status, 0);
      assert.equal(await shell(second, "cat chk/a"), "content-of-a\n");
    },
  );

  await context.test("--repair sends what differs, and then nothing does", async () => {
    const { status, stdout } = await sender.msync("--check", "--repair", "-r", "--delete", "--json", "chk");
    assert.equal(status, 0);
    const result = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as { sentBytes: number; deleted: number };
    assert.ok(result.sentBytes > 3_000_000 && result.sentBytes < 3_100_000, `${result.sentBytes} bytes`);
    assert.equal(result.deleted, 1);
    assert.deepEqual(await sender.msync("--check", "-r", "--delete", "chk"), {
      status: 0,
      stdout: "",
      stderr: "",
    });
  });

  await context.test("a change of the mode alone sends no contents", async () => {
    await shell(sender, "chmod 640 chk/large");
    const { stdout } = await sender.msync("-v", "--json", "chk/large");
    const result = JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as { sentBytes: number };
    assert.equal(result.sentBytes, 0);
    for (const host of [second, third]) assert.equal(await shell(host, "stat -c %a chk/large"), "640\n");
    if (!isRoot) {
      await shell(third, "chmod 000 chk/large");
      assert.equal((await sender.msync("chk/large")).status, 0, "one that cannot be read there is sent");
      assert.equal(await shell(third, "stat -c %a chk/large"), "640\n");
    }
    if (isRoot) {
      await shell(sender, "chown 12:34 chk/large");
      const { status, stderr } = await sender.msync("chk/large");
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
      assert.equal(await shell(third, "stat -c %u:%g chk/large"), "12:34\n");
    }
  });
}

export async function specialScenarios(
  context: TestContext,
  fleet: CommandFleet,
  isRoot: boolean,
): Promise<void> {
  const [sender, second] = fleet.hosts as [Host, Host, Host];

  await context.test("FIFOs, hard links, holes and sockets", async () => {
    await shell(
      sender,
      "mkdir spc && mkfifo -m 620 spc/pipe && echo 1 > spc/one && ln spc/one spc/two && " +
        "truncate -s 300M spc/sparse && echo end >> spc/sparse",
    );
    const { status, stderr } = await sender.msync("-r", "spc");
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    assert.equal(await shell(second, "stat -c '%F %a' spc/pipe"), "fifo 620\n");
    assert.equal(await shell(second, "stat -c %h spc/one spc/two"), "2\n2\n");
    assert.equal(await shell(second, "tail -c 4 spc/sparse"), "end\n");
    const [size, blocks] = (await shell(second, "stat -c '%s %b' spc/sparse")).split(" ").map(Number);
    assert.equal(size, 300 * 1024 * 1024 + 4);
    assert.ok(blocks! < 1000, `${blocks} blocks`);
    assert.equal((await sender.msync("-rv", "spc")).stdout, "", "and all of that is the same now");
  });

  await context.test("devices come over where that is allowed, and are named where not", async (device) => {
    if (!isRoot) return;
    if ((await sender.run("sh", ["-c", `mknod ${sender.innerBase}/spc/null c 1 3`])).status !== 0) {
      device.skip("device nodes cannot be made here");
      return;
    }
    assert.equal((await sender.msync("-r", "spc")).status, 0);
    assert.equal(await shell(second, "stat -c '%F %t,%T' spc/null"), "character special file 1,3\n");
  });

  await context.test("extended attributes come over with --xattrs, and not without", async (attributes) => {
    const at = (host: Host) => Buffer.from(path.join(host.base, "spc/one"));
    try {
      setAttribute(at(sender), "user.note", Buffer.from("hello"));
    } catch (error) {
      attributes.skip(
        `this file system has no extended attributes (${(error as NodeJS.ErrnoException).code})`,
      );
      return;
    }
    assert.equal((await sender.msync("-r", "spc")).status, 0);
    assert.equal(readAttribute(at(second), "user.note"), undefined);
    assert.deepEqual(await sender.msync("-r", "--xattrs", "spc"), { status: 0, stdout: "", stderr: "" });
    assert.equal(Buffer.from(readAttribute(at(second), "user.note") ?? "").toString(), "hello");
    assert.equal((await sender.msync("-rv", "--xattrs", "spc")).stdout, "");
  });
}
