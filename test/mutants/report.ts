import type { Survivors } from "./survivors.ts";
import type { Judged } from "./trial.ts";

/** So much of the mutants must be caught. */
const LEAST_SHARE = 0.9;

export interface Report {
  readonly lines: readonly string[];
  /** Enough are caught, and the list has a reason for each that survives. */
  readonly isGood: boolean;
}

/** Tells how many mutants of each file were caught, and which were not. */
export function report(judged: readonly Judged[], survivors: Survivors): Report {
  const files = [...new Set(judged.map(({ mutation }) => mutation.file))].toSorted();
  const rows = files.map((file) =>
    row(
      file,
      judged.filter(({ mutation }) => mutation.file === file),
    ),
  );
  const surviving = judged.filter(({ outcome }) => outcome === "survived");
  const known = surviving.map((one) => ({ ...one, reason: survivors.reasonOf(one.mutation) }));
  const unexplained = known.filter(({ reason }) => reason === undefined).length;
  const share = judged.length === 0 ? 1 : 1 - surviving.length / judged.length;
  const lines = [...rows, ...(rows.length > 1 ? [row("all", judged)] : [])];
  const order = ({ mutation: a }: Judged, { mutation: b }: Judged) =>
    a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column;
  for (const { mutation, reason } of known.toSorted(order)) {
    const { file, line, column, kind, code, change } = mutation;
    lines.push("", `${file}:${line}:${column}:${kind}`, `  code:   ${code}`, `  change: ${change}`);
    lines.push(`  why:    ${reason ?? "NOT IN THE LIST"}`);
  }
  const percent = (100 * share).toFixed(1);
  lines.push("", `${percent} % of ${judged.length} caught, ${LEAST_SHARE * 100} % are asked for;`);
  lines.push(
    `${surviving.length} survive, ${unexplained} of them without a reason in test/mutants/survivors.txt`,
  );
  return { lines, isGood: share >= LEAST_SHARE && unexplained === 0 };
}

function row(name: string, judged: readonly Judged[]): string {
  const count = (wanted: string) => judged.filter(({ outcome }) => outcome === wanted).length;
  const survived = count("survived");
  const percent = (100 * (1 - survived / judged.length)).toFixed(1).padStart(5);
  const numbers = [count("caught"), count("time limit"), survived].map((one) => String(one).padStart(4));
  return `${percent} %  caught ${numbers[0]}  time limit ${numbers[1]}  survived ${numbers[2]}  ${name}`;
}
