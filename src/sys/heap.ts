/** Gives memory of this thread's heap back to the kernel. */
import fs from "node:fs";
import v8 from "node:v8";
import vm from "node:vm";
import { nativeFunction } from "./native.ts";
import { orElse } from "./system-error.ts";

/** A heap of this size is collected as soon as that holds up nobody. */
const LARGE_HEAP_BYTES = 48 * 1024 * 1024;

/** After this time without work, a collection holds up nobody. */
const IDLE_MS = 2_000;

/**
 * A process of this size gives memory back after a longer pause, as far as that costs the next transfer next to nothing: pages of
 * the executable, and what the allocator has kept.
 */
const ROOMY_PROCESS_BYTES = 60 * 1024 * 1024;
const QUIET_MS = 30_000;

/**
 * If its own memory has this size even then, its heaps are collected, too. Not before, and not below: V8 then throws away the code that
 * it has compiled, and the next transfer takes as much processor time as the first one, which is three times that of a later
 * one. An idle daemon must not keep 80 MiB after a large push, and some 20 of them are pages of the executable.
 */
const LARGE_OWN_BYTES = 56 * 1024 * 1024;

/** All threads give back at the same time. After so long, all of them have done it. */
const SETTLING_MS = 2_000;

/** How large this process is. */
export interface ProcessSize {
  readonly residentBytes: number;
  /** What is no page of a file. */
  readonly ownBytes: number;
}

/**
 * Gives memory back in pauses. V8 collects when it needs memory, so a thread that has nothing more to do would keep what
 * its start or a large transfer has left, for as long as it is idle. Each thread has a keeper of its own.
 */
export class HeapKeeper {
  private readonly isIdle: () => boolean;
  private readonly onReleased: () => void;
  private readonly size: () => ProcessSize;
  private timer: NodeJS.Timeout | undefined;
  /** Whether the heap was collected since the last work: another collection would find nothing more. */
  private isCollected = false;

  /**
   * @param isIdle whether the thread has nothing to do
   * @param onReleased called when memory was given back, by the other threads as well
   * @param size of this process
   */
  constructor(isIdle: () => boolean, onReleased: () => void = () => undefined, size = processSize) {
    this.isIdle = isIdle;
    this.onReleased = onReleased;
    this.size = size;
  }

  /** To be called when the thread has started: a third of its memory has served the start alone. */
  noteStart(): void {
    this.plan(IDLE_MS, () => this.release());
  }

  /** To be called when work has ended. */
  noteEnd(): void {
    this.isCollected = false;
    this.plan(IDLE_MS, () => {
      if (heapBytes() >= LARGE_HEAP_BYTES) this.release();
      else this.plan(QUIET_MS, () => this.shrink());
    });
  }

  private shrink(): void {
    if (this.size().residentBytes < ROOMY_PROCESS_BYTES) {
      this.shrinkAgain();
      return;
    }
    trimHeap();
    this.onReleased();
    this.plan(SETTLING_MS, () => {
      if (this.size().ownBytes >= LARGE_OWN_BYTES && !this.isCollected) this.release();
      else this.shrinkAgain();
    });
  }

  private shrinkAgain(): void {
    // What an idle daemon does now and then brings pages of the executable back, one by one.
    this.plan(QUIET_MS, () => this.shrink());
  }

  private release(): void {
    releaseHeap();
    this.isCollected = true;
    this.plan(SETTLING_MS, () => {
      this.onReleased();
      this.shrinkAgain();
    });
  }

  private plan(delayMs: number, work: () => void): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.isIdle()) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.isIdle()) work();
    }, delayMs).unref();
  }
}

/** What V8 holds for this thread, used or not, in bytes. */
export function heapBytes(): number {
  const { total_heap_size: heap, external_memory: external } = v8.getHeapStatistics();
  return heap + external;
}

/** If /proc does not tell, which a process may be that can open no more files, nothing is given back for now. */
function processSize(): ProcessSize {
  return orElse({ residentBytes: 0, ownBytes: 0 }, () => {
    const status = fs.readFileSync("/proc/self/status", "latin1");
    const [resident, files] = ["VmRSS", "RssFile"].map(
      (row) => Number(new RegExp(`^${row}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0) * 1024,
    ) as [number, number];
    return { residentBytes: resident, ownBytes: resident - files };
  });
}

/**
 * Collects garbage, and gives the memory that has become free back to the kernel. Functions that have not run for a while keep their
 * bytecode: it has a megabyte or so, and without it the first transfer after a start would compile all of them again,
 * which the code cache of the executable is there to save.
 */
export function releaseHeap(): void {
  v8.setFlagsFromString("--no-flush-bytecode");
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  // An ordinary collection keeps the room that has become free.
  const thorough = { type: "major", execution: "sync", flavor: "last-resort" };
  if (typeof collect === "function") (collect as (options: object) => void)(thorough);
  trimHeap();
}

/** Gives back what V8 and Node have freed; the allocator of the C library keeps it. */
function trimHeap(): void {
  nativeFunction("int malloc_trim(size_t)")?.(0);
}
