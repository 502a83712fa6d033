/** The daemon's side of one connection: its requests, one after the other, and what is written back. */
import type net from "node:net";
import { UserError } from "../base/user-error.ts";
import type { PeerCredentials } from "../sys/peer-credentials.ts";
import { parseRequest } from "./parse-request.ts";
import {
  type Answer,
  BACKLOG_BYTES,
  CANCEL_LINE,
  type Event,
  isResult,
  LineReader,
  type Request,
  REQUEST_BYTES,
  type Result,
  WAITING_REQUESTS,
} from "./protocol.ts";

/** Carries out the requests of clients. */
export interface RequestHandler {
  /**
   * Carries out one request.
   *
   * @param caller the process that asks; undefined where that cannot be found out
   * @param emit sends an event to the client
   * @param signal is aborted when the client gives the request up, or goes away
   * @throws UserError, which is the answer then; any other error is a broken invariant and ends the process
   */
  handle(
    request: Request,
    caller: PeerCredentials | undefined,
    emit: (event: Event) => void,
    signal: AbortSignal,
  ): Promise<Result>;
}

/** A request that is carried out, or waits for its turn. */
interface Waiting {
  readonly line: string;
  readonly controller: AbortController;
}

/** A client that is turned away reads the reason in an instant, unless it means harm. */
const GOODBYE_MS = 1_000;

/** Lines are written at the latest when there are so many bytes of them. */
const GATHERED_BYTES = 64 * 1024;

/**
 * Ends a connection after what was written to it. What the client still sends is read and thrown away: if it were unread at
 * the end, the kernel would throw away the last answer.
 *
 * @param socket of which somebody reads, or nobody does
 */
export function endSoon(socket: net.Socket): void {
  socket.end();
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
  socket.once("close", () => clearTimeout(timer));
}

/**
 * One client. Each of its lines gets exactly one result, in their order. Nothing that it sends, and nothing that it does
 * not read, takes more memory than the limits of protocol.ts allow.
 */
export class Conversation {
  private readonly socket: net.Socket;
  private readonly handler: RequestHandler;
  private readonly caller: PeerCredentials | undefined;
  /** The first one is being carried out. */
  private readonly requests: Waiting[] = [];
  private waitingBytes = 0;
  private isServing = false;
  /** Nothing more is read or carried out. */
  private isOver = false;
  private omitted = 0;
  /** Lines that are written together, before anything else is done. */
  private gathered = "";
  private isToFlush = false;
  private onRoom: () => void = () => undefined;

  constructor(socket: net.Socket, handler: RequestHandler, caller: PeerCredentials | undefined) {
    this.socket = socket;
    this.handler = handler;
    this.caller = caller;
    const lines = new LineReader(REQUEST_BYTES, (line) => this.take(line));
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      if (!this.isOver && !lines.push(text)) this.refuse("the request is too long: send less at a time");
    });
    socket.on("drain", () => this.onRoom());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.end());
  }

  private take(line: string): void {
    if (this.isOver) return;
    if (line === CANCEL_LINE) {
      this.requests[0]?.controller.abort();
      return;
    }
    this.requests.push({ line, controller: new AbortController() });
    this.waitingBytes += line.length;
    if (this.requests.length > WAITING_REQUESTS + 1 || this.waitingBytes > 2 * REQUEST_BYTES) {
      this.refuse("too many requests wait: read the answers before sending more");
    } else if (!this.isServing) {
      // No error gets here but that of a broken invariant, which ends the process.
      void this.serve();
    }
  }

  private async serve(): Promise<void> {
    this.isServing = true;
    for (let next = this.requests[0]; next !== undefined; next = this.requests[0]) {
      await this.awaitRoom();
      if (this.isOver) return;
      await this.carryOut(next);
      this.requests.shift();
      this.waitingBytes -= next.line.length;
    }
    this.isServing = false;
  }

  private async carryOut({ line, controller }: Waiting): Promise<void> {
    try {
      const emit = (event: Event) => this.send(event);
      this.send(await this.handler.handle(parseRequest(line), this.caller, emit, controller.signal));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.send({ result: "error", message: error.message, exitStatus: error.exitStatus });
    }
  }

  /** Waits while too much is unread: results are never left out, so no more of them are made. */
  private async awaitRoom(): Promise<void> {
    while (!this.isOver && this.socket.writableLength > BACKLOG_BYTES)
      await new Promise<void>((resolve) => (this.onRoom = resolve));
  }

  private send(answer: Answer): void {
    // A client that does not read must not fill the daemon's memory: it is told how much it has missed.
    if (!isResult(answer) && this.socket.writableLength > BACKLOG_BYTES) {
      this.omitted++;
      return;
    }
    if (this.omitted > 0 && isResult(answer)) {
      this.write({ event: "omitted", count: this.omitted });
      this.omitted = 0;
    }
    this.write(answer);
  }

  /** Thousands of events may come at once, and each write is a call of the kernel that wakes the client. */
  private write(answer: Answer): void {
    this.gathered += `${JSON.stringify(answer)}\n`;
    if (isResult(answer) || this.gathered.length >= GATHERED_BYTES) this.flush();
    else if (!this.isToFlush) {
      this.isToFlush = true;
      process.nextTick(() => this.flush());
    }
  }

  private flush(): void {
    const { gathered, socket } = this;
    this.isToFlush = false;
    this.gathered = "";
    if (gathered !== "" && !socket.destroyed && socket.writable) socket.write(gathered);
  }

  /** Ends the connection with an error as its last answer. */
  private refuse(message: string): void {
    this.write({ result: "error", message, exitStatus: 1 });
    this.end();
    endSoon(this.socket);
  }

  private end(): void {
    this.isOver = true;
    this.onRoom();
    for (const { controller } of this.requests) controller.abort();
  }
}
