/**
 * Builds dist/makuosan, one executable that needs nothing else on the machine, and dist/msync, a second name of the
 * same file: the program looks at the name by which it was called. The one argument is the architecture, "x64" or
 * "arm64". The executable for another machine than this one goes to dist/ARCHITECTURE/.
 *
 * The executable is a copy of Node with the bundled program inside (a "single executable application"): bundle with
 * esbuild, make a blob of the bundle and its assets, inject it into a stripped copy of Node. The bundle is src/main.ts. The
 * assets are the three programs that it starts, each with the code that V8 has compiled (code-cache.ts), src/main/thread.ts, with which
 * a thread begins, and `koffi.node` (the FFI's native half).
 *
 * Equal inputs give equal bytes. So nothing may depend on the time or on the path of the project: each tool runs inside
 * the working folder, with names relative to it.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build, type Plugin } from "esbuild";
import { distFolder, nativeParts, parseArchitecture, ROOT } from "./architecture.ts";
import { runScript } from "./registries.ts";

const ARCHITECTURE = parseArchitecture(process.argv[2] ?? process.arch);
const IS_FOREIGN = ARCHITECTURE !== process.arch;
const DIST = distFolder(ARCHITECTURE);
const WORK = path.join(DIST, ".build");
const POSTJECT = path.join(ROOT, "node_modules", "postject", "dist", "cli.js");

/** Programs that strip executables of a foreign architecture; the first one that is installed is used. */
const FOREIGN_STRIPS = {
  x64: ["x86_64-linux-gnu-strip", "llvm-strip"],
  arm64: ["aarch64-linux-gnu-strip", "llvm-strip"],
};

/** Options of V8. The code cache has a sum of them in it, so they are the same when it is made. */
const V8_OPTIONS = [
  // V8 lets the part of the heap for new objects grow to 128 MiB in each of the three threads, and gives none of it back while
  // there is work: the memory of a daemon grew with thousands of small pushes, although nothing of them was kept. With
  // 4 MiB, which V8 doubles, pushes take as long.
  "--max-semi-space-size=4",
  // Some seconds after work, V8 collects the heap to have a smaller one. It then forgets the shapes of objects that are not
  // there in a pause, and throws away the code that it has compiled for them: a push after a pause took twice the processor
  // time. The daemon has rules of its own for its pauses (src/sys/heap.ts).
  "--no-memory-reducer",
];

/** Options of Node: most close doors which it leaves open to others than the program itself. */
const RUNTIME_OPTIONS = [
  // Without it, every process of the same user can open the debugger by a signal.
  "--disable-sigusr1",
  // Node otherwise reads OPENSSL_CONF or the system's file, and loads libraries that it names.
  "--openssl-config=/dev/null",
  // process.execve() is marked as experimental, and warns on standard error.
  "--disable-warning=ExperimentalWarning",
  ...V8_OPTIONS,
];

/**
 * Names are hashed with a random seed, and a code cache contains the hashes. The cache's check of V8's flags ignores this
 * seed (but not --hash-seed), so the executable still accepts its cache.
 */
const SEED = "--random-seed=1";

/**
 * Commander can carry out commands by programs of their own. These have none, and the start of msync does not wait for the
 * module to be loaded that runs programs.
 */
const WITHOUT_SUBPROGRAMS: Plugin = {
  name: "without-subprograms",
  setup: (bundler) => {
    bundler.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /\/commander\//.test(importer) ? { path: "child_process", namespace: "nothing" } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: "nothing" }, () => ({ contents: "module.exports = {};" }));
  },
};

/** Files in the executable besides the bundle that Node starts. */
const ASSETS = [
  "thread.js",
  "koffi.node",
  ...["makuosan", "msync", "worker"].flatMap((name) => [`${name}.js`, `${name}.cache`]),
];

/** The programs in the executable, which src/sys/programs.ts runs. */
const PROGRAMS = {
  makuosan: "src/main/makuosan.ts",
  msync: "src/main/msync.ts",
  worker: "src/daemon/disk/worker.ts",
};

/** The marker that Node changes when a blob has been injected. */
const SENTINEL_FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

async function main(): Promise<void> {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  await bundle({ main: "src/main.ts", thread: "src/main/thread.ts", ...PROGRAMS });
  for (const name of Object.keys(PROGRAMS)) compile(name);
  const { node, koffi } = nativeParts(ARCHITECTURE);
  copyFileSync(koffi, path.join(WORK, "koffi.node"));
  makeBlob();
  copyNode(node);
  run(process.execPath, [
    POSTJECT,
    "makuosan",
    "NODE_SEA_BLOB",
    "sea.blob",
    "--sentinel-fuse",
    SENTINEL_FUSE,
  ]);
  publish();
}

/** Each entry becomes one file in the working folder that requires nothing but Node's own modules. */
async function bundle(entryPoints: Record<string, string>): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir: WORK,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    // With long names, esbuild would also write down the folders of packages, which are others in another copy of the project.
    minify: true,
    keepNames: true,
    legalComments: "none",
    // src/sys loads it itself: from the asset in the executable, from node_modules in development.
    external: ["koffi"],
    define: {
      __MAKUOSAN_VERSION__: JSON.stringify(readVersion()),
      // Only development looks for files beside the source; the executable just needs a valid URL.
      "import.meta.url": JSON.stringify("file:///makuosan"),
    },
    // Compiled code from a code cache cannot use import(), but it can use require().
    supported: { "dynamic-import": false },
    plugins: [WITHOUT_SUBPROGRAMS],
    logLevel: "warning",
    logOverride: { "empty-import-meta": "error" },
  });
}

/** Wraps a program as Node wraps modules, and compiles it. Machines have different code, and ignore that of others. */
function compile(name: string): void {
  const [file, cache] = [path.join(WORK, `${name}.js`), path.join(WORK, `${name}.cache`)];
  writeFileSync(file, `(function (require, module, exports) {${readFileSync(file, "utf8")}\n})`);
  if (IS_FOREIGN) writeFileSync(cache, "");
  else
    run(nativeParts(parseArchitecture(process.arch)).node, [
      SEED,
      ...V8_OPTIONS,
      path.join(ROOT, "scripts", "code-cache.ts"),
      file,
      cache,
    ]);
}

function readVersion(): string {
  const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string };
  return manifest.version;
}

function makeBlob(): void {
  const config = {
    main: "main.js",
    output: "sea.blob",
    disableExperimentalSEAWarning: true,
    // The cache contains machine code, so it only works for this architecture.
    useCodeCache: !IS_FOREIGN,
    execArgv: RUNTIME_OPTIONS,
    // Otherwise NODE_OPTIONS would reach a daemon that runs as root.
    execArgvExtension: "none",
    assets: Object.fromEntries(ASSETS.map((name) => [name, name])),
  };
  writeFileSync(path.join(WORK, "sea.json"), JSON.stringify(config));
  run(nativeParts(parseArchitecture(process.arch)).node, [
    SEED,
    ...V8_OPTIONS,
    "--experimental-sea-config",
    "sea.json",
  ]);
}

/** Strips before the injection: an executable that is stripped after it crashes. */
function copyNode(node: string): void {
  copyFileSync(node, path.join(WORK, "makuosan"));
  const strips = IS_FOREIGN ? FOREIGN_STRIPS[ARCHITECTURE] : ["strip"];
  const strip = strips.find((one) => spawnSync(one, ["--version"]).error === undefined);
  if (strip !== undefined) run(strip, ["makuosan"]);
  else console.warn(`There is no ${strips.join(" or ")} here: the executable gets larger than it has to be.`);
}

/** Replaces the old file in one step, so that an interrupted build leaves the old one or none. */
function publish(): void {
  const [built, makuosan, msync] = [
    path.join(WORK, "makuosan"),
    path.join(DIST, "makuosan"),
    path.join(DIST, "msync"),
  ];
  rmSync(msync, { force: true });
  linkSync(built, msync);
  renameSync(built, makuosan);
}

/** Runs a tool inside the working folder; its output is shown only if it fails. */
function run(program: string, args: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: WORK, encoding: "utf8" });
  if (status === 0) return;
  const reason = error?.message ?? `${stdout}${stderr}`.trim();
  throw new Error(`${path.basename(program)} ${args.join(" ")} failed: ${reason}`);
}

await runScript("build", main);
