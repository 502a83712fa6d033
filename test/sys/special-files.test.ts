import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import {
  deviceNumber,
  isDeviceNumber,
  makeSpecialFile,
  packDevice,
  unpackCDevice,
} from "../../src/sys/special-files.ts";
import { statDescriptor, statEntry } from "../../src/sys/stat.ts";
import { asNobody, codeOf, isRoot, opened, temporaryDirectory, withoutFfi } from "./support.ts";

/** FIFOs and device nodes, and their stats. */

const NONE = { major: 0, minor: 0 };
const NULL_DEVICE = { major: 1, minor: 3 };
const NOT_UTF8 = "caf\xe9 \xff\x01";

const PROBE = path.join("/dev/shm", `makuosan-device-${process.pid}`);
const deviceOptions = canMakeDevices() ? {} : { skip: "this process may not make device nodes" };
const rootOptions = isRoot ? {} : { skip: "only root can act as another user" };

/** Uses a program of the system, so that a fault of the tested code does not skip its own tests. */
function canMakeDevices(): boolean {
  try {
    execFileSync("mknod", [PROBE, "c", "1", "3"], { stdio: "ignore" });
    fs.unlinkSync(PROBE);
    return true;
  } catch {
    return false;
  }
}

test("a FIFO has the type, the mode and the name that were asked for", (context) => {
  const where = temporaryDirectory(context);
  const directory = opened(context, where);
  makeSpecialFile(directory, NOT_UTF8, "fifo", 0o600, NONE);
  assert.deepEqual(fs.readdirSync(where, "latin1"), [NOT_UTF8]);
  const stats = statEntry(directory, NOT_UTF8);
  assert.equal(stats?.isFIFO(), true);
  assert.equal(stats.mode & 0o7777, 0o600);
  assert.equal(stats.deviceId, 0);
  for (const is of ["isFile", "isDirectory", "isCharacterDevice", "isBlockDevice", "isSocket"] as const)
    assert.equal(stats[is](), false, is);
});

test("the number of a device means nothing for a FIFO", (context) => {
  const directory = opened(context, temporaryDirectory(context));
  makeSpecialFile(directory, "fifo", "fifo", 0o600, { major: -1, minor: NaN });
  const stats = statEntry(directory, "fifo");
  assert.equal(stats?.isFIFO(), true);
  assert.equal(stats.deviceId, 0);
});

test("what a FIFO is given on one side comes out on the other", (context) => {
  const where = temporaryDirectory(context);
  makeSpecialFile(opened(context, where), "fifo", "fifo", 0o600, NONE);
  const both = opened(context, path.join(where, "fifo"), fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  fs.writeSync(both, "through");
  const read = Buffer.alloc(10);
  assert.equal(read.toString("latin1", 0, fs.readSync(both, read)), "through");
});

test("device nodes stand for the device that was asked for", deviceOptions, (context) => {
  const where = temporaryDirectory(context);
  const directory = opened(context, where);
  const devices = [NULL_DEVICE, { major: 259, minor: 0xf_ffff }, { major: 0xfff, minor: 0x100 }];
  for (const [index, device] of devices.entries()) {
    makeSpecialFile(directory, `c${index}`, "characterDevice", 0o600, device);
    makeSpecialFile(directory, `b${index}`, "blockDevice", 0o640, device);
    const character = statEntry(directory, `c${index}`);
    const block = statEntry(directory, `b${index}`);
    assert.equal(character?.isCharacterDevice(), true);
    assert.equal(character.isBlockDevice(), false);
    assert.equal(block?.isBlockDevice(), true);
    assert.equal(block.isCharacterDevice(), false);
    assert.deepEqual(deviceNumber(character.deviceId), device);
    assert.deepEqual(deviceNumber(block.deviceId), device);
    // The answer of another program, in hexadecimal digits.
    const said = execFileSync("stat", ["-c", "%t:%T:%a", path.join(where, `b${index}`)], {
      encoding: "utf8",
    });
    assert.equal(said.trim(), `${device.major.toString(16)}:${device.minor.toString(16)}:640`);
  }
});

test("what is there already is not replaced", (context) => {
  const where = temporaryDirectory(context);
  const directory = opened(context, where);
  fs.writeFileSync(path.join(where, "file"), "content");
  fs.symlinkSync("nowhere", path.join(where, "link"));
  for (const name of ["file", "link", ".", ".."])
    assert.equal(
      codeOf(() => makeSpecialFile(directory, name, "fifo", 0o600, NONE)),
      "EEXIST",
      name,
    );
  assert.equal(fs.readFileSync(path.join(where, "file"), "utf8"), "content");
  assert.deepEqual(fs.readdirSync(where).sort(), ["file", "link"]);
});

test("names, modes and numbers that cannot be are refused, and nothing is made", (context) => {
  const where = temporaryDirectory(context);
  const directory = opened(context, where);
  const codeFor = (name: string, mode = 0o600, device = NULL_DEVICE) =>
    codeOf(() => makeSpecialFile(directory, name, "characterDevice", mode, device));
  for (const name of ["", "/", "a/b", "../a", "a\0b", "\u0100"]) assert.equal(codeFor(name), "EINVAL", name);
  for (const length of [256, 5000]) assert.equal(codeFor("n".repeat(length)), "ENAMETOOLONG");
  for (const mode of [-1, 0o10000, fs.constants.S_IFREG | 0o600, 0.5, NaN])
    assert.equal(codeFor("a", mode), "EINVAL", String(mode));
  const wrong: [number, number][] = [
    [0x1000, 0],
    [0, 0x10_0000],
    [-1, 0],
    [0, -1],
    [1.5, 0],
    [0, NaN],
  ];
  for (const [major, minor] of wrong) {
    assert.equal(isDeviceNumber({ major, minor }), false);
    assert.equal(codeFor("a", 0o600, { major, minor }), "EINVAL", `${major}:${minor}`);
  }
  assert.equal(
    codeOf(() => makeSpecialFile(-1, "a", "fifo", 0o600, NONE)),
    "EBADF",
  );
  assert.deepEqual(fs.readdirSync(where), []);
});

test("an ordinary user may make FIFOs, but no devices", rootOptions, (context) => {
  const where = temporaryDirectory(context);
  fs.chmodSync(where, 0o777);
  const directory = opened(context, where);
  // Root loads the library first, because the user nobody may lack the permission to read it.
  assert.equal(statDescriptor(directory).isDirectory(), true);
  const codes = asNobody(() =>
    (["fifo", "characterDevice", "blockDevice"] as const).map((kind) =>
      codeOf(() => makeSpecialFile(directory, kind, kind, 0o600, NULL_DEVICE)),
    ),
  );
  assert.deepEqual(codes, [undefined, "EPERM", "EPERM"]);
  assert.deepEqual(fs.readdirSync(where), ["fifo"]);
});

test("numbers of devices go together and apart", () => {
  for (const device of [NONE, NULL_DEVICE, { major: 8, minor: 255 }, { major: 0xfff, minor: 0xf_ffff }])
    assert.deepEqual(deviceNumber(packDevice(device.major, device.minor)), device);
  for (const name of ["/dev/null", "/dev/zero", "/dev/tty"]) {
    const { rdev } = fs.statSync(name, { bigint: true });
    const said = execFileSync("stat", ["-c", "%t:%T", name], { encoding: "utf8" }).trim();
    const { major, minor } = deviceNumber(unpackCDevice(rdev));
    assert.equal(`${major.toString(16)}:${minor.toString(16)}`, said);
  }
  // Minors above 8 bits are in two pieces around the major.
  assert.deepEqual(deviceNumber(unpackCDevice(0xabc1_23dfn)), { major: 0x123, minor: 0xabcdf });
});

test("stats know sockets, links and the room that a file has", async (context) => {
  const where = temporaryDirectory(context);
  const directory = opened(context, where);
  const server = net.createServer().listen(path.join(where, "socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  context.after(() => server.close());
  assert.equal(statEntry(directory, "socket")?.isSocket(), true);
  assert.equal(statEntry(directory, "socket")?.isFIFO(), false);
  const file = path.join(where, "file");
  fs.writeFileSync(file, Buffer.alloc(100_000, 1));
  fs.linkSync(file, path.join(where, "second"));
  const descriptor = opened(context, file, "r+");
  fs.fsyncSync(descriptor);
  fs.ftruncateSync(descriptor, 1_000_000_000);
  const expected = fs.fstatSync(descriptor, { bigint: true });
  for (const stats of [statDescriptor(descriptor), statEntry(directory, "second")]) {
    assert.equal(stats?.blocks, Number(expected.blocks));
    assert.equal(stats.size, 1_000_000_000);
    assert.equal(stats.links, 2);
    assert.equal(stats.inode, expected.ino);
  }
  assert.ok(expected.blocks >= 100_000n / 512n && expected.blocks < 10_000n, String(expected.blocks));
});

test("without the library nothing is made, and stats say the same", (context) => {
  const where = temporaryDirectory(context);
  const make = `codeOf(() => sys.makeSpecialFile(fs.openSync(given[0]), "a", "fifo", 0o600, { major: 0, minor: 0 }))`;
  assert.equal(withoutFfi("special-files.ts", make, where), "ENOSYS");
  assert.deepEqual(fs.readdirSync(where), []);
  makeSpecialFile(opened(context, where), "fifo", "fifo", 0o600, NONE);
  const look = (name: string) => {
    const asText = `((stats) => [stats.isFIFO(), stats.isCharacterDevice(), stats.deviceId, stats.blocks])`;
    const expression = `${asText}(sys.statEntry(fs.openSync(given[0]), given[1]))`;
    return withoutFfi("stat.ts", expression, path.dirname(name), path.basename(name));
  };
  assert.deepEqual(look(path.join(where, "fifo")), [true, false, 0, 0]);
  assert.deepEqual(look("/dev/null"), [false, true, packDevice(1, 3), 0]);
});
