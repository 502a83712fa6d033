import fs from "node:fs";
import path from "node:path";

/**
 * Reads two files of several trees again and again, as fast as it can, and reports what it saw: the time at which each
 * tree first showed each version, and every state that no reader may ever see. It runs as a program of its own: `node
 * switch-watcher.ts VERSIONS DIRECTORY…`, and prints its findings as JSON when it has seen the last version.
 */

export interface Findings {
  /** For each version, the time of each tree's switch in milliseconds. */
  readonly switchedMs: Record<string, number[]>;
  readonly wrong: string[];
}

/** The contents of a file of some version: long enough to notice if only a part of it is read. */
export function contentOf(version: number): string {
  return `${version}\n`.repeat(4000);
}

function versionIn(file: string, wrong: string[]): number {
  let text: string;
  try {
    text = fs.readFileSync(file, "latin1");
  } catch (error) {
    wrong.push(`${file}: ${(error as NodeJS.ErrnoException).code}`);
    return -1;
  }
  const version = Number(text.slice(0, text.indexOf("\n")));
  if (text !== contentOf(version)) wrong.push(`${file}: a part of version ${version}`);
  return version;
}

function main(versions: number, directories: readonly string[]): Findings {
  const switchedMs: Record<string, number[]> = {};
  const wrong: string[] = [];
  const seen = directories.map(() => 0);
  while (seen.some((version) => version < versions) && wrong.length < 10) {
    directories.forEach((directory, index) => {
      const first = versionIn(path.join(directory, "first"), wrong);
      versionIn(path.join(directory, "second"), wrong);
      if (first <= (seen[index] as number)) return;
      seen[index] = first;
      (switchedMs[first] ??= [])[index] = performance.timeOrigin + performance.now();
    });
  }
  return { switchedMs, wrong };
}

if (import.meta.main) {
  const [versions = "0", ...directories] = process.argv.slice(2);
  process.stdout.write(JSON.stringify(main(Number(versions), directories)));
}
