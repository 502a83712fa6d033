/** Runs one of the programs in the executable, with the code that the build has compiled. */
import { getRawAsset } from "node:sea";
import vm from "node:vm";

/** A program as the build has put it into the executable: what a module of Node is wrapped in. */
type Program = (require: (name: string) => unknown, module: object, exports: object) => void;

/**
 * Runs a program. Beside each there is what V8 compiles of it (scripts/code-cache.ts): without that, the functions of a first
 * transfer are compiled while it runs, and everything of a start. V8 ignores it if it is of another version or another
 * machine, and compiles as usual.
 *
 * @param name of its assets: `NAME.js` and `NAME.cache`
 */
export function runProgram(name: "makuosan" | "msync" | "worker"): void {
  // The bundles are ASCII.
  const text = Buffer.from(getRawAsset(`${name}.js`)).toString("latin1");
  const script = new vm.Script(text, {
    filename: name,
    cachedData: new Uint8Array(getRawAsset(`${name}.cache`)),
  });
  const program = { exports: {} };
  const run = script.runInThisContext() as Program;
  run(requireBuiltin, program, program.exports);
}

/** Programs have everything but Node's own modules in them. `require()` would look at every property of these, and load more. */
function requireBuiltin(name: string): unknown {
  const module = process.getBuiltinModule(name);
  if (module === undefined) throw new Error(`there is no module ${name}`);
  return module;
}
