/** The control socket in the daemon. */
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { ExitStatus, UserError } from "../base/user-error.ts";
import { peerCredentials } from "../sys/peer-credentials.ts";
import { Conversation, endSoon, type RequestHandler } from "./conversation.ts";
import { CLIENTS, CLIENTS_OF_USER, type Result } from "./protocol.ts";
import { checkSocketPath } from "./socket-path.ts";

/** Leaves the mode 0660: the socket is for its owner and its group. */
const SOCKET_UMASK = 0o117;

const ROOT = 0;

/** The control socket: a UNIX stream socket that its mode and group protect. */
export class ConsoleServer {
  private readonly server: net.Server;
  /** With the user of each; undefined where it is not known. */
  private readonly clients = new Map<net.Socket, number | undefined>();
  /** Clients that were one too many, and have not gone. */
  private readonly turnedAway = new Set<net.Socket>();
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
    checkSocketPath(socketPath);
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

  /**
   * From now on clients are served.
   *
   * @param callerOf finds the process of a client
   */
  serve(handler: RequestHandler, callerOf = peerCredentials): void {
    this.server.on("connection", (socket) => {
      const caller = callerOf(socket);
      const objection = this.objectionTo(caller?.uid);
      if (objection !== undefined) {
        this.turnAway(socket, objection);
        return;
      }
      this.clients.set(socket, caller?.uid);
      socket.once("close", () => this.clients.delete(socket));
      new Conversation(socket, handler, caller);
    });
  }

  close(): void {
    this.server.close();
    for (const client of this.clients.keys()) client.destroySoon();
    try {
      // Somebody else's socket may stand there by now.
      if (fs.statSync(this.socketPath).ino === this.inode) fs.rmSync(this.socketPath, { force: true });
    } catch {
      // The directory belongs to root; the next start replaces the socket.
    }
  }

  /** Why a client of this user gets no place; undefined if it gets one. */
  private objectionTo(uid: number | undefined): string | undefined {
    const { size } = this.clients;
    const ofUser = [...this.clients.values()].filter((one) => one === uid).length;
    const isRoot = uid === ROOT;
    if (isRoot ? ofUser >= CLIENTS : size >= CLIENTS) return `${CLIENTS} clients are connected already`;
    if (uid === undefined || isRoot || ofUser < CLIENTS_OF_USER) return undefined;
    return `${CLIENTS_OF_USER} clients of this user are connected already`;
  }

  /** Says why to a client that is one too many. So many of these are waited for as have a place, and no more. */
  private turnAway(socket: net.Socket, objection: string): void {
    const message = `${objection}: try again later`;
    const result: Result = { result: "error", message, exitStatus: ExitStatus.unreachable };
    socket.on("error", () => socket.destroy());
    socket.write(`${JSON.stringify(result)}\n`);
    if (this.turnedAway.size >= CLIENTS) {
      socket.destroySoon();
      return;
    }
    this.turnedAway.add(socket);
    socket.once("close", () => this.turnedAway.delete(socket));
    endSoon(socket);
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
