/** Its other end in msync. */
import fs from "node:fs";
import net from "node:net";
import { ExitStatus, UserError } from "../base/user-error.ts";
import {
  type Answer,
  CANCEL_LINE,
  type Event,
  isResult,
  LineReader,
  type Request,
  type Result,
} from "./protocol.ts";

/** Longest answer line that is taken from a daemon. */
const ANSWER_BYTES = 64 * 1024 * 1024;

/** Reads a target such as "unix:/run/makuosan/makuosan.sock"; the path alone will do. */
export function socketPathOf(target: string): string {
  const path = target.startsWith("unix:") ? target.slice("unix:".length) : target;
  if (path.includes("/")) return path;
  throw new UserError(`the target '${target}' names no control socket: give unix:PATH`);
}

/** A connection to the daemon. */
export class ConsoleClient {
  private readonly socket: net.Socket;
  private onEvent: (event: Event) => void = () => undefined;
  private onResult: (result: Result) => void = () => undefined;
  /** Whether the connection has ended. */
  isClosed = false;
  private onLost: (error: UserError) => void = () => undefined;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    const lines = new LineReader(ANSWER_BYTES, (line) => this.take(JSON.parse(line) as Answer));
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      if (!lines.push(text)) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.isClosed = true;
      this.onLost(connectionLost());
    });
  }

  /** @throws UserError (status 2) where no daemon answers */
  static connect(path: string): Promise<ConsoleClient> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(path);
      socket.once("connect", () => resolve(new ConsoleClient(socket)));
      socket.once("error", (error: NodeJS.ErrnoException) => reject(connectError(path, error.code)));
    });
  }

  /**
   * Sends a request and waits for its result; one at a time.
   *
   * @throws UserError where the daemon refuses it, or the connection is lost
   */
  async request(request: Request, onEvent: (event: Event) => void): Promise<Result> {
    if (this.isClosed) throw connectionLost();
    this.onEvent = onEvent;
    const result = await new Promise<Result>((resolve, reject) => {
      this.onResult = resolve;
      this.onLost = reject;
      this.socket.write(`${JSON.stringify(request)}\n`);
    });
    if (result.result === "error") throw new UserError(result.message, result.exitStatus as ExitStatus);
    return result;
  }

  /** Asks the daemon to give up the request that is being carried out; its result still comes. */
  cancel(): void {
    this.socket.write(`${CANCEL_LINE}\n`);
  }

  close(): void {
    this.onLost = () => undefined;
    this.socket.destroy();
  }

  private take(answer: Answer): void {
    if (isResult(answer)) this.onResult(answer);
    else this.onEvent(answer);
  }
}

function connectionLost(): UserError {
  return new UserError("the daemon ended the connection: see its log", ExitStatus.unreachable);
}

function connectError(path: string, code: string | undefined): UserError {
  const sentence =
    code === "EACCES"
      ? permissionSentence(path)
      : `no makuosan answers on ${path}: start it with 'systemctl start makuosan', or name its socket with -c unix:PATH`;
  return new UserError(sentence, ExitStatus.unreachable);
}

function permissionSentence(path: string): string {
  const group = groupOf(path);
  if (group === "root") return `permission denied: only root may use the control socket ${path}`;
  return `permission denied: join the group ${group}, or be root, to use the control socket ${path}`;
}

/** The group whose members may use a socket. */
function groupOf(path: string): string {
  try {
    const gid = String(fs.statSync(path).gid);
    const lines = fs.readFileSync("/etc/group", "latin1").split("\n");
    return lines.find((line) => line.split(":")[2] === gid)?.split(":")[0] ?? gid;
  } catch {
    return "of makuosan";
  }
}
