/** Readiness, status, reloads and signs of life for the service manager. */
import { execFile } from "node:child_process";
import systemdNotify from "systemd-notify";
import { UnixDatagram } from "../../sys/unix-datagram.ts";

/** Signs of life within the timeout of the service manager: with three, one that comes late does no harm. */
const SIGNS_PER_TIMEOUT = 3;

/** Variables that are meant for this process alone: hooks must not have them. */
const OWN_ENVIRONMENT = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/**
 * Tells the service manager the state of the daemon. With the FFI library it sends datagrams itself: that takes
 * microseconds and works after the privileges are dropped. Without, it uses the package systemd-notify, which runs the
 * program of that name. The package knows no signs of life; for those the program is run directly.
 */
export class ServiceNotifier {
  /** Whether a service manager started this process and waits for its readiness. */
  readonly isManaged: boolean;
  /** The time between two calls of watchdog(); undefined if the service manager does not watch. */
  readonly signOfLifeMs: number | undefined;
  private readonly socket: UnixDatagram | undefined;
  private lastStatus = "";

  constructor() {
    const path = process.env["NOTIFY_SOCKET"] ?? "";
    this.isManaged = path !== "";
    this.signOfLifeMs = this.isManaged ? watchdogInterval() : undefined;
    this.socket = this.isManaged ? UnixDatagram.open(path) : undefined;
    if (this.socket !== undefined) for (const name of OWN_ENVIRONMENT) delete process.env[name];
  }

  /** The start, or a reload, has come to its end. */
  async ready(text: string): Promise<void> {
    const status = (this.lastStatus = oneLine(text));
    if (!this.isManaged || this.socket?.send(`READY=1\nSTATUS=${status}`) === true) return;
    await systemdNotify({ ready: true, status }).catch(() => undefined);
  }

  /** One line for the administrator. It is sent only if it is another one than before. */
  async status(text: string): Promise<void> {
    const status = oneLine(text);
    if (!this.isManaged || status === this.lastStatus) return;
    this.lastStatus = status;
    if (this.socket?.send(`STATUS=${status}`) === true) return;
    await systemdNotify({ status }).catch(() => undefined);
  }

  /** A reload begins; ready() ends it. */
  reloading(): void {
    // Node's clock is the monotonic one of the kernel.
    const monotonicUsec = process.hrtime.bigint() / 1000n;
    this.socket?.send(`RELOADING=1\nMONOTONIC_USEC=${monotonicUsec}`);
  }

  /** The daemon has begun to stop. */
  stopping(): void {
    this.socket?.send("STOPPING=1");
  }

  /** A sign of life. */
  watchdog(): void {
    if (this.signOfLifeMs === undefined || this.socket?.send("WATCHDOG=1") === true) return;
    execFile("systemd-notify", ["WATCHDOG=1"], () => undefined);
  }
}

/** Each line of a datagram is a message of its own, and names in a sentence may hold anything. */
function oneLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]/g, "?");
}

/** Milliseconds between two signs of life; undefined if they are meant for another process, or not wanted. */
function watchdogInterval(): number | undefined {
  const timeoutMs = Number(process.env["WATCHDOG_USEC"]) / 1000;
  const isForAnother = (process.env["WATCHDOG_PID"] ?? String(process.pid)) !== String(process.pid);
  if (isForAnother || !(timeoutMs > 0)) return undefined;
  return Math.max(1, Math.floor(timeoutMs / SIGNS_PER_TIMEOUT));
}
