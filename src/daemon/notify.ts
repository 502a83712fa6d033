import systemdNotify from "systemd-notify";
import { UnixDatagram } from "../sys/unix-datagram.ts";

/**
 * Tells the service manager how the daemon is. A datagram of our own where the FFI library is there: it takes
 * microseconds and works after the privileges are dropped. Otherwise the package systemd-notify, which runs the
 * program of that name.
 */
export class ServiceNotifier {
  private readonly socket: UnixDatagram | undefined;
  private readonly isManaged: boolean;

  constructor() {
    const path = process.env["NOTIFY_SOCKET"];
    this.isManaged = path !== undefined && path !== "";
    this.socket = this.isManaged ? UnixDatagram.open(path ?? "") : undefined;
  }

  ready(status: string): void {
    if (!this.isManaged || this.socket?.send(`READY=1\nSTATUS=${status}`) === true) return;
    systemdNotify({ ready: true, status }).catch(() => undefined);
  }

  status(status: string): void {
    if (!this.isManaged || this.socket?.send(`STATUS=${status}`) === true) return;
    systemdNotify({ status }).catch(() => undefined);
  }

  stopping(): void {
    this.socket?.send("STOPPING=1");
  }
}

/** Whether a service manager started this process and waits for its readiness. */
export function isManagedService(): boolean {
  return (process.env["NOTIFY_SOCKET"] ?? "") !== "";
}
