/** Starts and stops the two disk threads. */
import { getAsset, isSea } from "node:sea";
import { Worker } from "node:worker_threads";
import type { Effect } from "../../engine/types.ts";
import { nativeLibraryPath } from "../../sys/native.ts";
import { BlockKind } from "../../wire/datagram.ts";
import type {
  DriftAnswer,
  DriftLook,
  SourceCommand,
  SourceReply,
  StageCommand,
  StageReply,
  WorkerSettings,
} from "./messages.ts";

/** A thread that has not come to an end by then is in the middle of something that the next start finishes. */
const STOP_MS = 20_000;

/**
 * Data blocks go to the writing thread at once when it has got none for so long, or when there are so many; otherwise they
 * wait for each other, since each message wakes it.
 */
const BLOCKS_PER_MESSAGE = 8;
const BLOCK_WAIT_MS = 2;

type StageRun = Extract<StageCommand, { kind: "stage" }>;

/** The two threads that do all that touches the tree, so that the main thread never waits for a disk. */
export class DiskThreads {
  private readonly settings: Omit<WorkerSettings, "role" | "nativeLibraryPath">;
  private readonly onFailure: (error: Error) => void;
  private readonly source: Worker;
  private readonly stage: Worker;
  private drift: Worker | undefined;
  private sourceCommands: SourceCommand[] = [];
  private stageCommands: StageCommand[] = [];
  private stageTimer: NodeJS.Timeout | undefined;
  private stageFlushedMs = 0;
  /** The data blocks at the end of the commands, to which the next ones may be added. */
  private openRun: StageRun | undefined;
  private waitingBlocks = 0;

  /**
   * Starts the threads. They have the privileges that the process has at this moment.
   *
   * @param onFailure called when a thread ends by an error, which is a broken invariant
   */
  constructor(
    settings: Omit<WorkerSettings, "role" | "nativeLibraryPath">,
    onSource: (reply: SourceReply) => void,
    onStage: (replies: readonly StageReply[]) => void,
    onFailure: (error: Error) => void,
  ) {
    this.settings = settings;
    this.onFailure = onFailure;
    this.source = startWorker({ ...settings, role: "source", nativeLibraryPath: nativeLibraryPath() });
    this.stage = startWorker({ ...settings, role: "stage", nativeLibraryPath: nativeLibraryPath() });
    this.source.on("message", onSource);
    this.stage.on("message", onStage);
    for (const worker of [this.source, this.stage]) worker.on("error", onFailure);
  }

  /** Compares the tree with what was published, in a thread of its own that ends then. */
  findDrift(looks: readonly DriftLook[], onAnswer: (answer: DriftAnswer) => void): void {
    const parts = { role: "drift", nativeLibraryPath: nativeLibraryPath(), looks } as const;
    const worker = (this.drift = startWorker({ ...this.settings, ...parts }));
    worker.unref();
    worker.once("message", onAnswer);
    worker.once("error", this.onFailure);
    worker.once("exit", () => (this.drift = undefined));
  }

  /** A command for the reading thread; it goes with the next flush. */
  toSource(command: SourceCommand): void {
    this.sourceCommands.push(command);
  }

  /** A command for the writing thread; it goes with the next flush. */
  toStage(command: Exclude<StageCommand, { kind: "stage" }>): void {
    this.stageCommands.push(command);
    this.openRun = undefined;
  }

  /** A block for the writing thread; data blocks that need no restoration may wait a little for others. */
  stageBlock(effect: Extract<Effect, { kind: "stage" }>, page: number): void {
    const { key: inbound, blockKind, block, sealedBytes, restoration } = effect;
    const mayJoin = blockKind === BlockKind.data && restoration === undefined;
    if (mayJoin && this.openRun?.inbound === inbound) {
      this.openRun.blocks.push(block, sealedBytes, page);
    } else {
      const blocks = [block, sealedBytes, page];
      const command: StageRun = { kind: "stage", inbound, blockKind, blocks, restoration };
      this.stageCommands.push(command);
      this.openRun = mayJoin ? command : undefined;
    }
    this.waitingBlocks++;
  }

  /** Hands over the commands: one message for many of them, since each message wakes a thread. */
  flush(): void {
    if (this.sourceCommands.length > 0) this.source.postMessage(this.sourceCommands);
    this.sourceCommands = [];
    const { stageCommands } = this;
    if (stageCommands.length === 0) return;
    const isUrgent = this.openRun === undefined || this.waitingBlocks >= BLOCKS_PER_MESSAGE;
    if (isUrgent || performance.now() - this.stageFlushedMs >= BLOCK_WAIT_MS) this.flushStage();
    else this.stageTimer ??= setTimeout(() => this.flushStage(), BLOCK_WAIT_MS);
  }

  private flushStage(): void {
    clearTimeout(this.stageTimer);
    this.stageTimer = undefined;
    this.stage.postMessage(this.stageCommands);
    this.stageCommands = [];
    this.stageFlushedMs = performance.now();
    this.openRun = undefined;
    this.waitingBlocks = 0;
  }

  /** Lets the threads finish what they are doing, a commit above all, for a bounded time. */
  async stop(): Promise<void> {
    this.flush();
    this.flushStage();
    await this.drift?.terminate();
    await Promise.all([this.source, this.stage].map(stopWorker));
  }
}

async function stopWorker(worker: Worker): Promise<void> {
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const timer = setTimeout(() => void worker.terminate(), STOP_MS);
  worker.postMessage([{ kind: "stop" }]);
  await exited;
  clearTimeout(timer);
}

function startWorker(settings: WorkerSettings): Worker {
  // The threads live as long as the process. Node's book of their files does not know those that src/sys has opened, and
  // warns of each one that is closed.
  const options = { workerData: settings, trackUnmanagedFds: false };
  if (isSea()) return new Worker(getAsset("thread.js", "utf8"), { ...options, eval: true });
  return new Worker(new URL("./worker.ts", import.meta.url), options);
}
