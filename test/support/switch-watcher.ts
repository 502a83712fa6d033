import fs from "node:fs";
import path from "node:path";

/**
 * Reads two files of several trees again and again, as fast as it can, and tells what it saw: the moment at which
 * each tree showed each version first, and whatever no reader may ever see. Runs as a program of its own:
 * `node switch-watcher.ts VERSIONS DIRECTORY…`, and prints its findings as JSON when it has seen the last version.
 */

export interface Findings {
  /** For each version, the moment of each tree in milliseconds. */
  readonly switchedMs: Record<string, number[]>;
  readonly wrong: string[];
}

/** The content of a file of some version: long enough that a part of it would be noticed. */
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
