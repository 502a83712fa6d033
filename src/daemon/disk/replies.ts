/** The answers of the writing thread on their way to the main thread. */
import type { MessagePort } from "node:worker_threads";
import type { StageReply } from "./messages.ts";

/** A reply may wait this long for the replies to the commands after it. */
const LONGEST_WAIT_MS = 3;

type Staged = Extract<StageReply, { kind: "staged" }>;

/** Gathers replies, since each message wakes the main thread; none of them waits for long. */
export class Replies {
  private readonly port: MessagePort;
  private waiting: StageReply[] = [];
  /** The last one, where more written blocks may be added to it. */
  private run: Staged | undefined;
  private flushedMs = 0;

  constructor(port: MessagePort) {
    this.port = port;
  }

  add(reply: StageReply): void {
    if (reply.kind !== "staged" || !this.hasJoined(reply)) {
      this.waiting.push(reply);
      this.run = reply.kind === "staged" && isWritten(reply) ? reply : undefined;
    }
    if (performance.now() - this.flushedMs >= LONGEST_WAIT_MS) this.flush();
  }

  flush(): void {
    if (this.waiting.length > 0) this.port.postMessage(this.waiting);
    this.waiting = [];
    this.run = undefined;
    this.flushedMs = performance.now();
  }

  /** Adds a written block to those before, where there is nothing else to tell of it. */
  private hasJoined(reply: Staged): boolean {
    if (this.run?.inbound !== reply.inbound || !isWritten(reply)) return false;
    this.run.blocks.push(...reply.blocks);
    return true;
  }
}

/** Whether there is nothing else to tell of blocks. */
function isWritten({ outcome }: Staged): boolean {
  return outcome.kind === "written";
}
