import { fuzz } from "./fuzz.ts";
import { TARGETS } from "./targets.ts";

/** `make fuzz`: CASES in all, from SEED, of one TARGET or of all. */

const CASES = 10_000_000;
const { env } = process;
const seed = Number(env["SEED"] ?? Date.now() % 1_000_000_000);
const chosen = TARGETS.filter(({ name }) => env["TARGET"] === undefined || env["TARGET"] === name);
if (chosen.length === 0) throw new Error(`TARGET is one of ${TARGETS.map(({ name }) => name).join(", ")}`);
const cases = Math.ceil(Number(env["CASES"] ?? CASES) / chosen.length);

process.stdout.write(`SEED=${seed}\n`);
for (const target of chosen) {
  const beganMs = performance.now();
  const { accepted } = fuzz(target, seed, cases);
  const seconds = (performance.now() - beganMs) / 1000;
  const rate = Math.round(cases / seconds);
  const share = ((100 * accepted) / cases).toFixed(1);
  process.stdout.write(
    `${target.name.padEnd(12)} ${cases} cases, ${share} % accepted, ${seconds.toFixed(1)} s, ${rate} a second\n`,
  );
}
