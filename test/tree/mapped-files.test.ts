import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { isSameState } from "../../src/tree/entries/same-file.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { canSyncFileSystem } from "../../src/sys/files.ts";
import { temporaryDirectory } from "../sys/support.ts";

/** Programs that write to a file through a mapping, while it is read. Node cannot map files, so Python does. */

/** Stores a byte for each line that it reads, and says so. */
const WRITER = `
import mmap, sys
with open(sys.argv[1], "r+b") as file:
    pages = mmap.mmap(file.fileno(), 0)
    for line in sys.stdin:
        pages[0] = (pages[0] + 1) % 256
        print("stored", flush=True)
`;

const SKIP =
  spawnSync("python3", ["--version"]).status !== 0
    ? "there is no python3"
    : canSyncFileSystem()
      ? false
      : "the call is not available";

async function store(writer: ChildProcess): Promise<void> {
  const stored = once(writer.stdout!, "data");
  writer.stdin!.write("\n");
  await stored;
}

/** The kernel's type of a file system in memory, which notes no stores. */
const TMPFS = 0x01021994;

test(
  "a store to a mapped page is noticed from the opening on, though the page was written before",
  { skip: SKIP },
  async (context: TestContext) => {
    const directory = temporaryDirectory(context);
    if (fs.statfsSync(directory).type === TMPFS) {
      context.skip("the temporary folder is in memory");
      return;
    }
    const name = path.join(directory, "mapped");
    fs.writeFileSync(name, Buffer.alloc(8192));
    const writer = spawn("python3", ["-c", WRITER, name], { stdio: ["pipe", "pipe", "inherit"] });
    context.after(() => writer.kill());
    // From here on the page is dirty: without an effort, further stores change nothing but its bytes.
    await store(writer);
    const parent = linuxDisk.openRoot(directory);
    const file = linuxDisk.openFile(parent, "mapped", "read");
    const before = linuxDisk.statFile(file);
    await store(writer);
    assert.equal(isSameState(before, linuxDisk.statFile(file)), false);
    linuxDisk.closeFile(file);
    linuxDisk.closeDirectory(parent);
    writer.stdin.end();
    await once(writer, "exit");
  },
);
