import type { Host } from "./host.ts";
import { must } from "./processes.ts";

/** A line per entry below the base directory, with type, mode, owner, time in nanoseconds, size and link target. */
export async function listing(host: Host): Promise<string> {
  const format = "%P %y %m %u %g %T@ %s %l\\n";
  const script = `cd "$1" && find . -mindepth 1 -not -path './.makuosan*' \\( -type d -printf '${format.replace("%s ", "")}' -o -printf '${format}' \\) | LC_ALL=C sort`;
  return must("sh", ["-c", script, "sh", host.base]);
}

/** What differs between the trees of two hosts: metadata first, then contents; empty when nothing does. */
export async function sameTrees(a: Host, b: Host): Promise<string> {
  const [one, other] = await Promise.all([listing(a), listing(b)]);
  if (one !== other) {
    const lines = new Set(other.split("\n"));
    return one.split("\n").filter((line) => !lines.has(line)).slice(0, 5).join("\n") || "superfluous entries";
  }
  return must("sh", ["-c", 'diff -r --no-dereference -x .makuosan "$1" "$2" | head -5', "sh", a.base, b.base]);
}

/** Fills a directory with files of random bytes: `directories` times `files`, of sizes around `bytes`. */
export async function makeTree(base: string, directories: number, files: number, bytes: number): Promise<void> {
  const script = `cd "$1" && for d in $(seq ${directories}); do mkdir d$d && for f in $(seq ${files}); do
    head -c $(( (d * 7919 + f * 104729) % (2 * ${bytes}) )) /dev/urandom > d$d/f$f; done; done`;
  await must("sh", ["-c", script, "sh", base]);
}

export async function makeFile(file: string, bytes: number): Promise<void> {
  await must("sh", ["-c", `head -c ${bytes} /dev/urandom > "$1"`, "sh", file]);
}
