import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";

/** Places of root that a race must not change or show. */

/** So long each race runs: `make test-security` gives each a minute. */
export const RACE_MS = Number(process.env["SECONDS"] ?? 60) * 1000;

export const asRoot = { skip: process.getuid?.() !== 0 && "only root has something to lose" };

/** A directory that is removed after the test. */
export function makeHome(context: TestContext, owner: number): string {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-race-"));
  fs.chmodSync(home, 0o755);
  fs.chownSync(home, owner, owner);
  context.after(() => fs.rmSync(home, { recursive: true, force: true }));
  return home;
}

/** A closed directory of root with a closed file. */
export class Vault {
  readonly directory: string;
  readonly file: string;
  private readonly before: string;

  constructor(context: TestContext) {
    this.directory = path.join(makeHome(context, 0), "vault");
    this.file = path.join(this.directory, "secret");
    fs.mkdirSync(this.directory, { mode: 0o700 });
    fs.writeFileSync(this.file, "a secret of root", { mode: 0o600 });
    this.before = this.describe();
  }

  /** Throws if anything in it has changed. */
  check(): void {
    assert.equal(this.describe(), this.before);
  }

  private describe(): string {
    const names = [".", ...fs.readdirSync(this.directory)];
    const facts = names.map((name) => {
      const { uid, gid, mode, nlink } = fs.lstatSync(path.join(this.directory, name));
      return `${name} ${uid}:${gid} ${mode.toString(8)} ${nlink}`;
    });
    return [...facts, fs.readFileSync(this.file, "utf8")].join("\n");
  }
}

/** Repeats something until the time of the race is over; returns how often. */
export async function race(turn: (number: number) => unknown): Promise<number> {
  let number = 0;
  for (const endMs = performance.now() + RACE_MS; performance.now() < endMs; number++) {
    await turn(number);
    // Sockets close between two turns of the loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return number;
}
