import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { collect, eventually, type Finished, run, type RunOptions } from "./processes.ts";

export const DIST = path.join(import.meta.dirname, "../../dist");

/** With MAKUOSAN_TEST_PLAIN=1 all daemons use only node:dgram, so that a network test can run both ways. */
const IS_PLAIN = process.env["MAKUOSAN_TEST_PLAIN"] === "1";

/** A daemon that has not ended by then never does. */
const STOP_MS = 90_000;

/** How programs are started on a host: directly, or inside its namespaces. */
export interface Place {
  readonly prefix: readonly string[];
}

/** One server of a test fleet, with at most one daemon. */
export class Host {
  readonly name: string;
  readonly ip: string;
  /** The base directory as this test sees it; `innerBase` is its path for the daemon. */
  readonly base: string;
  readonly innerBase: string;
  readonly socket: string;
  /** What the daemon has said since its last start in the foreground. */
  log = "";
  /** Additional environment variables of the daemon. */
  environment: Record<string, string> = {};
  private readonly place: Place;
  private readonly daemonArguments: readonly string[];
  private readonly programs: string;
  private daemon: ChildProcess | undefined;
  private finished: Promise<Finished> | undefined;

  constructor(parts: {
    name: string;
    ip: string;
    base: string;
    innerBase: string;
    socket: string;
    place: Place;
    daemonArguments: readonly string[];
    /** The folder of the programs; by default that of the build. */
    programs?: string;
  }) {
    this.programs = parts.programs ?? DIST;
    this.name = parts.name;
    this.ip = parts.ip;
    this.base = parts.base;
    this.innerBase = parts.innerBase;
    this.socket = parts.socket;
    this.place = parts.place;
    this.daemonArguments = parts.daemonArguments;
  }

  get pid(): number {
    return this.daemon?.pid ?? 0;
  }

  /** The command that runs a program on this host. */
  command(program: string, args: readonly string[]): string[] {
    return [...this.place.prefix, program, ...args];
  }

  /** Runs a program on this host. */
  run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const [first = program, ...rest] = this.command(program, args);
    return run(first, rest, options);
  }

  msync(...args: string[]): Promise<Finished> {
    const [program = "", ...rest] = this.msyncCommand(...args);
    return this.run(program, rest);
  }

  /** The command line of msync on this host. */
  msyncCommand(...args: string[]): string[] {
    return [path.join(this.programs, "msync"), "-c", `unix:${this.socket}`, ...args];
  }

  /** Starts msync without waiting for it. */
  msyncProcess(...args: string[]): ChildProcess {
    return this.spawn(path.join(this.programs, "msync"), ["-c", `unix:${this.socket}`, ...args]);
  }

  /** Starts the daemon in the foreground and waits until its control socket answers. */
  async start(...more: string[]): Promise<void> {
    const args = ["-n", "-b", this.innerBase, "-U", this.socket, ...this.allArguments(more)];
    this.daemon = this.spawn(path.join(this.programs, "makuosan"), args);
    this.log = "";
    this.daemon.stdout?.on("data", (bytes: Buffer) => (this.log += bytes.toString()));
    this.finished = collect(this.daemon);
    let ended: Finished | undefined;
    void this.finished.then((result) => (ended = result));
    await eventually(`${this.name} is ready`, () => {
      if (ended !== undefined) throw new Error(`${this.name} ended: ${ended.stdout}${ended.stderr}`);
      return this.log.includes("ready\n");
    });
  }

  /** Starts the daemon as a shell does; resolves when the command returns, which is when the daemon is ready. */
  startInBackground(cwd: string, ...more: string[]): Promise<Finished> {
    const args = ["-b", this.innerBase, "-U", this.socket, ...this.allArguments(more)];
    return this.run(path.join(this.programs, "makuosan"), args, { cwd });
  }

  /**
   * Ends the daemon by a signal; returns its output.
   *
   * @throws Error if it does not end
   */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Finished> {
    const { daemon, finished } = this;
    if (daemon === undefined || finished === undefined) return { status: 0, stdout: "", stderr: "" };
    daemon.kill(signal);
    // A daemon that a test has stopped, and that was to go on, gets the signal only then.
    daemon.kill("SIGCONT");
    let isStuck = false;
    const patience = setTimeout(() => (isStuck = daemon.kill("SIGKILL")), STOP_MS);
    const result = await finished;
    clearTimeout(patience);
    this.daemon = undefined;
    if (isStuck) throw new Error(`${this.name} has not ended ${STOP_MS} ms after ${signal}: ${this.log}`);
    return result;
  }

  private allArguments(more: readonly string[]): string[] {
    return [...this.daemonArguments, ...(IS_PLAIN ? ["--no-offload"] : []), ...more];
  }

  kill(signal: NodeJS.Signals): void {
    this.daemon?.kill(signal);
  }

  private spawn(program: string, args: readonly string[]): ChildProcess {
    const [first = program, ...rest] = this.command(program, args);
    return spawn(first, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...this.environment },
    });
  }
}

/** Waits until every one of these hosts knows all the others. */
export async function acquainted(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    await eventually(`${host.name} knows ${hosts.length - 1} members`, async () => {
      const { stdout } = await host.msync("--members");
      return stdout.includes(`Total: ${hosts.length - 1} members`);
    });
  }
}
