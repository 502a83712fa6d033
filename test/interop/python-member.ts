import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import readline from "node:readline";
import type { Host } from "../support/host.ts";
import { eventually, run } from "../support/processes.ts";

/** Runs `member.py`, the second implementation of the protocol, on a host of a test fleet. */

const PROGRAM = path.join(import.meta.dirname, "member.py");

/** The first Python, or that of the system, which has the packages of the distribution. */
const PYTHONS = ["python3", "/usr/bin/python3"];

/** The Python that has what the program needs; undefined if there is none. */
async function findPython(): Promise<string | undefined> {
  for (const python of PYTHONS) {
    // The shell tells of a program that is not there; run() would wait for it.
    const script = `exec ${python} -c "import cryptography.hazmat.primitives.ciphers.aead"`;
    if ((await run("sh", ["-c", script])).status === 0) return python;
  }
  return undefined;
}

const python = await findPython();

/** Why the second implementation cannot run on this machine; undefined if it can. */
export const pythonProblem =
  python === undefined ? "python3 with its package cryptography is not there" : undefined;

/** How an own transfer of the member ended for another one. */
export interface Verdict {
  readonly verdict: "done" | "failed" | "unconfirmed";
  readonly reason: string;
  /** Kind, path and text. */
  readonly findings: readonly (readonly [number, string, string])[];
  /** The paths that the other member wanted, with the byte of the difference; -1 if it gave only bits. */
  readonly updated: Readonly<Record<string, number>>;
}

export interface Pushed {
  readonly event: "pushed";
  readonly id: number;
  readonly members: Readonly<Record<string, Verdict>>;
  readonly blocks: number;
  readonly fragments: number;
  readonly repaired: number;
  /** How many files' contents were sent. */
  readonly contents: number;
  /** The bytes of a full fragment of its blocks. */
  readonly payload: number;
  readonly seconds: number;
}

export interface Received {
  readonly event: "received";
  readonly sender: string;
  readonly transfer: number;
  readonly phase: string;
  readonly reason: string;
  /** The bytes of a full fragment of its blocks. */
  readonly payload: number;
  /** How many of its blocks were restored with parity. */
  readonly restored: number;
  /** How many bytes of chunks it took from its own files. */
  readonly reused: number;
}

interface OtherEvent {
  readonly event: "ready" | "members" | "malformed" | "foreign";
  readonly names?: readonly string[];
}

type MemberEvent = Pushed | Received | OtherEvent;

export interface PushOptions {
  readonly delete?: boolean;
  readonly dry?: boolean;
  readonly check?: boolean;
  readonly checksum?: boolean;
}

export class PythonMember {
  readonly host: Host;
  readonly events: MemberEvent[] = [];
  private readonly arguments: readonly string[];
  private process: ChildProcess | undefined;
  private errors = "";
  private pushes = 0;

  /**
   * @param host a host of the fleet without a daemon
   * @param more further arguments of the program
   */
  constructor(host: Host, more: readonly string[]) {
    this.host = host;
    this.arguments = ["--base", host.innerBase, "--address", host.ip, "--name", host.name, ...more];
  }

  async start(): Promise<void> {
    const [program = "", ...args] = this.host.command(python ?? "python3", [PROGRAM, ...this.arguments]);
    // The port has one owner on a host, so nothing else can answer in its place.
    this.process = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.process.stderr?.on("data", (bytes: Buffer) => (this.errors += bytes.toString()));
    const lines = readline.createInterface({ input: this.process.stdout! });
    lines.on("line", (line) => this.events.push(JSON.parse(line) as MemberEvent));
    await this.until("it is ready", () => this.events.some(({ event }) => event === "ready"));
  }

  /** Waits for an event, unless the program ends before. */
  async until(what: string, holds: () => boolean, mostMs = 60_000): Promise<void> {
    const check = () => {
      if (holds()) return true;
      if (this.process?.exitCode !== null) throw new Error(`member.py has ended: ${this.errors}`);
      return false;
    };
    await eventually(`${this.host.name}: ${what}`, check, mostMs);
  }

  knows(...names: string[]): Promise<void> {
    const isKnown = () => {
      const last = this.events.filter(({ event }) => event === "members").at(-1) as OtherEvent | undefined;
      return JSON.stringify(last?.names) === JSON.stringify(names);
    };
    return this.until(`it knows ${names.join(" and ")}`, isKnown);
  }

  /** Pushes paths below the base directory to all members. */
  async push(paths: readonly string[], options: PushOptions = {}): Promise<Pushed> {
    const id = ++this.pushes;
    this.process?.stdin?.write(`${JSON.stringify({ push: paths, id, ...options })}\n`);
    const find = () => this.events.find((one): one is Pushed => one.event === "pushed" && one.id === id);
    await this.until(`push ${id} has ended`, () => find() !== undefined);
    return find()!;
  }

  /** The transfers that it has received. */
  received(): Received[] {
    return this.events.filter((one): one is Received => one.event === "received");
  }

  /** What has broken a rule of the document. */
  faults(): MemberEvent[] {
    return this.events.filter(({ event }) => event === "malformed" || event === "foreign");
  }

  async kill(): Promise<void> {
    if (this.process?.exitCode !== null) throw new Error(`member.py has ended: ${this.errors}`);
    const closed = new Promise((resolve) => this.process?.once("close", resolve));
    this.process.kill("SIGKILL");
    await closed;
    this.process = undefined;
  }

  /** Lets it say goodbye; returns what it wrote to its standard error. */
  async stop(): Promise<string> {
    if (this.process === undefined) return "";
    const closed = new Promise((resolve) => this.process?.once("close", resolve));
    const isRunning = this.process.exitCode === null;
    this.process.stdin?.end(`${JSON.stringify({ quit: true })}\n`);
    if (isRunning) await closed;
    this.process = undefined;
    return this.errors;
  }
}
