import { getAsset, isSea } from "node:sea";
import { Worker } from "node:worker_threads";
import { nativeLibraryPath } from "../../sys/native.ts";
import type { SourceCommand, SourceReply, StageCommand, StageReply, WorkerSettings } from "./messages.ts";

/** A thread that has not come to an end by then is in the middle of something that the next start finishes. */
const STOP_MS = 20_000;

/** The two threads that do all that touches the tree, so that the main thread never waits for a disk. */
export class DiskThreads {
  private readonly source: Worker;
  private readonly stage: Worker;

  /**
   * Starts the threads. They have the privileges that the process has at this moment.
   *
   * @param onFailure called when a thread ends by an error, which is a broken invariant
   */
  constructor(
    settings: Omit<WorkerSettings, "role" | "nativeLibraryPath">,
    onSource: (reply: SourceReply) => void,
    onStage: (reply: StageReply) => void,
    onFailure: (error: Error) => void,
  ) {
    this.source = startWorker({ ...settings, role: "source", nativeLibraryPath: nativeLibraryPath() });
    this.stage = startWorker({ ...settings, role: "stage", nativeLibraryPath: nativeLibraryPath() });
    this.source.on("message", onSource);
    this.stage.on("message", onStage);
    for (const worker of [this.source, this.stage]) worker.on("error", onFailure);
  }

  toSource(command: SourceCommand): void {
    this.source.postMessage(command);
  }

  toStage(command: StageCommand): void {
    this.stage.postMessage(command);
  }

  /** Lets the threads finish what they are doing, a commit above all, for a bounded time. */
  async stop(): Promise<void> {
    await Promise.all([this.source, this.stage].map(stopWorker));
  }
}

async function stopWorker(worker: Worker): Promise<void> {
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const timer = setTimeout(() => void worker.terminate(), STOP_MS);
  worker.postMessage({ kind: "stop" });
  await exited;
  clearTimeout(timer);
}

function startWorker(settings: WorkerSettings): Worker {
  if (isSea()) return new Worker(getAsset("worker.js", "utf8"), { eval: true, workerData: settings });
  return new Worker(new URL("../worker.ts", import.meta.url), { workerData: settings });
}
