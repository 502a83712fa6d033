/** Loads the FFI library, in the main thread and in workers. */
import fs from "node:fs";
import { createRequire } from "node:module";
import { getAsset, isSea } from "node:sea";
import { workerData } from "node:worker_threads";

/**
 * The Linux calls that Node lacks, through the FFI library koffi. Every function of this folder that uses it has a
 * fallback for hosts where it cannot be loaded, and checks its arguments: raw memory never leaves this folder.
 */

/** The part of koffi that is used here; its own types are not available inside the one executable. */
interface Koffi {
  load(path: string | null): { func(prototype: string): NativeFunction };
  address(bytes: Uint8Array): bigint;
  errno(): number;
}

/** A C function; its prototype has the types of its arguments and of its result. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the prototype is text, TypeScript cannot see it
export type NativeFunction = (...args: any[]) => number;

/** How worker threads find the library that the main thread has unpacked: a path below /proc/self/fd. */
export interface NativeWorkerData {
  readonly nativeLibraryPath: string | undefined;
}

/** The value 1 makes the program run without the library, as on a host where it cannot be loaded. */
const WITHOUT_FFI = "MAKUOSAN_WITHOUT_FFI";

/** Opens a file without a name, in a directory: a flag that node:fs does not have. */
export const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY;

let koffi: Koffi | undefined;
let libraryPath: string | undefined;
let hasTried = false;

/** The path for the workerData of threads that use this folder. */
export function nativeLibraryPath(): string | undefined {
  loadKoffi();
  return libraryPath;
}

const functions = new Map<string, NativeFunction | undefined>();

/** A function of the C library by its prototype; undefined if it cannot be called. */
export function nativeFunction(prototype: string): NativeFunction | undefined {
  if (!functions.has(prototype)) functions.set(prototype, lookUp(prototype));
  return loadKoffi() === undefined ? undefined : functions.get(prototype);
}

/** The same for calls that are made for each file: the function is looked up at the first call. */
export function lazyFunction(prototype: string): () => NativeFunction | undefined {
  let found: NativeFunction | undefined;
  let isSought = false;
  return () => {
    if (!isSought) found = nativeFunction(prototype);
    isSought = true;
    return found;
  };
}

/** The error number of the last call. */
export function lastErrno(): number {
  return koffi?.errno() ?? 0;
}

/** The address of bytes; for this folder only. */
export function nativeAddress(bytes: Uint8Array): bigint | undefined {
  return loadKoffi()?.address(bytes);
}

function lookUp(prototype: string): NativeFunction | undefined {
  try {
    return loadKoffi()?.load(null).func(prototype);
  } catch {
    // An older C library does not have the function; the caller uses its fallback.
    return undefined;
  }
}

function loadKoffi(): Koffi | undefined {
  if (hasTried) return koffi;
  hasTried = true;
  if (process.env[WITHOUT_FFI] === "1") return undefined;
  try {
    const inherited = (workerData as Partial<NativeWorkerData> | null)?.nativeLibraryPath;
    libraryPath = inherited ?? (isSea() ? unpack(getAsset("koffi.node")) : undefined);
    koffi =
      libraryPath === undefined ? (createRequire(import.meta.url)("koffi") as Koffi) : open(libraryPath);
  } catch {
    koffi = undefined;
  }
  return koffi;
}

function open(path: string): Koffi {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports as Koffi;
}

/** The last one serves hosts that mount all others without the right to run programs. */
function libraryFolders(): string[] {
  const [state = ""] = (process.env["STATE_DIRECTORY"] ?? "").split(":");
  return ["/dev/shm", "/tmp", "/var/tmp", ...(state === "" ? [] : [state])];
}

/** Writes the library into a file without a name, in the first folder that allows programs to run. */
function unpack(library: ArrayBuffer): string {
  for (const folder of libraryFolders()) {
    try {
      const descriptor = fs.openSync(folder, O_TMPFILE | fs.constants.O_RDWR, 0o700);
      fs.writeSync(descriptor, new Uint8Array(library));
      const path = `/proc/self/fd/${descriptor}`;
      open(path);
      return path;
    } catch {
      continue;
    }
  }
  throw new Error("no folder takes the library");
}
