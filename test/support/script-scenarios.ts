import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { type CommandFleet, shell } from "./command-scenarios.ts";
import type { Host } from "./host.ts";

/** Scripts that use msync, on real daemons. */

export async function scriptScenarios(context: TestContext, fleet: CommandFleet): Promise<void> {
  const [sender, second, third] = fleet.hosts as [Host, Host, Host];
  let scripts = 0;
  const script = (text: string) => {
    const file = path.join(fleet.directory, `script${++scripts}`);
    fs.writeFileSync(file, text);
    return file;
  };
  const has = (host: Host, file: string) => fs.existsSync(path.join(host.base, file));

  await context.test("commands run one after the other over one connection", async () => {
    await shell(
      sender,
      "mkdir 'scr ipt' && echo 1 > 'scr ipt/a' && echo 2 > 'scr ipt/b.log' && echo 3 > scripted",
    );
    const file = script(
      `# a comment\n\nwait 2,5\nexclude add *.log '*.tmp' x\nexclude del x\nexclude list\n` +
        `send -v -t host2 -r "scr ipt" # to one\nexclude clear\nverbose 1\nsend -r 'scr ipt'\n` +
        `loglevel debug\nstatus\nmembers\nquit\nsend scripted\n`,
    );
    const { status, stdout, stderr } = await sender.msync("-f", file);
    assert.equal(status, 0);
    assert.match(stderr, /^(warning: no key is set: .*\n)?$/);
    const lines = stdout.split("\n");
    assert.deepEqual(lines.slice(0, 7), [
      "*.log",
      "*.tmp",
      "update host2:scr ipt",
      "update host2:scr ipt/a",
      "update host3:scr ipt",
      "update host3:scr ipt/a",
      "update host2:scr ipt/b.log",
    ]);
    assert.match(stdout, /^log level : debug$/m);
    assert.match(stdout, /^host2 \S+ \(Ver\S+\) web,tokyo$/m);
    assert.equal(has(second, "scripted"), false, "behind quit nothing is done");
    await sender.msync("-l", "info");
  });

  await context.test(
    "a script stops at the first error, or goes on, with the status of the first one",
    async () => {
      const text = "send -t host9 scripted\nsend nowhere\nnonsense\nsend scripted\n";
      const stopped = await sender.msync("-f", script(text));
      assert.deepEqual([stopped.status, has(second, "scripted")], [3, false]);
      const file = script(`nonsense 'x\nfrobnicate\n${text}`);
      const { status, stderr } = await sender.msync("--keep-going", "-f", file);
      assert.deepEqual([status, has(second, "scripted"), has(third, "scripted")], [1, true, true]);
      assert.deepEqual(stderr.split("\n"), [
        `error: ${file}:1: the quote ' is not closed: close it in the same line`,
        `error: ${file}:2: unknown command 'frobnicate': ${stderr.split(": ").at(-1)!.trim()}`,
        "error: host9 is not a member: 'msync --members' lists those that are there",
        "error: nowhere: there is no such file or directory",
        `error: ${file}:5: unknown command 'nonsense': ${stderr.split(": ").at(-1)!.trim()}`,
        "",
      ]);
    },
  );

  await context.test(
    "options of the command line hold for every command, and a script may come by a pipe",
    async () => {
      await shell(sender, "echo new > piped");
      const { status, stdout } = await sender.run("sh", [
        "-c",
        `printf 'send piped\\nsend -t host3 piped' | "$@"`,
        "sh",
        ...sender.msyncCommand("-nv", "-f", "-"),
      ]);
      assert.equal(status, 0);
      assert.equal(
        stdout,
        "(dryrun) update host2:piped\n(dryrun) update host3:piped\n(dryrun) update host3:piped\n",
      );
      assert.equal(has(second, "piped"), false);
    },
  );

  await context.test("scripts that cannot be read, and options without one", async () => {
    const missing = await sender.msync("-f", "/nowhere");
    assert.equal(missing.stderr, "error: the script /nowhere cannot be read (ENOENT): name another file\n");
    assert.equal(missing.status, 1);
    const directory = await sender.msync("-f", fleet.directory);
    assert.match(directory.stderr, /^error: the script .* cannot be read \(EISDIR\): name another file\n$/);
    assert.match(
      (await sender.msync("-f", "/dev/null", "path")).stderr,
      /^error: the path 'path' does not go/,
    );
    assert.match((await sender.msync("--keep-going", "-r")).stderr, /^error: --keep-going is for scripts/);
  });
}
