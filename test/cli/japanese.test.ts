import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { bytesOfText } from "../../src/base/display.ts";
import { MENDS, type ReasonCode, REASONS } from "../../src/base/reason-catalogue.ts";
import { reason } from "../../src/base/reason.ts";
import { CATALOGUE, japaneseSentence } from "../../src/cli/japanese.ts";
import { JAPANESE_MENDS, JAPANESE_REASONS } from "../../src/cli/japanese-reasons.ts";
import { chooseLanguage, inLanguage } from "../../src/cli/language.ts";
import { helpOf } from "../../src/daemon/settings/setting.ts";
import { ALL_SETTINGS } from "../../src/daemon/settings/settings-table.ts";
import { sentenceFor } from "../../src/cli/reasons.ts";
import { sentencesOf } from "../support/sentences.ts";

/** The Japanese catalogue is complete, and is used in a Japanese locale alone. */

const ROOT = path.join(import.meta.dirname, "..", "..", "src");

/** All that these files say is for people. The types see to the phrases of the progress bar and of --top. */
const SPEAKING = [
  ...filesOf("cli").filter((file) => !/japanese|top-picture|progress-line/.test(file)),
  ...filesOf("daemon/doctor"),
  ...[
    "daemon/settings/options.ts",
    "daemon/service/problem-sentences.ts",
    "console/client.ts",
    "console/socket-path.ts",
    "sys/output.ts",
  ],
];

/** Of these files, the errors reach msync, or are those of `makuosan` itself. */
const FAILING = [
  ...filesOf("base"),
  ...filesOf("wire"),
  ...["console/parse-request.ts", "tree/scan/request.ts", "tree/scan/source.ts", "tree/scan/scan.ts"],
  ...[
    "daemon",
    "daemon/settings",
    "daemon/settings/settings-table",
    "daemon/service",
    "daemon/metrics",
  ].flatMap(filesOf),
  ...["net", "net/transports"].flatMap(filesOf),
  ...["console/server.ts", "sys/process-files.ts"],
  ...filesOf("daemon/pushes"),
];

/** Not of this program: commander says it. */
const OF_COMMANDER = ["did you mean one of {0}?"];

/** Commands, which are the same in every language. */
const COMMANDS = ["systemctl start makuosan"];

const textOf = (bytes: string) => Buffer.from(bytes, "latin1").toString();

/** Whether a text stands in a source, perhaps cut into two literals. */
function isSaid(text: string, source: string): boolean {
  const words = text
    .trim()
    .split(" ")
    .map((word) => word.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&"));
  return new RegExp(words.join(`(?: |[ "\`]*\\+?\\s*["\`] ?)`)).test(source);
}

function filesOf(folder: string): string[] {
  const files = fs.readdirSync(path.join(ROOT, folder)).filter((file) => file.endsWith(".ts"));
  return files.map((file) => `${folder}/${file}`);
}

const inJapanese = (english: string) => textOf(japaneseSentence(english) ?? "");
const placesOf = (text: string) => [...text.matchAll(/\{(\d)\*?\}/g)].map(([, place]) => place).sort();
const isJapanese = (text: string) => /[\u3040-\u30ff\u4e00-\u9fff]/.test(text);

test("every reason has a Japanese sentence with the same places for arguments", () => {
  assert.deepEqual(Object.keys(JAPANESE_REASONS), Object.keys(REASONS));
  for (const code of Object.keys(REASONS) as ReasonCode[]) {
    assert.deepEqual(placesOf(JAPANESE_REASONS[code]), placesOf(REASONS[code]), code);
    if (code !== "other") assert.ok(isJapanese(JAPANESE_REASONS[code]), code);
  }
  // Command names and options are the same in every language.
  for (const code of Object.keys(REASONS) as ReasonCode[])
    for (const [option] of REASONS[code].matchAll(/--[a-z-]+|'[a-z]+ [^']+'/g))
      assert.ok(JAPANESE_REASONS[code].includes(option), `${code}: ${option}`);
});

test("every way to fix a cause is there in Japanese", () => {
  assert.deepEqual(Object.keys(JAPANESE_MENDS), Object.keys(MENDS));
  for (const mend of Object.values(JAPANESE_MENDS)) assert.ok(isJapanese(mend), mend);
});

test("everything that msync says has a Japanese sentence, with all arguments", () => {
  const sentences = [
    ...SPEAKING.flatMap((file) => sentencesOf(path.join(ROOT, file))),
    ...FAILING.flatMap((file) => sentencesOf(path.join(ROOT, file), "UserError")),
  ].filter((sentence) => !COMMANDS.includes(sentence));
  assert.ok(sentences.length > 200);
  const missing = sentences.filter((sentence) => {
    const japanese = textOf(japaneseSentence(sentence.replace(/\{(\d)\}/g, "ARG$1")) ?? "");
    const isWhole = placesOf(sentence).every((place) => japanese.includes(`ARG${place}`));
    return !isJapanese(japanese) || !isWhole || /[a-z]+ [a-z]+ [a-z]+/.test(japanese.replace(/'[^']*'/g, ""));
  });
  assert.deepEqual(missing, []);
});

test("the catalogue has the same places, commands and options in both languages, and no sentence that nobody says", () => {
  const source = [
    ...SPEAKING,
    ...FAILING,
    "daemon/service/own-copies.ts",
    "daemon/catch-up/catch-up-keeper.ts",
  ]
    .map((file) => fs.readFileSync(path.join(ROOT, file), "utf8"))
    .join("\n");
  for (const [english, japanese] of Object.entries(CATALOGUE)) {
    assert.deepEqual(placesOf(japanese), placesOf(english), english);
    assert.ok(isJapanese(japanese), english);
    for (const [word] of english.matchAll(
      /--[a-z]+[a-z-]*|'(?:msync|makuosan|systemctl|sysctl|ip|df) [^'{]+/g,
    ))
      assert.ok(japanese.includes(word), `${word} in: ${japanese}`);
    if (OF_COMMANDER.includes(english)) continue;
    // The longest piece of text without a place stands in the program.
    const piece = english.split(/\{\d\}|\n|\\|(?<=[,;:?] )/).sort((a, b) => b.length - a.length)[0] ?? "";
    if (/[a-z]+ [a-z]+ [a-z]+/.test(piece)) assert.ok(isSaid(piece, source), piece);
  }
});

test("the help of makuosan is Japanese, but for names and default values", () => {
  for (const setting of ALL_SETTINGS) {
    assert.ok(isJapanese(inJapanese(setting.help)), setting.help);
    if (setting.helpOff !== undefined) assert.ok(isJapanese(inJapanese(setting.helpOff)), setting.helpOff);
    // Words, and no path, number or list.
    if (/^[a-z]+ [a-z ]+$/.test(setting.defaultText ?? ""))
      assert.ok(isJapanese(inJapanese(setting.defaultText ?? "")), setting.defaultText);
    assert.match(helpOf(setting, inJapanese), /[\u3040-\u30ff\u4e00-\u9fff]/);
  }
});

test("an error of the start keeps the place of the value in front", () => {
  const of = (sentence: string) => inJapanese(`/etc/makuosan.conf.d/50-set.conf:2: ${sentence}`);
  assert.equal(
    of(
      "base: the base directory /srv/x is missing: create it, such as with 'install -d /srv/x', or name another with -b",
    ),
    "/etc/makuosan.conf.d/50-set.conf:2: base: ベースディレクトリ /srv/x がありません。'install -d /srv/x' などで作るか、-b で別のものを指定してください",
  );
  assert.equal(
    of("unknown key 'bse': did you mean 'base'? the keys are base, user"),
    "/etc/makuosan.conf.d/50-set.conf:2: 'bse' というキーはありません。'base' のことですか？使えるキー: base, user",
  );
  assert.equal(
    of(
      "base: the base directory /srv/x cannot be written (EACCES): run 'chown makuosan: /srv/x' and start makuosan again, or name another user with -u",
    ),
    "/etc/makuosan.conf.d/50-set.conf:2: base: ベースディレクトリ /srv/x を書き込みできません（EACCES）。" +
      "'chown makuosan: /srv/x' を実行し、makuosan を起動し直してください。または -u で別のユーザーを指定してください",
  );
});

test("sentences in sentences are translated, names and paths never", () => {
  const say = (english: string) => textOf(japaneseSentence(english) ?? "");
  // A name at the end of a sentence is no part of it that goes on after a colon.
  assert.equal(
    say(
      "/etc/makuosan.conf:3: interface: there is no interface or local address eth9: this host has lo (127.0.0.1)",
    ),
    "/etc/makuosan.conf:3: interface: eth9 というインターフェースやアドレスはありません。このホストにあるもの: lo (127.0.0.1)",
  );
  assert.equal(
    say("web* is not a member: 'msync --members' lists those that are there"),
    "web* はメンバーではありません。'msync --members' でメンバーの一覧を表示できます",
  );
  assert.equal(
    say(
      "there is no member to send to: host3 (10.0.0.3) is heard but does not answer: is UDP 5000 let in there? If not, run 'ufw " +
        "allow 5000/udp', 'x && y', or for nftables 'z'; host2 (10.0.0.9) says that it sends from 10.0.0.2: networks that translate " +
        "addresses are not supported",
    ),
    "送り先のメンバーがいません: host3 (10.0.0.3) のパケットは届きますが、応答がありません。そのホストで UDP 5000 の受信は許可されていますか？" +
      "許可されていなければ、'ufw allow 5000/udp'、'x && y'、nftables なら 'z' を実行してください。" +
      "host2 (10.0.0.9) は、送信元を 10.0.0.2 だと言っています。アドレスを変換するネットワークには対応していません",
  );
  assert.equal(
    say(
      "there is no member to send to: no other host is heard on eth0 (10.0.0.1): run 'systemctl start makuosan' on the others. " +
        "Is UDP 5000 let in here? If not, run 'ufw allow 5000/udp'",
    ),
    "送り先のメンバーがいません: eth0（10.0.0.1）では、ほかのホストのパケットが届いていません。" +
      "ほかのホストで 'systemctl start makuosan' を実行してください。このホストで UDP 5000 の受信は許可されていますか？" +
      "許可されていなければ、'ufw allow 5000/udp' を実行してください",
  );
  assert.equal(say("script:3: give unix:PATH"), "script:3: unix:PATH の形で指定してください");
  assert.equal(
    say("nothing was changed anywhere: host2: dry run"),
    "どのホストでも何も変更していません: host2: 試行です",
  );
  assert.equal(say("reading is not sent: X"), "reading は送りません: X");
  assert.equal(say("writing: X"), "");
  assert.match(
    say("there is no reading below writing: name another path"),
    /^writing の下に reading がありません/,
  );
  const hook = { ...reason("pre-commit", undefined, "ended with status 1: disk: full") };
  assert.equal(
    textOf(sentenceFor({ reason: "", cause: hook })),
    "the pre-commit hook ended with status 1: disk: full",
  );
});

// It takes some milliseconds; to try all parts would take hours.
test("a name with thousands of colons is soon passed over", { timeout: 60_000 }, () => {
  assert.equal(japaneseSentence(`${"a: ".repeat(1_000)}${"b; ".repeat(1_000)}`), undefined);
});

test("the locale decides, in the order of its variables, and English is the default", async () => {
  const cause = reason("ENOSPC", "caf\xe9");
  const say = async (environment: NodeJS.ProcessEnv) => {
    await chooseLanguage(environment);
    return sentenceFor({ reason: "", cause });
  };
  const english = "caf\xe9: no space left on the device (free some space on that host, and push again)";
  const japanese =
    "caf\xe9: " +
    bytesOfText("デバイスに空き容量がありません（そのホストの空き容量を増やし、もう一度送ってください）");
  for (const LANG of ["ja", "ja_JP", "ja_JP.UTF-8", "ja_JP.utf8", "ja_JP@x"])
    assert.equal(await say({ LANG }), japanese, LANG);
  for (const LANG of [undefined, "", "C", "C.UTF-8", "en_US.UTF-8", "jam_JM", "ja_JP.eucJP", "ja_JP.SJIS"]) {
    assert.equal(await say({ LANG }), english, LANG);
    assert.equal(inLanguage("the push failed"), "the push failed");
  }
  assert.equal(await say({ LC_ALL: "C", LANG: "ja_JP.UTF-8" }), english);
  assert.equal(await say({ LC_MESSAGES: "ja_JP.UTF-8", LANG: "C" }), japanese);
  assert.equal(textOf(inLanguage("the push failed")), "配布に失敗しました");
  const during = { ...reason("delete-limit", "", 5, 10, 3), when: "during" as const, more: 2 };
  assert.equal(
    textOf(sentenceFor({ reason: "", cause: during })),
    "次のものを除いて、すべて新しくなりました: ベースディレクトリ: 10 個のうち 5 個が削除されます。上限は 3 個です（delete-limit）。" +
      "それでよければ --force-delete を付けてください（ほか 2 件）",
  );
  const hook = reason("pre-commit", undefined, "ended with status 1: disk: full");
  assert.equal(
    textOf(sentenceFor({ reason: "", cause: hook })),
    "pre-commit フックがステータス 1 で終了しました: disk: full",
  );
  await chooseLanguage({});
});

/** What the first hour can bring, as it was said. */
const STUMBLES = [
  "there is no member to send to: 5 packets under another key from 10.0.0.5: is its key file that of this fleet? " +
    "If not, copy the key file of this host to it, and run 'systemctl restart makuosan' there; " +
    "host3 (10.0.0.3) is heard but does not answer: is UDP 5001 let in there? If not, run 'ufw allow 5001/udp'",
  "no base directory is set: give -b DIR, or write 'base = DIR' into /etc/makuosan.conf or a file in /etc/makuosan.conf.d, " +
    "as 'makuosan --set base=DIR' does",
  "/etc/makuosan.conf:2: base: the base directory /srv/x is missing: create it, such as with 'install -d /srv/x', or name " +
    "another with -b",
  "no makuosan answers on /run/makuosan/makuosan.sock: start it with 'systemctl start makuosan', or name its socket with " +
    "-c unix:PATH",
  "permission denied: join the group makuosan, or be root, to use the control socket /run/makuosan/makuosan.sock: " +
    "run 'usermod -aG makuosan alice' as root, and log in again",
  "2 members are called localhost (10.0.0.1 and 10.0.0.2): name one by its address, or give each its own name with " +
    "'makuosan --set name=NAME' and 'systemctl restart makuosan' there",
  "there is no member to send to: no other host is heard on eth1 (192.0.2.2); this host also has eth0 (10.0.0.2): " +
    "to use another one, run 'makuosan --set interface=eth0' and 'systemctl restart makuosan'",
  "there is no member to send to: this host has no route to 10.0.0.0/24: run 'ip route add 10.0.0.0/24 dev eth0', " +
    "and make it last in the settings of the network",
  "no network interface has an IPv4 address: bring one up, such as with 'ip address add ADDRESS/24 dev eth0' and " +
    "'ip link set eth0 up', or choose one with -i",
  "port 5000 of 10.0.0.1 is in use by another program: stop it, or choose another port with -p",
  "index.html: there is no such file or directory; paths are relative to the base directory /srv/x: write 'htdocs/index.html'",
];

test("the sentences of the first hour are Japanese to their end", () => {
  for (const english of STUMBLES) {
    const japanese = inJapanese(english);
    assert.ok(isJapanese(japanese), english);
    assert.doesNotMatch(japanese.replace(/'[^']*'/g, ""), /[a-z]+ [a-z]+ [a-z]+/, japanese);
    for (const [command] of english.matchAll(/'[^']+'/g)) assert.ok(japanese.includes(command), japanese);
  }
});
