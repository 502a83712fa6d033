/** The control socket in the daemon. */
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { ExitStatus, UserError } from "../base/user-error.ts";
import { peerCredentials } from "../sys/peer-credentials.ts";
import { Conversation, type RequestHandler } from "./conversation.ts";
import { CLIENTS, type Result } from "./protocol.ts";

/** Leaves the mode 0660: the socket is for its owner and its group. */
const SOCKET_UMASK = 0o117;

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
      // A client that cannot be accepted, because descriptors or memory are used up, tries again; the daemon goes on.
      server.on("error", () => undefined);
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
        turnAway(socket);
        return;
      }
      this.clients.add(socket);
      socket.once("close", () => this.clients.delete(socket));
      new Conversation(socket, handler, peerCredentials(socket));
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

/** Says why to a client that is one too many. It gets no further place, so it is not waited for. */
function turnAway(socket: net.Socket): void {
  const message = `${CLIENTS} clients are connected already: try again later`;
  const result: Result = { result: "error", message, exitStatus: ExitStatus.unreachable };
  socket.on("error", () => socket.destroy());
  socket.end(`${JSON.stringify(result)}\n`, () => socket.destroy());
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
