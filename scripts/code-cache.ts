/**
 * Compiles a program of the executable and writes what V8 can load in place of compiling it. `build.ts` runs this in a
 * process of its own: `node code-cache.ts PROGRAM CACHE [ARGUMENT...]`.
 *
 * V8 compiles functions when they are called first. Of the daemon and its threads, all of them are compiled here at once, so that
 * nothing is compiled in the middle of a first transfer. The command runs for a few milliseconds only, and functions that it does
 * not call take time to load. So it is run here with the arguments of a push, and the functions are kept that were called. The
 * daemon that it finds only says that all is done.
 *
 * The cache has a sum of V8's flags in it, so they are as they will be in the executable when it is written.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import v8 from "node:v8";
import vm from "node:vm";

type Program = (require: (name: string) => unknown, module: object, exports: object) => void;

const [program = "", cache = "", ...pushed] = process.argv.slice(2);
const filename = path.basename(program, ".js");
if (pushed.length === 0) v8.setFlagsFromString("--no-lazy");
const script = new vm.Script(readFileSync(program, "latin1"), { filename });
v8.setFlagsFromString("--lazy");
if (pushed.length === 0) writeFileSync(cache, script.createCachedData());
else push();

function push(): void {
  const socket = pushed.find((word) => word.startsWith("unix:"))?.slice("unix:".length);
  // SendResult of src/console/protocol.ts.
  const done = {
    result: "send",
    exitStatus: 0,
    hosts: [{ host: "host", address: "192.0.2.1", outcome: "done", reason: "" }],
    unknown: [],
    unknownExcepts: [],
    missing: [],
    aborted: undefined,
    entries: 1,
    sentEntries: 1,
    sentBytes: 1,
    repairedFragments: 0,
    savedBytes: 0,
    unreadable: 0,
    deleted: 0,
    differing: 0,
    durationMs: 1,
  };
  const server = net.createServer((client) => {
    client.once("data", () => client.write(`${JSON.stringify(done)}\n`));
    client.on("error", () => client.destroy());
  });
  process.on("exit", (status) => {
    rmSync(socket ?? "", { force: true });
    if (status === 0) writeFileSync(cache, script.createCachedData());
  });
  server.listen(socket, () => {
    process.argv = [process.execPath, filename, ...pushed];
    const run = script.runInThisContext() as Program;
    run((name) => process.getBuiltinModule(name), {}, {});
  });
}
