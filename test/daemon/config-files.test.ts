import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { setValues } from "../../src/daemon/settings/config-editor.ts";
import { parseConfig, readConfig } from "../../src/daemon/settings/config.ts";
import { parseArguments } from "../../src/daemon/settings/options.ts";
import { resolveSettings, type Settings } from "../../src/daemon/settings/settings.ts";
import { carryOut } from "../../src/daemon/tasks.ts";

function configFile(context: TestContext, text: string, dropIns: Record<string, string> = {}): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-config-"));
  context.after(() => fs.rmSync(directory, { recursive: true }));
  const file = path.join(directory, "makuosan.conf");
  fs.writeFileSync(file, text);
  fs.mkdirSync(`${file}.d`);
  for (const [name, content] of Object.entries(dropIns)) fs.writeFileSync(`${file}.d/${name}`, content);
  return file;
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return "none";
}

test("further files override the config file in the order of their names", (context) => {
  const file = configFile(context, "base = /a\nport = 1\nlabels = a, b\n", {
    "90-last.conf": "port = 3\n",
    "10-first.conf": "\nport = 2\nlabels = c\n",
    "20-editor.conf~": "port = 4\n",
    ".hidden.conf": "port = 5\n",
    "note.txt": "nothing",
  });
  const { values, places } = readConfig(file);
  assert.deepEqual(values, { base: "/a", port: 3, labels: ["c"] });
  assert.deepEqual(places, {
    base: `${file}:1`,
    port: `${file}.d/90-last.conf:1`,
    labels: `${file}.d/10-first.conf:3`,
  });
});

test("a file is not waited for, and is read no further than a config file goes", (context) => {
  const file = configFile(context, "base = /a\n");
  const other = path.join(`${file}.d`, "10-other.conf");
  execFileSync("mkfifo", [other]);
  assert.deepEqual(readConfig(file).values, { base: "/a" });
  const tooLarge = `the config file ${other} is larger than 1048576 bytes, as no config file is: name another with --config, or fix it`;
  for (const make of [
    () => fs.symlinkSync("/dev/zero", other),
    () => fs.writeFileSync(other, Buffer.alloc(1024 * 1024 + 1, "\n")),
    () => makeEndless(other),
  ]) {
    fs.rmSync(other);
    make();
    assert.equal(
      messageOf(() => readConfig(file)),
      tooLarge,
    );
  }
  fs.rmSync(other);
  fs.mkdirSync(other);
  assert.match(
    messageOf(() => readConfig(file)),
    /10-other\.conf cannot be read \(EISDIR\)/,
  );
});

/** A file of 1 TiB without a byte in it. */
function makeEndless(file: string): void {
  fs.writeFileSync(file, "");
  fs.truncateSync(file, 2 ** 40);
}

test("a link to nothing, another thing than a directory and a file that is no text are no empty config", (context) => {
  const file = configFile(context, "base = /a\n");
  const dropIn = path.join(`${file}.d`, "10-other.conf");
  const refuses = (sentence: RegExp) =>
    assert.match(
      messageOf(() => readConfig(file)),
      sentence,
    );
  fs.symlinkSync("nothing", dropIn);
  refuses(/^the config file \S+10-other\.conf is a link to nothing: /);
  fs.rmSync(dropIn);
  fs.writeFileSync(dropIn, Buffer.from("\uFEFFport = 1\n", "utf16le"));
  refuses(/^the config file \S+10-other\.conf has a NUL byte in it: save it as text in UTF-8$/);
  fs.rmSync(`${file}.d`, { recursive: true });
  assert.deepEqual(readConfig(file).values, { base: "/a" });
  fs.writeFileSync(`${file}.d`, "port = 1\n");
  refuses(/^the config directory \S+\.conf\.d cannot be read \(ENOTDIR\)/);
  fs.rmSync(`${file}.d`);
  fs.symlinkSync("nothing", `${file}.d`);
  refuses(/^the config directory \S+\.conf\.d cannot be read \(ENOENT\): make it a directory, or remove it$/);
  assert.match(
    messageOf(() => setValues(file, ["port=1"])),
    /50-set\.conf cannot be written \(\w+\): see 'ls -ld \S+\.conf\.d' and 'findmnt -T \S+'$/,
  );
});

test("a value that would end elsewhere than it was meant to is an error", () => {
  const part = 'put all of it in one pair of quotes, such as "A, B"';
  for (const text of [`"*.tmp", "*.bak"`, `'*.tmp','*.bak'`, `"a" b`, `"a" "b" ; c`])
    assert.equal(
      messageOf(() => parseConfig(`exclude = ${text}\n`, "conf")),
      `conf:1: the value does not end with the quote that closes it: ${part}`,
    );
  for (const [text, mark] of [
    ["exclude = *~,#*#", "#"],
    ["labels = web;db", ";"],
    ["base = /srv/c#/x", "#"],
  ] as const)
    assert.equal(
      messageOf(() => parseConfig(`${text}\n`, "conf")),
      `conf:1: the value has a '${mark}' in it: put it in quotes, or a space before a comment`,
    );
  assert.deepEqual(parseConfig("port = 5000; the usual one\n", "conf"), { port: 5000 });
  assert.deepEqual(parseConfig("exclude = a\\;b,c\\#d\n", "conf"), { exclude: ["a;b", "c#d"] });
  assert.deepEqual(parseConfig('exclude = "a \\" ; b, c" ; d\n', "conf"), {
    exclude: ['a " ; b', "c"],
  });
});

test("a flag that is written as its option with no- does not get the advice for the opposite", () => {
  for (const key of ["no-receive", "no_receive"])
    assert.match(
      messageOf(() => parseConfig(`${key} = true\n`, "conf")),
      /^conf:1: unknown key 'no.receive': write 'receive = no' for what --no-receive does$/,
    );
  assert.match(
    messageOf(() => parseConfig("[makuosan]\nbase = /x\n", "conf")),
    /^conf:1: unknown section \[makuosan\]: there are no sections, remove this line$/,
  );
});

test("a comment can stand after a value, in quotes or not", () => {
  assert.deepEqual(parseConfig('base = "/srv/x" ; comment\n', "conf"), { base: "/srv/x" });
  assert.deepEqual(parseConfig("base = '/srv/x'  # comment\n", "conf"), { base: "/srv/x" });
  assert.deepEqual(parseConfig("base = /srv/x ; comment\n", "conf"), { base: "/srv/x" });
  assert.deepEqual(parseConfig('exclude = "a;b" ; comment "c"\n', "conf"), { exclude: ["a;b"] });
  assert.deepEqual(parseConfig('exclude = "#x#"\n', "conf"), { exclude: ["#x#"] });
});

test("an error names the file and the line", (context) => {
  const file = configFile(context, "# comment\nport = 5000\n", {
    "50.conf": "\n\nbase = /srv/none/such/tree\n",
  });
  assert.match(
    messageOf(() => parseConfig("\nbse = 1\n", "conf")),
    /^conf:2: unknown key 'bse': did you mean 'base'\?/,
  );
  assert.match(
    messageOf(() => parseConfig("port = 1\nport = x\n", "conf")),
    /^conf:2: port is 'x': give/,
  );
  assert.match(
    messageOf(() => parseConfig("\n[base]\nx = 1\n", "conf")),
    /^conf:2: 'base' is given as a section/,
  );
  const config = readConfig(file);
  assert.equal(
    messageOf(() => resolveSettings({}, config)),
    `${file}.d/50.conf:3: base: the base directory /srv/none/such/tree is missing: create it, such as with 'install -d -o USER /srv/none/such/tree', or name another with -b`,
  );
  // A value of the command line has no line.
  assert.match(
    messageOf(() => resolveSettings({ base: "/srv/none" }, config)),
    /^the base directory \/srv\/none /,
  );
});

test("a line that would be skipped, or read in another way, is an error", () => {
  for (const [text, sentence] of [
    ["base /srv/x\n", "conf:1: 'base /srv/x' has no '=': write 'base = /srv/x'"],
    ["\nbase: /srv/x\n", "conf:2: 'base: /srv/x' has no '=': write 'base = /srv/x'"],
    ["base\n", "conf:1: 'base' has no '=': write 'base = VALUE'"],
    ["= x\n", "conf:1: there is no key: write 'KEY = VALUE'"],
    ['base = "/srv/x\n', 'conf:1: the quote " is not closed: close it in the same line'],
  ] as const)
    assert.equal(
      messageOf(() => parseConfig(text, "conf")),
      sentence,
    );
  assert.match(
    messageOf(() => parseConfig("base_dir = /x\n", "conf")),
    /^conf:1: unknown key 'base_dir': did you mean 'base'\?/,
  );
  assert.deepEqual(parseConfig("\uFEFFreceive\n", "conf"), { receive: true });
});

test("a key stands once in an error, and the groups have their own option", (context) => {
  const config = readConfig(configFile(context, "base = /\ncheck-every = 5\n"));
  assert.match(
    messageOf(() => resolveSettings({}, config)),
    /conf:2: check-every is '5': give no, or a time/,
  );
  assert.match(
    messageOf(() => resolveSettings({ groups: ["no-such-group"] }, { values: { base: "/" }, places: {} })),
    /^the group no-such-group is unknown on this host: create it, or name another with -G$/,
  );
});

test("an error of the start names the place of the value, if the value is from there", (context) => {
  const config = readConfig(configFile(context, "base = /\nkey = /nowhere/key\n"));
  const settings = resolveSettings({}, config);
  const messageWith = (given: Settings) =>
    messageOf(() => carryOut({ kind: "check-config" }, { configFile: undefined }, () => given));
  assert.match(messageWith(settings), /conf:2: key: the key file \/nowhere\/key is missing: make one with/);
  const given = resolveSettings({ key: "/elsewhere/key" }, config);
  assert.match(messageWith(given), /^the key file \/elsewhere\/key is missing/);
});

test("a path is set as it is meant in the current directory", (context) => {
  const file = configFile(context, "base = /a\n");
  setValues(file, ["base=b", "name=web1"]);
  assert.deepEqual(readConfig(file).values, { base: path.resolve("b"), name: "web1" });
});

test("values are set in a file beside the config file, and the others stay", (context) => {
  const file = configFile(context, "base = /a\n", { "90.conf": "port = 9\n" });
  const own = `${file}.d/50-set.conf`;
  assert.deepEqual(setValues(file, ["base=/b=c", "exclude=*.log, #x#"]), [
    `base = /b=c is in ${own}`,
    `exclude = *.log, #x# is in ${own}`,
  ]);
  assert.deepEqual(setValues(file, ["port = 7"]), [
    `port = 7 is in ${own}, but ${file}.d/90.conf:1 overrides it: change it there`,
  ]);
  assert.deepEqual(readConfig(file).values, { base: "/b=c", exclude: ["*.log", "#x#"], port: 9 });
  assert.deepEqual(setValues(file, ["base=", "exclude="]), [
    `base is as ${file}:1 has it`,
    "exclude has its default",
  ]);
  assert.deepEqual(readConfig(file).values, { base: "/a", port: 9 });
  const umask = process.umask(0o077);
  context.after(() => process.umask(umask));
  setValues(file, ["port = 8"]);
  assert.equal(fs.statSync(own).mode & 0o777, 0o644);
});

test("a key that the format of the file leaves out is unknown, too", (context) => {
  const file = configFile(context, "base = /a\n");
  const message = messageOf(() => setValues(file, ["__proto__=x"]));
  assert.match(message, /^--set: unknown key '__proto__'/);
  assert.ok(!fs.existsSync(`${file}.d/50-set.conf`));
});

test("a value that is wrong is not written", (context) => {
  const file = configFile(context, "base = /a\n");
  for (const [assignment, sentence] of [
    ["bse=1", /^--set: unknown key 'bse': did you mean 'base'\?/],
    ["port=70000", /^--set: port is '70000'/],
    ["multicast=10.0.0.1", /^10\.0\.0\.1 is no multicast group/],
    ["port", /^--set is 'port': give KEY=VALUE$/],
    ["loglevel=loud", /^the log level 'loud' does not exist/],
  ] as const) {
    assert.match(
      messageOf(() => setValues(file, [assignment])),
      sentence,
    );
  }
  assert.deepEqual(fs.readdirSync(`${file}.d`), []);
});

test("a value that is not in UTF-8, and a path that a shell would have completed, are refused", (context) => {
  const file = configFile(context, "");
  fs.writeFileSync(file, Buffer.from("# caf\xe9\nname = caf\xe9\n", "latin1"));
  const sentence = "bytes in it that are not UTF-8: write it in UTF-8";
  assert.equal(
    messageOf(() => readConfig(file)),
    `${file}:2: name has ${sentence}`,
  );
  assert.equal(
    messageOf(() => parseArguments(["-b", "/caf\uFFFD"])),
    `-b, --base has ${sentence}`,
  );
  assert.equal(
    messageOf(() => parseConfig("labels = a,\uFFFD\n", "conf")),
    `conf:1: labels has ${sentence}`,
  );
  for (const given of ["~", "~/www", "$HOME/www", "\${HOME}/www"])
    assert.match(
      messageOf(() => parseConfig(`base = ${given}\n`, "conf")),
      /^conf:1: base is '.*': .* give the whole path$/,
    );
  for (const given of ["/srv/~", "/srv/$x", "~www"])
    assert.deepEqual(parseConfig(`base = ${given}\n`, "conf"), { base: given });
});

test("the sentence about a number tells that 0 is possible", () => {
  const message = messageOf(() => parseConfig("receive-buffer = 100\n", "conf"));
  assert.equal(
    message,
    "conf:1: receive-buffer is '100': give 0, or a whole number from 16384 to 1073741824",
  );
  assert.deepEqual(parseConfig("rate = 00\n", "conf"), { rate: 0 });
});

test("what a task has no use for is refused, and so is a value that only the last of would count", (context) => {
  const refuses = (argv: readonly string[], sentence: string) =>
    assert.equal(
      messageOf(() => parseArguments(argv)),
      sentence,
    );
  const mend = "leave one of them out";
  refuses(["--set", "port=1", "-p", "2"], `-p, --port does not go together with --set: ${mend}`);
  refuses(["-n", "--set", "port=1"], `--foreground does not go together with --set: ${mend}`);
  refuses(
    ["--import-sysconfig", "f", "-b", "/x"],
    `-b, --base does not go together with --import-sysconfig: ${mend}`,
  );
  refuses(
    ["--import-sysconfig", "f", "--import-sysconfig", "g"],
    "--import-sysconfig is given twice: run makuosan once for each",
  );
  const file = configFile(context, "base = /\n");
  assert.equal(
    messageOf(() => setValues(file, ["port=1", "port=2"])),
    "--set gives port twice: leave one of the values out",
  );
});

test("a value of --set can have the quotes that it would have in the file", (context) => {
  const file = configFile(context, "base = /\n");
  setValues(file, ['exclude="*.tmp, #*#"', "base='/srv/a b'"]);
  assert.deepEqual(readConfig(file).values, { exclude: ["*.tmp", "#*#"], base: "/srv/a b" });
  assert.match(
    messageOf(() => setValues(file, ['exclude="*.tmp", "#*#"'])),
    /^--set: the value does not end with the quote that closes it/,
  );
});

test("numbers of versions before 2 mean what they meant", () => {
  const { logLevel, ...settings } = resolveSettings(
    { base: "/", loglevel: "1", parallel: 10, rate: 0, "receive-buffer": 0, "send-buffer": 0 },
    { values: {}, places: {} },
  );
  const { parallel, rateMbps, receiveBufferBytes, sendBufferBytes } = settings;
  assert.deepEqual(
    { logLevel, parallel, rateMbps, receiveBufferBytes, sendBufferBytes },
    {
      logLevel: "debug",
      parallel: 8,
      rateMbps: Infinity,
      receiveBufferBytes: 8 * 1024 * 1024,
      sendBufferBytes: 1024 * 1024,
    },
  );
});

test("of two tasks none is left out without a word", () => {
  assert.deepEqual(parseArguments(["--check-config"]).task, { kind: "check-config" });
  assert.equal(
    messageOf(() => parseArguments(["--check-config", "--set", "port=1"])),
    "give only one of --check-config and --set",
  );
});
