/** The control socket in the daemon. */
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { UserError } from "../base/user-error.ts";
import { parseRequest } from "./parse-request.ts";
import {
  type Answer,
  BACKLOG_BYTES,
  CANCEL_LINE,
  CLIENTS,
  type Event,
  isResult,
  LineReader,
  type Request,
  REQUEST_BYTES,
  type Result,
  WAITING_REQUESTS,
} from "./protocol.ts";

/** Leaves the mode 0660: the socket is for its owner and its group. */
const SOCKET_UMASK = 0o117;

/** Who carries out the requests of clients. */
export interface RequestHandler {
  /**
   * Carries out one request.
   *
   * @param emit sends an event to the client
   * @param signal is aborted when the client goes away
   */
  handle(request: Request, emit: (event: Event) => void, signal: AbortSignal): Promise<Result>;
}

/** The control socket: a UNIX stream socket that its mode and group protect. */
export class ConsoleServer {
  private readonly server: net.Server;
  private readonly clients = new Set<net.Socket>();
  private readonly socketPath: string;
  private readonly inode: number;

  private constructor(socketPath: string, server: net.Server) {
    this.socketPath = socketPath;
    this.server = server;
    this.inode = fs.statSync(socketPath).ino;
  }

  /**
   * Opens the socket. One that a dead daemon has left is replaced, one that answers is not.
   *
   * @throws UserError where it cannot be made
   */
  static async open(socketPath: string): Promise<ConsoleServer> {
    makeDirectory(path.dirname(socketPath));
    if (await answers(socketPath)) {
      throw new UserError(
        `another makuosan answers on ${socketPath}: stop it first, or choose another socket with -U`,
      );
    }
    const server = net.createServer({ allowHalfOpen: false });
    removeDeadSocket(socketPath);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        // The socket has its mode from the start: a change by path could meet something else in its place.
        const umask = process.umask(SOCKET_UMASK);
        server.listen(socketPath, resolve);
        process.umask(umask);
      });
      return new ConsoleServer(socketPath, server);
    } catch (error) {
      server.close();
      throw new UserError(
        `the control socket ${socketPath} cannot be made (${(error as NodeJS.ErrnoException).code}): ` +
          "choose another with -U",
      );
    }
  }

  /** From now on clients are served. */
  serve(handler: RequestHandler): void {
    this.server.on("connection", (socket) => {
      if (this.clients.size >= CLIENTS) {
        socket.destroy();
        return;
      }
      this.clients.add(socket);
      socket.once("close", () => this.clients.delete(socket));
      serveClient(socket, handler);
    });
  }

  close(): void {
    this.server.close();
    for (const client of this.clients) client.destroySoon();
    try {
      // Somebody else's socket may stand there by now.
      if (fs.statSync(this.socketPath).ino === this.inode) fs.rmSync(this.socketPath, { force: true });
    } catch {
      // The directory belongs to root; the next start replaces the socket.
    }
  }
}

/** A socket that nobody answers on is removed; anything else in its place is not. */
function removeDeadSocket(socketPath: string): void {
  const stats = fs.lstatSync(socketPath, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (stats.isSocket()) fs.rmSync(socketPath, { force: true });
  else
    throw new UserError(`${socketPath} is there and is no socket: remove it, or choose another path with -U`);
}

function makeDirectory(directory: string): void {
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new UserError(
      `the directory ${directory} of the control socket cannot be made ` +
        `(${(error as NodeJS.ErrnoException).code}): choose another socket with -U`,
    );
  }
}

/** Whether somebody listens on a socket. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(socketPath);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

function serveClient(socket: net.Socket, handler: RequestHandler): void {
  let current = new AbortController();
  let omitted = 0;
  const write = (answer: Answer) => socket.destroyed || socket.write(`${JSON.stringify(answer)}\n`);
  const send = (answer: Answer) => {
    // A client that does not read must not fill the daemon's memory: it is told how much it has missed.
    if (!isResult(answer) && socket.writableLength > BACKLOG_BYTES) {
      omitted++;
      return;
    }
    if (omitted > 0 && isResult(answer)) write({ event: "omitted", count: omitted });
    if (isResult(answer)) omitted = 0;
    write(answer);
  };
  // One request after the other: the next one begins when the one before has its result.
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  const serveNext = (line: string) => {
    if (socket.destroyed) return Promise.resolve();
    current = new AbortController();
    return carryOut(line, handler, send, current.signal);
  };
  const lines = new LineReader(REQUEST_BYTES, (line) => {
    if (line === CANCEL_LINE) current.abort();
    else if (++waiting > WAITING_REQUESTS) socket.destroy();
    else last = last.then(() => serveNext(line)).finally(() => waiting--);
  });
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    if (lines.push(text)) return;
    send({ result: "error", message: "the request is too long", exitStatus: 1 });
    socket.destroySoon();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => current.abort());
}

async function carryOut(
  line: string,
  handler: RequestHandler,
  send: (answer: Answer) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    send(await handler.handle(parseRequest(line), send, signal));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    send({ result: "error", message: error.message, exitStatus: error.exitStatus });
  }
}
