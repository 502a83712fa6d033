import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";

/** The output of a program, and how it ended. */
export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly timeoutMs?: number;
  readonly input?: string;
}

/** Runs a program until it ends; rejects when it has not ended in time, and ends it then. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawn(program, [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A program that ends without reading its input has not failed.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  return inTime(child, collect(child), options.timeoutMs ?? 120_000);
}

/** A program that is stopped hears no other signal, and one of its own may hold its output open: neither is waited for. */
async function inTime(child: ChildProcess, finished: Promise<Finished>, mostMs: number): Promise<Finished> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill("SIGKILL");
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
      reject(new Error(`after ${mostMs} ms still running: ${child.spawnargs.join(" ")}`));
    }, mostMs);
  });
  try {
    return await Promise.race([finished, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function collect(child: ChildProcess): Promise<Finished> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (bytes: Buffer) => out.push(bytes));
  child.stderr?.on("data", (bytes: Buffer) => err.push(bytes));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}

/** What a program says first; rejects if it ends before. */
export function firstOutput(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", (bytes: Buffer) => resolve(bytes.toString()));
    child.once("error", reject);
    child.once("close", (status) =>
      reject(new Error(`it ended with ${status} and said nothing: ${child.spawnargs.join(" ")}`)),
    );
  });
}

/** Runs a program that must succeed; returns its output. */
export async function must(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await run(program, args, options);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr}${stdout}`);
  return stdout;
}

/** Waits until a condition holds that another process brings about. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
  mostMs = 15_000,
): Promise<void> {
  const endMs = performance.now() + mostMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`after ${mostMs} ms still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether this machine has a program on its path. */
export async function hasProgram(program: string): Promise<boolean> {
  return (await run("sh", ["-c", `command -v ${program}`])).status === 0;
}

/** Ends all processes that are chosen, also those that are stopped. */
export function killAll(isChosen: (pid: number) => boolean): void {
  for (const name of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || !isChosen(Number(name))) continue;
    try {
      process.kill(Number(name), "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
