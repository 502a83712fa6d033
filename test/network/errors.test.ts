import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { DIST, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { collect, firstOutput } from "../support/processes.ts";

/** Whatever is wrong at the start is one sentence and an exit status, and the shell sees both. */

const skip = await namespaceProblem();
const options = skip === undefined ? {} : { skip };

let fleet: NamespaceFleet;
let host: Host;

if (skip === undefined) {
  before(async () => {
    fleet = await NamespaceFleet.create({ hosts: 1 });
    host = fleet.hosts[0]!;
  });
  after(() => fleet.destroy());
}

async function fails(args: string[], sentence: RegExp): Promise<void> {
  for (const more of [[], ["-n"]]) {
    const { status, stdout, stderr } = await host.run(path.join(DIST, "makuosan"), [...more, ...args]);
    assert.notEqual(status, 0, `${args.join(" ")} must fail`);
    assert.match(stderr, sentence);
    assert.equal(stderr.split("\n").length, 2, "one sentence");
    assert.ok(more.length > 0 || stdout === "", "and nothing else");
  }
}

const config = (text: string) => {
  const file = path.join(fleet.directory, "makuosan.conf");
  fs.writeFileSync(file, text);
  return file;
};

test(
  "no base directory, a missing one, one that is a file, one that cannot be written",
  options,
  async () => {
    await fails([], /^error: no base directory is set: give -b DIR, or write 'base = DIR' into/);
    await fails(["-b", "/nowhere"], /^error: the base directory \/nowhere is missing: create it/);
    await fails(["-b", "/etc/passwd"], /^error: the base directory \/etc\/passwd is not a directory/);
    await fails(
      ["-b", "/var/www", "-u", "www-data"],
      /^error: the base directory \/var\/www cannot be written \(EACCES\)/,
    );
  },
);

test("unknown users, groups and levels", options, async () => {
  await fails(
    ["-b", "/var/www", "-u", "nobody-here"],
    /^error: the user nobody-here is unknown on this host/,
  );
  await fails(["-b", "/var/www", "-g", "no-group"], /^error: the group no-group is unknown on this host/);
  await fails(
    ["-b", "/var/www", "-G", "users,no-group"],
    /^error: the group no-group is unknown on this host/,
  );
  await fails(
    ["-b", "/var/www", "-d", "loud"],
    /^error: the log level 'loud' does not exist: give fatal, error/,
  );
});

test("interfaces and addresses that are not there", options, async () => {
  await fails(
    ["-b", "/var/www", "-i", "eth7"],
    /^error: there is no interface or local address eth7: this host has /,
  );
  await fails(["-b", "/var/www", "-m", "10.0.0.1"], /^error: 10\.0\.0\.1 is no multicast group/);
  await host.run("ip", ["link", "add", "bare0", "type", "bridge"]);
  await fails(
    ["-b", "/var/www", "-i", "bare0"],
    /^error: the interface bare0 is down or has no IPv4 address: bring it up, or choose another/,
  );
});

test("a port in use, and a second daemon", options, async (context) => {
  const holder = `require("node:dgram").createSocket("udp4").bind(5000, "10.77.0.1", () => console.log("bound"))`;
  const [program = "", ...args] = host.command(process.execPath, ["-e", holder]);
  const blocking = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = collect(blocking);
  try {
    await firstOutput(blocking);
    await fails(["-b", "/var/www"], /^error: port 5000 of 10\.77\.0\.1 is in use by another program/);
  } finally {
    blocking.kill();
    await ended;
  }
  context.after(() => host.stop());
  await host.start();
  await fails(
    ["-b", "/var/www", "-p", "5001"],
    /^error: another makuosan answers on \/run\/makuosan\/makuosan\.sock/,
  );
  await fails(
    ["-b", "/var/www", "-p", "5001", "-U", "/run/b.sock"],
    /^error: another makuosan works on \/var\/www/,
  );
});

test("a file where the control socket belongs is not removed", options, async () => {
  const file = path.join(fleet.directory, "precious");
  fs.writeFileSync(file, "precious");
  await fails(
    ["-b", "/var/www", "-U", file],
    /^error: .*precious is there and is no socket: remove it, or choose another/,
  );
  assert.equal(fs.readFileSync(file, "utf8"), "precious");
});

test("config files that are missing, or hold what is not known", options, async () => {
  await fails(["--config", "/nowhere.conf"], /^error: the config file \/nowhere\.conf is missing/);
  await fails(
    ["--config", config("base = /var/www\nbasse = /x\n")],
    /makuosan\.conf:2: unknown key 'basse': did you mean 'base'\? the keys are base, /,
  );
  await fails(
    ["--config", config("[base]\nx = 1\n")],
    /makuosan\.conf:1: 'base' is given as a section or a list/,
  );
  await fails(
    ["--config", config("base = /var/www\nport = many\n")],
    /makuosan\.conf:2: port is 'many': give a whole number/,
  );
  await fails(
    ["--config", config("base = /var/www\nreceive = perhaps\n")],
    /makuosan\.conf:2: receive is 'perhaps': give yes or no/,
  );
});

test("options that are unknown, incomplete, or of the old program", options, async () => {
  await fails(
    ["--nonsense"],
    /^error: unknown option '--nonsense': did you mean --no-send\? 'makuosan --help' lists the options/,
  );
  await fails(["-p"], /^error: option '-p, --port <number>' argument missing/);
  await fails(["-p", "70000"], /^error: -p, --port is '70000': give a whole number from 1 to 65535/);
  await fails(["-b", "/var/www", "-c"], /^error: -c, --chroot is no option any more: use the sandbox/);
  await fails(["-b", "/var/www", "-K", "file"], /^error: -K, --console-password is no option any more/);
  await fails(
    ["-b", "/var/www", "stray"],
    /^error: 'stray' is no option, and makuosan takes nothing else: 'makuosan --help' lists/,
  );
});

test("msync says what is wrong with its command line, and when nobody answers", options, async () => {
  const cases: [string[], number, RegExp][] = [
    [[], 1, /^error: nothing to send: name a path, or give -r for the whole base directory\n$/],
    [["--nonsense"], 1, /^error: unknown option '--nonsense': 'msync --help' lists the options\n$/],
    [["-r", "--members"], 2, /^error: no makuosan answers on /],
    [["--members", "--status"], 1, /^error: give only one of --members and --status\n$/],
    [
      ["-c", "host:5000", "-r"],
      1,
      /^error: the target 'host:5000' names no control socket: there is no console on the network/,
    ],
    [["-r"], 2, /^error: no makuosan answers on \/run\/makuosan\/makuosan\.sock: start it with/],
  ];
  for (const [args, expected, sentence] of cases) {
    const { status, stderr } = await host.run(path.join(DIST, "msync"), args);
    assert.match(stderr, sentence);
    assert.equal(status, expected);
  }
});

test("msync without a member to send to ends with status 4", options, async () => {
  await host.start();
  const { status, stderr } = await host.msync("-r");
  assert.equal(status, 4);
  assert.match(stderr, /^error: there is no member to send to/);
  assert.equal((await host.msync("--members")).stdout, "Total: 0 members\n");
  await host.stop();
});
