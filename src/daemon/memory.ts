/** Gives memory back when the daemon is idle. */
import type { NodeEngine } from "../engine/node.ts";
import { releaseExecutable } from "../sys/executable-memory.ts";
import { HeapKeeper } from "../sys/heap.ts";
import type { NodeEvents } from "./pump/node-events.ts";

/** Keeps the heap of the main thread and the memory of the executable; the disk threads keep their own heaps. */
export function keepMemory(events: NodeEvents, engine: NodeEngine): void {
  const heap = new HeapKeeper(() => engine.isIdle, releaseExecutable);
  events.listen((event) => {
    if (event.kind === "transfer-finished" || event.kind === "inbound-ended")
      setImmediate(() => heap.noteEnd());
  });
  heap.noteStart();
}
