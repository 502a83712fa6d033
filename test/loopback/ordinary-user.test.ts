import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { LoopbackFleet } from "../support/loopback.ts";
import { eventually, must } from "../support/processes.ts";
import { makeFile, makeTree, sameTrees } from "../support/trees.ts";

/** Daemons of a user who is not root, on the loopback network. */

for (const mode of ["with the FFI library", "without it"]) {
  test(`an ordinary user, ${mode}`, async (suite) => {
    process.env["MAKUOSAN_WITHOUT_FFI"] = mode === "without it" ? "1" : "0";
    const fleet = LoopbackFleet.create(3);
    suite.after(() => fleet.destroy());
    await Promise.all(fleet.hosts.map((host) => host.start()));
    await acquainted(fleet.hosts);
    const [sender, receiver, third] = fleet.hosts as [Host, Host, Host];
    const inBase = async (script: string, host = sender) => {
      const { status, stderr } = await host.run("sh", ["-c", `cd ${host.base} && ${script}`]);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    };
    const push = async (...args: string[]) => {
      const { status, stdout, stderr } = await sender.msync(...args);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
      return stdout;
    };

    await suite.test("a big file and a tree arrive whole, and again there is nothing to do", async () => {
      makeFile(path.join(sender.base, "big"), 64 * 1024 * 1024);
      makeTree(path.join(sender.base, "tree"), 10, 100, 4000);
      // Where the tests run as root, what they make belongs to root.
      if (process.getuid?.() === 0) await must("chown", ["-R", "65534:65534", sender.base]);
      await push("-r");
      for (const other of [receiver, third]) await same(sender, other);
      assert.equal(await push("-rv"), "");
    });

    await suite.test("files are replaced by directories and the other way round", async () => {
      await inBase("mkdir types && echo 1 > types/a && mkdir types/b && echo 2 > types/b/c");
      await push("-r");
      await inBase("rm -r types/* && mkdir types/a && echo 3 > types/a/d && echo 4 > types/b");
      const why =
        "types/b: it is a directory on this member that is not empty: " +
        "add --delete if everything in it is to be deleted";
      for (const dryRun of [["-n"], []])
        assert.deepEqual(await sender.msync("-r", ...dryRun), {
          status: 3,
          stdout: "",
          stderr: `error: host2: ${why}\nerror: host3: ${why}\n`,
        });
      await push("-r", "--delete", "types");
      for (const other of [receiver, third]) await same(sender, other);
    });

    await suite.test("directories without write permission are kept so, with what is in them", async () => {
      await inBase(
        "mkdir -p closed/in && echo 1 > closed/in/f && chmod 444 closed/in/f && chmod 555 closed/in closed",
      );
      await push("-r");
      for (const other of [receiver, third]) await same(sender, other);
    });

    await suite.test(
      "a change in a directory that is closed to its owner arrives, and it is closed again",
      async () => {
        await inBase("chmod 755 closed && echo 2 > closed/new && chmod 555 closed");
        const { status, stderr } = await sender.msync("-r");
        assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
        for (const other of [receiver, third]) {
          const closed = path.join(other.base, "closed");
          assert.equal(fs.readFileSync(path.join(closed, "new"), "utf8"), "2\n");
          assert.equal(fs.statSync(closed).mode & 0o777, 0o555);
        }
        await inBase("chmod 755 closed closed/in && rm -r closed");
        for (const other of [receiver, third])
          await inBase("chmod 755 closed closed/in && rm -r closed", other);
      },
    );

    await suite.test("a source that cannot be read is named, and the rest arrives", async () => {
      await inBase(
        "echo secret > secret && chmod 0 secret && mkdir shut && chmod 0 shut && echo more > more",
      );
      const { status, stderr } = await sender.msync("-r");
      if (process.getuid?.() === 0 || status !== 0) {
        assert.equal(status, 3);
        assert.match(stderr, /^error: secret: permission denied \(give the daemon's user access/m);
        assert.match(stderr, /^error: shut: permission denied \(give the daemon's user access/m);
      }
      assert.equal(fs.readFileSync(path.join(receiver.base, "more"), "utf8"), "more\n");
      await inBase("rm -f secret && rmdir shut");
    });

    await suite.test("a way that cannot be read is named, and the daemon goes on", async () => {
      const secret = path.join(sender.base, "secret");
      fs.mkdirSync(path.join(secret, "b"), { recursive: true });
      fs.chmodSync(secret, 0);
      const { status, stderr } = await sender.msync("secret/b/c");
      assert.equal(status, 3);
      assert.match(stderr, /^error: secret\/b\/c: permission denied \(give the daemon's user access/m);
      assert.equal((await sender.msync("--status")).status, 0);
      fs.chmodSync(secret, 0o700);
      fs.rmSync(secret, { recursive: true });
    });

    await suite.test("a dry run reads no contents", async () => {
      makeFile(path.join(sender.base, "unsent"), 20_000_000);
      const { stdout } = await sender.msync("-n", "--json", "unsent");
      assert.match(stdout, /"sentBytes":0,/);
      fs.rmSync(path.join(sender.base, "unsent"));
    });

    await suite.test("started without -n, it goes to the background when it is ready", async () => {
      await third.stop();
      await eventually("it has left", async () =>
        (await sender.msync("--members")).stdout.includes("Total: 1 members"),
      );
      // Seen from where the shell stands, like any path.
      const { status, stdout, stderr } = await third.startInBackground(
        path.dirname(third.base),
        "-b",
        "base",
      );
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
      const pid = Number(/^process : (\d+)$/m.exec((await third.msync("--status")).stdout)?.[1]);
      assert.equal(fs.readFileSync(`/proc/${pid}/comm`, "latin1"), "makuosan\n");
      await acquainted(fleet.hosts);
      process.kill(pid, "SIGTERM");
      await eventually("it has left", async () =>
        (await sender.msync("--members")).stdout.includes("Total: 1 members"),
      );
    });
  });
}

async function same(a: Host, b: Host): Promise<void> {
  // Without the library, times are set to the microsecond only.
  const isExact = process.env["MAKUOSAN_WITHOUT_FFI"] !== "1";
  assert.equal(await sameTrees(a, b, isExact), "");
}
