/** Gives memory of this thread's heap back to the kernel. */
import v8 from "node:v8";
import vm from "node:vm";
import { nativeFunction } from "./native.ts";

/** A heap below this is not worth a collection: a thread that has done little has about 10 MiB. */
const LARGE_HEAP_BYTES = 48 * 1024 * 1024;

/** After this time without work, a collection holds up nobody. */
const IDLE_MS = 2_000;

/**
 * Gives memory back in pauses. V8 collects when it needs memory, so a thread that has nothing more to do would keep what
 * a large transfer has left, for as long as it is idle. Each thread has a keeper of its own.
 */
export class HeapKeeper {
  private readonly isIdle: () => boolean;
  private timer: NodeJS.Timeout | undefined;

  /** @param isIdle whether the thread has nothing to do */
  constructor(isIdle: () => boolean) {
    this.isIdle = isIdle;
  }

  /** To be called when work has ended. */
  noteEnd(): void {
    if (this.timer !== undefined || !this.isIdle()) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.isIdle() && heapBytes() >= LARGE_HEAP_BYTES) releaseHeap();
    }, IDLE_MS).unref();
  }
}

/** What V8 holds for this thread, used or not, in bytes. */
export function heapBytes(): number {
  const { total_heap_size: heap, external_memory: external } = v8.getHeapStatistics();
  return heap + external;
}

/** Collects garbage, and gives the memory that has become free back to the kernel. */
export function releaseHeap(): void {
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  // An ordinary collection keeps the room that has become free.
  const thorough = { type: "major", execution: "sync", flavor: "last-resort" };
  if (typeof collect === "function") (collect as (options: object) => void)(thorough);
  // The allocator of the C library keeps what V8 and Node have freed.
  nativeFunction("int malloc_trim(size_t)")?.(0);
}
