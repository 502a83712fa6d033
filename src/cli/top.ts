/** The command msync --top: what the daemon does, refreshed in place. */
import { ExitStatus, UserError } from "../base/user-error.ts";
import type { ConsoleClient } from "../console/client.ts";
import type { Activity } from "../console/protocol.ts";
import { printJson, printText } from "./output.ts";
import { type Moment, picture } from "./top-picture.ts";

/** Between two pictures: rates are readable, and the daemon hardly notices the question. */
const REFRESH_MS = 1_000;

/** The size if the terminal does not tell. */
const [COLUMNS, ROWS] = [80, 24];

/** Control sequences of every terminal since the VT100: another screen, the cursor, and the rest of a line or screen. */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const END_OF_LINE = "\x1b[K";
const END_OF_SCREEN = "\x1b[J";

/**
 * Shows the activity of the daemon until q or Ctrl-C is pressed. If the output is no terminal, shows it once.
 *
 * @returns the exit status
 */
export async function runTop(client: ConsoleClient, isJson: boolean): Promise<number> {
  const first = await look(client);
  if (isJson) printJson({ result: "activity", ...first.activity });
  else if (process.stdout.isTTY !== true)
    for (const line of picture(first, undefined, Infinity, Infinity)) printText(`${line}\n`);
  else await watch(client, first);
  return ExitStatus.ok;
}

async function look(client: ConsoleClient): Promise<Moment> {
  const result = await client.request({ command: "activity" }, () => undefined);
  if (result.result !== "activity") throw new UserError("the daemon gave another answer than expected");
  const { result: _result, ...activity } = result;
  return { activity: activity satisfies Activity, atMs: performance.now() };
}

async function watch(client: ConsoleClient, first: Moment): Promise<void> {
  const quit = new Quit();
  printText(ENTER);
  try {
    let [now, before]: [Moment, Moment | undefined] = [first, undefined];
    while (!quit.isAsked) {
      draw(now, before);
      await quit.asked(REFRESH_MS);
      if (quit.isAsked) break;
      [now, before] = [await look(client), now];
    }
  } finally {
    printText(LEAVE);
    quit.stop();
  }
}

function draw(now: Moment, before: Moment | undefined): void {
  const { columns = COLUMNS, rows = ROWS } = process.stdout;
  const lines = picture(now, before, columns || COLUMNS, rows || ROWS);
  printText(`${HOME}${lines.map((line) => `${line}${END_OF_LINE}`).join("\r\n")}${END_OF_SCREEN}`);
}

/** Waits for q, Ctrl-C, or a signal that ends the program. */
class Quit {
  isAsked = false;
  private wake: () => void = () => undefined;
  private readonly onSignal = () => this.ask();
  private readonly onKeys = (keys: Buffer) => {
    // In raw mode Ctrl-C is a key: 3 is its character.
    if (keys.includes("q") || keys.includes("Q") || keys.includes(3)) this.ask();
  };

  constructor() {
    process.on("SIGINT", this.onSignal);
    process.on("SIGTERM", this.onSignal);
    if (process.stdin.isTTY !== true) return;
    process.stdin.setRawMode(true);
    process.stdin.on("data", this.onKeys);
  }

  /** Resolves when it is asked for, or after a time. */
  async asked(mostMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, mostMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.isAsked) this.wake();
    });
  }

  stop(): void {
    process.off("SIGINT", this.onSignal);
    process.off("SIGTERM", this.onSignal);
    if (process.stdin.isTTY !== true) return;
    process.stdin.off("data", this.onKeys);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  private ask(): void {
    this.isAsked = true;
    this.wake();
  }
}
