import { losePower } from "./real-images.ts";

/**
 * `make power-loss`: loss of power at random moments of pushes, on images of real file systems; as root. MOMENTS= on
 * each, SEED= of the first tree, FILE_SYSTEM= for one.
 *
 * It has to run in a mount namespace of its own: a namespace that another process makes meanwhile would have the mounts,
 * too, and a file system would stay mounted after it was unmounted here.
 */

const MOMENTS = Number(process.env.MOMENTS ?? 300);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

for (const name of ["ext4", "xfs", "btrfs"] as const) {
  if (![undefined, "", name].includes(process.env.FILE_SYSTEM)) continue;
  const outcome = await losePower(name, MOMENTS, SEED);
  if ("skip" in outcome) {
    console.log(`${name}: skipped: ${outcome.skip}`);
    continue;
  }
  const { moments, done, old, new: newer, bad } = outcome;
  console.log(
    `${name}: ${moments} moments: ${done} after a push was done, ${old} old and ${newer} new in the middle of one, ` +
      `${bad.length} bad`,
  );
  for (const problem of bad) console.log(`  ${problem}`);
  if (bad.length === 0) continue;
  console.log(`look at it again with: make power-loss FILE_SYSTEM=${name} SEED=${SEED}`);
  process.exitCode = 1;
}
