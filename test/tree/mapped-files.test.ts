import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { test, type TestContext } from "node:test";
import { isSameState } from "../../src/tree/entries/same-file.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { canSyncFileSystem } from "../../src/sys/files.ts";
import { temporaryDirectory } from "../sys/support.ts";

/** Programs that write to a file through a mapping, while it is read. Node cannot map files, so Python does. */

/** Stores a byte for each line that it reads, and says so. At "again" the page is already on its way to the disk then. */
const WRITER = `
import ctypes, mmap, sys
sync_file_range = ctypes.CDLL(None).sync_file_range
sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
WRITE = 2
with open(sys.argv[1], "r+b") as file:
    pages = mmap.mmap(file.fileno(), 0)
    for line in sys.stdin:
        pages[0] = (pages[0] + 1) % 256
        if line == "again\\n":
            sync_file_range(file.fileno(), 0, 0, WRITE)
            pages[0] = (pages[0] + 1) % 256
        print("stored", flush=True)
`;

const SKIP =
  spawnSync("python3", ["--version"]).status !== 0
    ? "there is no python3"
    : canSyncFileSystem()
      ? false
      : "the call is not available";

/** A running WRITER, and the lines that it prints. */
interface Writer {
  readonly process: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

async function store({ process, lines }: Writer, how: "once" | "again"): Promise<void> {
  process.stdin!.write(`${how}\n`);
  assert.equal((await lines.next()).value, "stored");
}

function startWriter(context: TestContext, name: string): Writer {
  const process = spawn("python3", ["-c", WRITER, name], { stdio: ["pipe", "pipe", "inherit"] });
  context.after(() => process.kill());
  return { process, lines: readline.createInterface(process.stdout)[Symbol.asyncIterator]() };
}

/** The kernel's type of a file system in memory, which notes no stores. */
const TMPFS = 0x01021994;

/** How often a page is caught on its way to the disk: the disk may be faster once, but not each time. */
const ROUNDS = 50;

/**
 * Has a program store to a page again and again; each time a reader opens the file, and the page is stored to once
 * more.
 *
 * @returns how often the reader could not tell
 */
async function storesUnnoticed(
  context: TestContext,
  directory: string,
  how: "once" | "again",
  rounds: number,
): Promise<number> {
  fs.writeFileSync(path.join(directory, "mapped"), Buffer.alloc(8192));
  const writer = startWriter(context, path.join(directory, "mapped"));
  const parent = linuxDisk.openRoot(directory);
  let unnoticed = 0;
  for (let round = 0; round < rounds; round++) {
    // From here on the page is dirty: without an effort, further stores change nothing but its bytes.
    await store(writer, how);
    const file = linuxDisk.openFile(parent, "mapped", "read");
    const before = linuxDisk.statFile(file);
    await store(writer, "once");
    if (isSameState(before, linuxDisk.statFile(file))) unnoticed++;
    linuxDisk.closeFile(file);
  }
  linuxDisk.closeDirectory(parent);
  writer.process.stdin!.end();
  await once(writer.process, "exit");
  return unnoticed;
}

function directoryOnDisk(context: TestContext): string | undefined {
  const directory = temporaryDirectory(context);
  if (fs.statfsSync(directory).type !== TMPFS) return directory;
  context.skip("the temporary folder is in memory");
  return undefined;
}

test(
  "a store to a mapped page is noticed from the opening on, though the page was written before",
  { skip: SKIP },
  async (context) => {
    const directory = directoryOnDisk(context);
    if (directory === undefined) return;
    assert.equal(await storesUnnoticed(context, directory, "once", 1), 0);
  },
);

test(
  "a store to a mapped page is noticed, though the page was on its way to the disk when the file was opened",
  { skip: SKIP },
  async (context) => {
    const directory = directoryOnDisk(context);
    if (directory === undefined) return;
    assert.equal(await storesUnnoticed(context, directory, "again", ROUNDS), 0);
  },
);
