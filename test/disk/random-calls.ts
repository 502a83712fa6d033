import { below, type Random, randomBytes } from "../../src/base/random.ts";
import { type DirectoryHandle, type Disk, type FileHandle, ITSELF } from "../../src/tree/disk/disk.ts";
import { describeStats } from "./describe-tree.ts";
import type { Call, Player } from "./player.ts";

/** Random calls that any disk can make; few names and handles, so that calls meet. */

/** Few names, so that calls meet. Two are as long as a name can be, and one byte longer. */
const NAMES = ["a", "b", "c", "d", "\xff\xfe", "n".repeat(255), "n".repeat(256)] as const;
/** Most calls use one of the first names. */
const COMMON_NAMES = 4;
const ATTRIBUTES = ["user.a", "user.b", "trusted.a", "security.a", "other.a", "user.", "user"] as const;
/** Common modes, modes that deny the owner something, and modes with each special bit. */
const MODES = [0o644, 0o755, 0o700, 0o500, 0o300, 0o000, 0o1777, 0o2755, 0o4755, 0o2770, 0o7777] as const;

/** Draws the next call. */
export function drawCall(random: Random, users: readonly number[]): Call {
  const dice = new Dice(random, users);
  return dice.one(DRAWS)(dice);
}

/** Draws the parts of a call. */
class Dice {
  readonly random: Random;
  private readonly users: readonly number[];

  constructor(random: Random, users: readonly number[]) {
    this.random = random;
    this.users = users;
  }

  one<T>(choices: readonly T[]): T {
    return choices[below(this.random, choices.length)] as T;
  }

  get name(): string {
    const count = below(this.random, 8) === 0 ? NAMES.length : COMMON_NAMES;
    return NAMES[below(this.random, count)] ?? "a";
  }

  get place(): number {
    return below(this.random, 60);
  }

  get owner(): number {
    return this.one([...this.users, -1]);
  }

  get offset(): number {
    return this.one([0, 0, below(this.random, 5000), 4096 * below(this.random, 8), 60_000]);
  }
}

function call(words: string, run: (player: Player) => string | void): Call {
  return { words, run: (player) => run(player) ?? "done" };
}

type Draw = (dice: Dice) => Call;

/** A call on an entry of a directory. */
function onEntry(
  kind: string,
  draw: (dice: Dice) => [string, (disk: Disk, directory: DirectoryHandle, name: string) => string | void],
  mayBeItself = false,
): Draw {
  return (dice) => {
    const place = dice.place;
    const name = mayBeItself && below(dice.random, 4) === 0 ? ITSELF : dice.name;
    const [words, run] = draw(dice);
    const where = `${kind} ${place} ${shown(name)} ${words}`;
    return call(where, (player) => run(player.disk, player.directory(place), name));
  };
}

function onFile(
  kind: string,
  draw: (dice: Dice) => [string, (disk: Disk, file: FileHandle) => string | void],
): Draw {
  return (dice) => {
    const place = dice.place;
    const [words, run] = draw(dice);
    return call(`${kind} #${place} ${words}`, (player) =>
      player.withFile(place, (file) => run(player.disk, file) ?? "done"),
    );
  };
}

/** A call on two entries, each in its directory. */
function onTwo(
  kind: string,
  run: (disk: Disk, from: DirectoryHandle, name: string, to: DirectoryHandle, newName: string) => unknown,
): Draw {
  return (dice) => {
    const [from, name, to, newName] = [dice.place, dice.name, dice.place, dice.name];
    return call(`${kind} ${from} ${shown(name)} ${to} ${shown(newName)}`, (player) =>
      String(run(player.disk, player.directory(from), name, player.directory(to), newName)),
    );
  };
}

const makingEntries: Draw[] = [
  onEntry("makeDirectory", (dice) => {
    const mode = dice.one(MODES);
    return [mode.toString(8), (disk, directory, name) => disk.makeDirectory(directory, name, mode)];
  }),
  onEntry("makeSymlink", (dice) => {
    const target = dice.one(["a", "../b", "", "t".repeat(4095), "t".repeat(4096)]);
    return [`${target.length}`, (disk, directory, name) => disk.makeSymlink(directory, name, target)];
  }),
  onEntry("makeSpecial", (dice) => {
    const kind = dice.one(["fifo", "characterDevice", "blockDevice"] as const);
    const [mode, device] = [
      dice.one(MODES),
      { major: dice.one([0, 7, 4095]), minor: dice.one([0, 1_048_575]) },
    ];
    return [
      `${kind} ${mode.toString(8)}`,
      (disk, directory, name) => disk.makeSpecial(directory, name, kind, mode, device),
    ];
  }),
  makeFile,
  makeFile,
];

const changingNames: Draw[] = [
  onTwo("link", (disk, ...names) => disk.link(...names)),
  onTwo("rename", (disk, ...names) => disk.rename(...names)),
  onTwo("rename", (disk, ...names) => disk.rename(...names)),
  onTwo("exchange", (disk, ...names) => disk.exchange(...names)),
  onEntry("unlink", () => ["", (disk, directory, name) => disk.unlink(directory, name)]),
  onEntry("removeDirectory", () => ["", (disk, directory, name) => disk.removeDirectory(directory, name)]),
];

const changingAttributes: Draw[] = [
  onEntry(
    "setOwner",
    (dice) => {
      const [user, group] = [dice.owner, dice.owner];
      return [`${user}:${group}`, (disk, directory, name) => disk.setOwner(directory, name, user, group)];
    },
    true,
  ),
  onEntry("setMode", setMode, true),
  onEntry("setMode", setMode, true),
  onEntry(
    "setTime",
    (dice) => {
      const timeNs = BigInt(below(dice.random, 1_000_000)) * 1_000_000_007n;
      return [`${timeNs}`, (disk, directory, name) => disk.setTime(directory, name, timeNs)];
    },
    true,
  ),
  onEntry(
    "setAttribute",
    (dice) => {
      const attribute = dice.one(ATTRIBUTES);
      const value = randomBytes(dice.random, below(dice.random, 20));
      return [attribute, (disk, directory, name) => disk.setAttribute(directory, name, attribute, value)];
    },
    true,
  ),
  onEntry(
    "removeAttribute",
    (dice) => {
      const attribute = dice.one(ATTRIBUTES);
      return [attribute, (disk, directory, name) => disk.removeAttribute(directory, name, attribute)];
    },
    true,
  ),
];

const looking: Draw[] = [
  onEntry(
    "stat",
    () => [
      "",
      (disk, directory, name) => {
        const stats = disk.stat(directory, name);
        return stats === undefined ? "none" : describeStats(stats);
      },
    ],
    true,
  ),
  onEntry("list", () => ["", (disk, directory) => disk.list(directory).sort().map(shown).join(" ")]),
  onEntry("listed with marks", () => [
    "",
    (disk, directory) => disk.list(directory, true).sort().map(shown).join(" "),
  ]),
  onEntry("listSlowly", () => [
    "",
    (disk, directory) => [...disk.listSlowly(directory)].sort().map(shown).join(" "),
  ]),
  onEntry("readLink", () => ["", (disk, directory, name) => disk.readLink(directory, name)]),
  onEntry("statDirectory", () => ["", (disk, directory) => describeStats(disk.statDirectory(directory))]),
  onEntry("checkWritable", () => ["", (disk, directory) => disk.checkWritable(directory)]),
  onEntry("projectOf", () => ["", (disk, directory) => String(disk.projectOf(directory))]),
  onEntry("readAttribute", (dice) => {
    const attribute = dice.one(ATTRIBUTES);
    return [
      attribute,
      (disk, directory, name) => String(disk.readAttribute(directory, name, attribute)?.join(" ")),
    ];
  }),
  onEntry("listAttributes", () => [
    "",
    (disk, directory, name) => disk.listAttributes(directory, name).sort().join(" "),
  ]),
];

const opening: Draw[] = [openDirectory, openDirectory, openFile, openFile];

const usingFiles: Draw[] = [
  onFile("write", write),
  onFile("write", write),
  onFile("read", (dice) => {
    const [bytes, offset] = [new Uint8Array(below(dice.random, 9000)), dice.offset];
    return [
      `${bytes.length} at ${offset}`,
      (disk, file) => {
        bytes.fill(0);
        return `${disk.read(file, bytes, offset)}: ${bytes.join("")}`;
      },
    ];
  }),
  onFile("truncate", (dice) => {
    const sizeBytes = dice.offset;
    return [`${sizeBytes}`, (disk, file) => disk.truncate(file, sizeBytes)];
  }),
  onFile("nextData", (dice) => {
    const offset = dice.offset;
    return [`${offset}`, (disk, file) => ifPlain(disk, file, () => disk.nextData(file, offset))];
  }),
  onFile("nextHole", (dice) => {
    const offset = dice.offset;
    return [`${offset}`, (disk, file) => ifPlain(disk, file, () => disk.nextHole(file, offset))];
  }),
  onFile("statFile", () => ["", (disk, file) => describeStats(disk.statFile(file))]),
  onFile("listFileAttributes", () => ["", (disk, file) => disk.listFileAttributes(file).sort().join(" ")]),
  onFile("readFileAttribute", (dice) => {
    const attribute = dice.one(ATTRIBUTES);
    return [attribute, (disk, file) => String(disk.readFileAttribute(file, attribute)?.join(" "))];
  }),
  onFile("setFileOwner", (dice) => {
    const [user, group] = [dice.owner, dice.owner];
    return [`${user}:${group}`, (disk, file) => disk.setFileOwner(file, user, group)];
  }),
  onFile("setFileMode", (dice) => {
    const mode = dice.one(MODES);
    return [mode.toString(8), (disk, file) => disk.setFileMode(file, mode)];
  }),
  onFile("setFileTime", (dice) => {
    const timeNs = BigInt(below(dice.random, 1_000_000)) * -1_000_000_007n;
    return [`${timeNs}`, (disk, file) => disk.setFileTime(file, timeNs)];
  }),
];

/** Few of these: they take long on a real disk. */
const syncing: Draw[] = [
  (dice) =>
    dice.one([
      onFile("syncContents", () => ["", (disk, file) => disk.syncContents(file)]),
      onFile("syncFile", () => ["", (disk, file) => disk.syncFile(file)]),
      onEntry("syncDirectory", () => ["", (disk, directory) => disk.syncDirectory(directory)]),
    ])(dice),
];

const DRAWS = [
  ...makingEntries,
  ...changingNames,
  ...changingAttributes,
  ...looking,
  ...opening,
  ...usingFiles,
  ...syncing,
];

function makeFile(dice: Dice): Call {
  const [place, name, mode] = [dice.place, dice.name, dice.one(MODES)];
  return call(`makeFile ${place} ${shown(name)} ${mode.toString(8)}`, (player) =>
    player.keepFile(player.disk.makeFile(player.directory(place), name, mode), place),
  );
}

function openDirectory(dice: Dice): Call {
  const [place, name] = [dice.place, dice.name];
  return call(`openDirectory ${place} ${shown(name)}`, (player) =>
    player.keepDirectory(player.disk.openDirectory(player.directory(place), name), place),
  );
}

function openFile(dice: Dice): Call {
  const [place, name, access] = [dice.place, dice.name, dice.one(["read", "write"] as const)];
  return call(`openFile ${place} ${shown(name)} ${access}`, (player) => {
    const { disk } = player;
    const directory = player.directory(place);
    const stats = disk.stat(directory, name);
    // A device may be anything on the host of the test, and opening a FIFO waits for a reader.
    if (stats?.isCharacterDevice() === true || stats?.isBlockDevice() === true) return "a device";
    if (stats?.isFIFO() === true && access === "write") return "a FIFO";
    player.keepFile(disk.openFile(directory, name, access), place);
  });
}

/** Never on a link: the call would change its target. */
function setMode(
  dice: Dice,
): [string, (disk: Disk, directory: DirectoryHandle, name: string) => string | void] {
  const mode = dice.one(MODES);
  return [
    mode.toString(8),
    (disk, directory, name) => {
      if (name !== ITSELF && disk.stat(directory, name)?.isSymbolicLink() === true) return "a link";
      disk.setMode(directory, name, mode);
    },
  ];
}

function write(dice: Dice): [string, (disk: Disk, file: FileHandle) => string] {
  const [bytes, offset] = [randomBytes(dice.random, below(dice.random, 9000)), dice.offset];
  return [`${bytes.length} at ${offset}`, (disk, file) => String(disk.write(file, bytes, offset))];
}

/** Only files have holes. */
function ifPlain(disk: Disk, file: FileHandle, ask: () => number | undefined): string {
  return disk.statFile(file).isFile() ? String(ask()) : "no file";
}

/** A name as it can be printed. */
function shown(name: string): string {
  return name.length > 3 ? `[${name.length}]` : Buffer.from(name, "latin1").toString("utf8");
}
