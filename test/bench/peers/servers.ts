import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import type { Host } from "../../support/host.ts";
import { eventually } from "../../support/processes.ts";
import { onInterruption } from "../interruption.ts";

/** Programs of a peer that run on the hosts beside what is measured; they end with it. */
export class Servers {
  private readonly running: ChildProcess[] = [];
  /** They have process groups of their own, so nothing else ends them if the program is told to end. */
  private takeOff: (() => void) | undefined;

  /** Starts a program in a process group of its own, so that what it starts ends with it. */
  start(host: Host, program: string, args: readonly string[]): ChildProcess {
    const [first = program, ...rest]: string[] = host.command(program, args);
    const child: ChildProcess = spawn(first, rest, { stdio: "ignore", detached: true });
    child.on("error", () => undefined);
    this.running.push(child);
    this.takeOff ??= onInterruption(async () => this.end());
    return child;
  }

  /** Waits until every host with one of them has a socket on this port. */
  async listen(protocol: "tcp" | "udp", port: number): Promise<void> {
    for (const { pid = 0 } of this.running) {
      await eventually(`${protocol} port ${port} is open`, () => isOpen(pid, protocol, port));
    }
  }

  /** Waits until all have ended by themselves. */
  async ended(): Promise<void> {
    await Promise.all(this.running.filter(isRunning).map((child) => once(child, "exit")));
  }

  /** Ends them all. */
  end(): void {
    this.takeOff?.();
    this.takeOff = undefined;
    for (const child of this.running.splice(0)) {
      if (child.pid === undefined || !isRunning(child)) continue;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended in this moment.
      }
    }
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Whether a socket is bound to this port in the network namespace of a process. */
function isOpen(pid: number, protocol: "tcp" | "udp", port: number): boolean {
  const local: string = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  try {
    // The second column is the local address; "rem_address" is the third.
    const lines: string[] = fs.readFileSync(`/proc/${pid}/net/${protocol}`, "latin1").split("\n").slice(1);
    return lines.some((line) => `${line.trim().split(/\s+/)[1] ?? ""} `.endsWith(local));
  } catch {
    return false;
  }
}
