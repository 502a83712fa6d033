/** One running hook program: its output, its limit of time, its end. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";

/** Lines of output that go to the log, and how long each may be: enough to find a mistake, too little to fill a disk. */
const LINES = 1_000;
const LINE_CHARACTERS = 1_000;

/**
 * How long output is read after the end of a program: programs that it has started may hold the pipe for ever. Half a second
 * is enough for the output that is in the pipe already.
 */
const OUTPUT_MS = 500;

/** One run of a hook program. */
export interface HookRun {
  readonly program: string;
  readonly environment: Record<string, string>;
  /** The descriptor that becomes its standard input. */
  readonly input: number;
  /** The user that it runs as; undefined for the daemon's own user. */
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
  readonly timeoutMs: number;
  readonly onLine: (line: string) => void;
}

/** A program that is running, in a process group of its own. */
export class HookProcess {
  /** Resolves when it has ended: with undefined after a success, or else with the reason. */
  readonly ended: Promise<string | undefined>;
  private child: ChildProcess | undefined;
  private killedFor: string | undefined;
  private lines = 0;
  private lastLine = "";

  constructor(run: HookRun) {
    this.ended = this.start(run);
  }

  /** Ends the program and all that it has started in its group. */
  kill(reason: string): void {
    this.killedFor ??= reason;
    try {
      if (this.child?.pid !== undefined) process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // No process of the group is left.
    }
  }

  private async start(run: HookRun): Promise<string | undefined> {
    const { program, environment: env, input, account, timeoutMs } = run;
    const user = account === undefined ? {} : { uid: account.uid, gid: account.gid };
    try {
      const stdio = [input, "pipe", "pipe"] as const;
      this.child = spawn(program, [], { cwd: "/", env, detached: true, stdio: [...stdio], ...user });
    } catch (error) {
      return `cannot be run (${codeOf(error)})`;
    }
    const timer = setTimeout(() => this.kill(`did not end within ${timeoutMs / 1000} s`), timeoutMs);
    const verdict = await this.end(this.child, run.onLine);
    clearTimeout(timer);
    return verdict;
  }

  private end(child: ChildProcess, onLine: (line: string) => void): Promise<string | undefined> {
    const outputs = [child.stdout, child.stderr].filter((stream) => stream !== null);
    for (const output of outputs) this.readLines(output, onLine);
    return new Promise((resolve) => {
      child.once("error", (error) => resolve(`cannot be run (${codeOf(error)})`));
      child.once("exit", (status, signal) => {
        const finish = () => {
          clearTimeout(patience);
          for (const output of outputs) output.destroy();
          resolve(this.verdict(status, signal));
        };
        const patience = setTimeout(finish, OUTPUT_MS);
        child.once("close", finish);
      });
    });
  }

  private verdict(status: number | null, signal: NodeJS.Signals | null): string | undefined {
    const said = this.lastLine === "" ? "" : `: ${this.lastLine.slice(0, 200)}`;
    if (this.killedFor !== undefined) return this.killedFor;
    if (signal !== null) return `was ended by ${signal}${said}`;
    return status === 0 ? undefined : `ended with status ${status}${said}`;
  }

  private readLines(output: Readable, onLine: (line: string) => void): void {
    let rest = "";
    const take = (line: string) => {
      if (line === "") return;
      this.lastLine = line;
      this.lines++;
      if (this.lines <= LINES) onLine(line);
      else if (this.lines === LINES + 1) onLine("(it says more than is logged)");
    };
    output.setEncoding("utf8");
    output.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      // A line without an end must not grow for ever.
      rest = (lines.pop() ?? "").slice(0, LINE_CHARACTERS);
      for (const line of lines) take(line.slice(0, LINE_CHARACTERS));
    });
    output.on("end", () => take(rest));
    output.on("error", () => undefined);
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
