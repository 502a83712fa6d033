/**
 * Compiles a program of the executable and writes what V8 can load in place of compiling it. `build.ts` runs this in a
 * process of its own: `node code-cache.ts PROGRAM CACHE`.
 *
 * V8 compiles functions when they are called first. Here it compiles all of them at once, so that the daemon and its threads
 * compile nothing in the middle of a first transfer. The cache has a sum of V8's flags in it, so they are as they will be
 * in the executable when it is written.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import v8 from "node:v8";
import vm from "node:vm";

const [program = "", cache = ""] = process.argv.slice(2);
const filename = path.basename(program, ".js");
v8.setFlagsFromString("--no-lazy");
const script = new vm.Script(readFileSync(program, "latin1"), { filename });
v8.setFlagsFromString("--lazy");
writeFileSync(cache, script.createCachedData());
