import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../src/daemon/settings/config.ts";
import { importSysconfig } from "../../src/daemon/settings/sysconfig.ts";

/** The start files of versions before 2 as config files. */

test("the start file of a version before 2 becomes a config file", () => {
  const text = `# Makuosan
export MAKUOSAN_USER=makuo   # the owner
MAKUOSAN_BASE="/var/www html"
PORT='5001'
MCAST_ADDRESS=
IP_ADDRESS=10.0.0.1
LOGLEVEL=1
OPTIONS="-k /etc/makuo.key -rO -f10 -R 0 -cx"
[ -n "$X" ] && Y=1
`;
  const config = importSysconfig(text);
  assert.deepEqual(parseConfig(config, "conf"), {
    user: "makuo",
    base: "/var/www html",
    port: 5001,
    loglevel: "1",
    receive: false,
    "owner-match": true,
    parallel: 10,
    "receive-buffer": 0,
  });
  assert.deepEqual(
    config.split("\n").flatMap((line) => /^; (.*?) (?:was left|is unknown)/.exec(line)?.[1] ?? []),
    ["IP_ADDRESS", "-k /etc/makuo.key", "-c", "-x", '[ -n "$X" ] && Y=1'],
  );
});

const START_FILES: readonly [text: string, settings: object, leftOut: readonly string[]][] = [
  // Nothing that a shell would compute is taken as it stands.
  ["BASE_DIR=$HOME/x\nPORT=1", { port: 1 }, ["BASE_DIR=$HOME/x"]],
  ['BASE_DIR="/srv/`hostname`"', {}, ['BASE_DIR="/srv/`hostname`"']],
  ["BASE_DIR=~/x", {}, ["BASE_DIR=~/x"]],
  ["BASE_DIR='/srv/$x'", { base: "/srv/$x" }, []],
  ["PORT=1 && X=2", {}, ["PORT=1 && X=2"]],
  ["if [ -f /x ]; then PORT=1; fi", {}, ["if [ -f /x ]; then PORT=1; fi"]],
  // Semicolons separate commands, but for those in quotes.
  ["BASE_DIR=/srv; PORT=2;", { base: "/srv", port: 2 }, []],
  ['BASE_DIR="/srv;x" # a; b', { base: "/srv;x" }, []],
  ['PORT="3";export PORT', { port: 3 }, []],
  // Lines that go on, and the marks of other systems.
  ['OPTIONS="-r \\\n -s"', { receive: false, send: false }, []],
  ["\uFEFFBASE_DIR=/srv\r\nPORT=4\r\n", { base: "/srv", port: 4 }, []],
  // Options are collected.
  ['OPTIONS="-r"\nOPTIONS="$OPTIONS -s"\nOPTIONS+=" -p5"', { receive: false, send: false, port: 5 }, []],
  ['export OPTIONS="${OPTIONS} -s"', { send: false }, []],
  // Long options were none, and their letters are none.
  ['OPTIONS="--base /x --rate 10"', {}, ["--base", "/x", "--rate", "10"]],
  ['OPTIONS="-r -b"', { receive: false }, ["-b"]],
];

for (const [text, settings, leftOut] of START_FILES)
  test(`a start file is read as a shell reads it: ${JSON.stringify(text)}`, () => {
    const config = importSysconfig(text);
    assert.deepEqual(parseConfig(config, "conf"), settings);
    const remarks = config.split("\n").flatMap((line) => /^; (.*?) (?:was|is)\b/.exec(line)?.[1] ?? []);
    assert.deepEqual(remarks, leftOut);
  });

test("what a start file brings is what the daemon takes: other numbers become the nearest, or are left out", () => {
  for (const [text, settings, leftOut] of [
    ["OPTIONS='-f 0 -d 12'", { parallel: 1, loglevel: "9" }, []],
    ["OPTIONS='-f 5000'\nLOGLEVEL=-1", { parallel: 100, loglevel: "0" }, []],
    ["PORT=70000\nOPTIONS='-R 100 -T 0.5'", {}, ["PORT", "-R", "-T"]],
    ["MCAST_ADDRESS=10.0.0.1\nPORT=http", {}, ["MCAST_ADDRESS", "PORT"]],
    ["OPTIONS='-G a,,b -S 0'", { "send-buffer": 0 }, ["-G"]],
  ] as const) {
    const config = importSysconfig(text);
    assert.deepEqual(parseConfig(config, "conf"), settings, config);
    const remarks = config
      .split("\n")
      .flatMap((line) => /^; (\S+) was left out: (.+)$/.exec(line)?.[1] ?? []);
    assert.deepEqual(remarks, leftOut, config);
  }
});
