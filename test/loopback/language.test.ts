import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { LoopbackFleet } from "../support/loopback.ts";

/** With a Japanese locale msync speaks Japanese, and all that scripts read stays as it is. */

async function twoHosts(context: TestContext): Promise<[Host, Host]> {
  const fleet = LoopbackFleet.create(2);
  context.after(() => fleet.destroy());
  await Promise.all(fleet.hosts.map((host) => host.start()));
  await acquainted(fleet.hosts);
  return fleet.hosts as [Host, Host];
}

/** Output and status of msync in a language. */
async function say(host: Host, LC_ALL: string, ...args: string[]) {
  const [program = "", ...rest] = host.msyncCommand(...args);
  const { status, stdout, stderr } = await host.run(program, rest, { env: { LC_ALL } });
  return { status, stdout, stderr };
}

test("what scripts read is the same in Japanese", async (context) => {
  const [sender, member] = await twoHosts(context);
  fs.writeFileSync(path.join(sender.base, "comparing"), "1\n");
  fs.mkdirSync(path.join(sender.base, "the push failed"));
  fs.writeFileSync(path.join(member.base, "more"), "2\n");
  const commands = [
    ["-rn", "--delete"],
    ["-rnv", "--delete"],
    ["--check", "-rv", "--delete"],
    ["--members"],
    ["--members", "--json"],
    ["--json", "missing"],
    ["-r", "--json", "-t", "nobody"],
    ["--members", "--json", "path"],
  ];
  for (const args of commands) {
    const [english, japanese] = [await say(sender, "C", ...args), await say(sender, "ja_JP.UTF-8", ...args)];
    // Neither how long it took nor the number of the transfer is the same twice.
    const plain = ({ status, stdout, stderr }: typeof english) => ({
      status,
      stdout: stdout.replace(/"(durationMs|transfer|time)":[^,}]+/g, ""),
      stderr: stderr.replace(/^warning: .*\n/gm, ""),
    });
    assert.deepEqual(plain(japanese), plain(english), args.join(" "));
  }
  const keys = async (locale: string) =>
    (await say(sender, locale, "--status")).stdout.split("\n").map((line) => line.split(" : ")[0]);
  assert.deepEqual(await keys("ja_JP.UTF-8"), await keys("C"));
  const pushed = await say(sender, "ja_JP.UTF-8", "-rv");
  assert.deepEqual(pushed.stdout.split("\n").sort(), [
    "",
    "update host2:comparing",
    "update host2:the push failed",
  ]);
});

test("errors, warnings, findings and the help are in Japanese", async (context) => {
  const [sender] = await twoHosts(context);
  const expected: readonly (readonly [args: string[], status: number, output: RegExp])[] = [
    [
      [],
      1,
      /^error: 送るものがありません。パスを指定するか、ベースディレクトリ全体なら -r を付けてください\n$/,
    ],
    [
      ["--delte"],
      1,
      /^error: '--delte' というオプションはありません。--delete のことですか？'msync --help' で/,
    ],
    [["missing"], 3, /^error: missing: .*そのようなファイルやディレクトリはありません/],
    [["-r", "-t", "nobody"], 3, /^error: nobody はメンバーではありません。'msync --members' で/],
    [["../x"], 1, /^error: '\.\.\/x' はベースディレクトリの外を指しています。/],
    [["--members"], 0, /^warning: 鍵が設定されていません。/m],
    [["-r", "--stats"], 0, /^1 台中 1 台に \d+ 個、\d+ バイトを [\d.]+ 秒で送りました/],
    [
      ["--doctor", "-v"],
      0,
      /^hint host1 \([\d.]+\) key: 鍵が設定されていません。.*; 'msync --keygen FILE' で作り、/m,
    ],
    [["--doctor"], 0, /^合計: 2 台を \d+ 項目調べました。支障はありません$/m],
    [
      ["--help"],
      0,
      /^書式: msync [^]*^オプション:$[^]*--all-or-nothing +全メンバーが[^]*^終了ステータス: 0 /m,
    ],
    [["-c", "unix:/nowhere"], 1, /^error: 送るものがありません/],
    [
      ["-c", "unix:/nowhere", "-r"],
      2,
      /^error: \/nowhere で makuosan が応答しません。'systemctl start makuosan' で/,
    ],
  ];
  for (const [args, status, output] of expected) {
    const said = await say(sender, "ja_JP.UTF-8", ...args);
    assert.match(said.stderr + said.stdout, output, args.join(" "));
    assert.equal(said.status, status, args.join(" "));
  }
});
