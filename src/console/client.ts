/** The end of the control socket in msync. */
import fs from "node:fs";
import net from "node:net";
import { bytesOfText } from "../base/display.ts";
import { ExitStatus, UserError } from "../base/user-error.ts";
import { ownUserName } from "../sys/own-user.ts";
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

/** Requests that take long, and that the daemon gives up if it is asked to. */
const CANCELLABLE: readonly Request["command"][] = ["send", "undo", "wait"];

/** A connection to the daemon. */
export class ConsoleClient {
  private readonly socket: net.Socket;
  private onEvent: (event: Event) => void = () => undefined;
  /** Undefined while nothing is asked. */
  private onResult: ((result: Result) => void) | undefined;
  /** Whether the connection has ended. */
  isClosed = false;
  /** Whether a request is being carried out that the daemon can give up. */
  isCancellable = false;
  private onLost: (error: UserError) => void = () => undefined;
  private lossReason: UserError = connectionLost();

  private constructor(socket: net.Socket) {
    this.socket = socket;
    const lines = new LineReader(ANSWER_BYTES, (line) => this.take(line));
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      if (!lines.push(text)) this.abandon(strangeAnswer());
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.isClosed = true;
      this.onLost(this.lossReason);
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
    if (this.isClosed) throw this.lossReason;
    this.onEvent = onEvent;
    this.isCancellable = CANCELLABLE.includes(request.command);
    const result = await new Promise<Result>((resolve, reject) => {
      this.onResult = resolve;
      this.onLost = reject;
      this.socket.write(`${JSON.stringify(request)}\n`);
    });
    this.isCancellable = false;
    if (result.result === "error") throw errorOf(result);
    return result;
  }

  /** Asks the daemon to give up the request that is being carried out; its result still comes. */
  cancel(): void {
    this.socket.write(`${CANCEL_LINE}\n`);
  }

  /** Ends the connection without waiting for the daemon; what was asked for fails with this error. */
  abandon(error: UserError): void {
    if (this.isClosed) return;
    this.lossReason = error;
    this.isClosed = true;
    this.onLost(error);
    this.socket.destroy();
  }

  close(): void {
    this.onLost = () => undefined;
    this.socket.destroy();
  }

  private takeResult(result: Result): void {
    const { onResult } = this;
    this.onResult = undefined;
    if (onResult !== undefined) onResult(result);
    // Before anything was asked: the daemon turns this client away, and says why.
    else if (result.result === "error") this.abandon(errorOf(result));
  }

  private take(line: string): void {
    if (this.isClosed) return;
    const answer = parseAnswer(line);
    if (answer === undefined) this.abandon(strangeAnswer());
    else if (isResult(answer)) this.takeResult(answer);
    else this.onEvent(answer);
  }
}

/** Undefined for what no daemon says: any program may listen on a socket. */
function parseAnswer(line: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Answer) : undefined;
  } catch {
    return undefined;
  }
}

function errorOf({ message, exitStatus }: Extract<Result, { result: "error" }>): UserError {
  return new UserError(message, exitStatus as ExitStatus);
}

function strangeAnswer(): UserError {
  return new UserError(
    "what answers on the socket is no makuosan: name the right one with -c unix:PATH",
    ExitStatus.unreachable,
  );
}

function connectionLost(): UserError {
  return new UserError("the daemon ended the connection: see its log", ExitStatus.unreachable);
}

function connectError(socketPath: string, code: string | undefined): UserError {
  const path = bytesOfText(socketPath);
  const sentence =
    code === "EACCES"
      ? permissionSentence(path, groupOf(socketPath))
      : code === "EAGAIN"
        ? `too many clients wait for the makuosan on ${path}: try again later`
        : `no makuosan answers on ${path}: start it with 'systemctl start makuosan', or name its socket with -c unix:PATH`;
  return new UserError(sentence, ExitStatus.unreachable);
}

function permissionSentence(path: string, group: string): string {
  if (group === "root") return `permission denied: only root may use the control socket ${path}`;
  return (
    `permission denied: join the group ${group}, or be root, to use the control socket ${path}: ` +
    `run 'usermod -aG ${group} ${ownUserName() ?? "USER"}' as root, and log in again`
  );
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
