/** The times that a file system can hold: how fine they are, and from when to when. */
import { SECOND_NS } from "../../sys/nanoseconds.ts";
import { errorCode } from "../../sys/system-error.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import { type DirectoryHandle, type Disk, ITSELF } from "./disk.ts";

/** What a file system makes of a time that it is given. */
export interface KeptTimes {
  readonly granularityNs: bigint;
  /** Every earlier time becomes this one; undefined if there is none in 64 bits. */
  readonly earliestNs: bigint | undefined;
  readonly latestNs: bigint | undefined;
}

/** An odd second with all digits of the fraction, in 2001: each granularity up to two seconds takes another part. */
const FINE_NS = 1_000_000_001_999_999_999n;

/** The first and the last time that is sent (time-out-of-range): any file system that is narrower than that shows it here. */
const FIRST_NS = -9_200_000_000_000_000_000n;
const LAST_NS = 9_200_000_000_000_000_000n;

/** FAT begins latest of all, in 1980, and 32 bits of seconds end first, in 2038; each with a day of leeway. */
const ALL_BEGUN_NS = 315_619_200n * SECOND_NS;
const FIRST_ENDS_NS = 2_147_397_247n * SECOND_NS;

/** The finest granularity above a nanosecond (NTFS), and the coarsest one (FAT). */
const FINEST_NS = 100n;
const COARSEST_NS = 2n * SECOND_NS;

/** The time that is stored for a given one. */
export function keptTime(timeNs: bigint, { granularityNs, earliestNs, latestNs }: KeptTimes): bigint {
  if (latestNs !== undefined && timeNs >= latestNs) return latestNs;
  // Of its first second a file system keeps no fraction.
  if (earliestNs !== undefined && timeNs < earliestNs + SECOND_NS) return earliestNs;
  const rest = timeNs % granularityNs;
  return timeNs - (rest < 0n ? rest + granularityNs : rest);
}

/** Whether a stored time may be all that some file system could keep of another one. Most times that differ are not. */
export function mayBeKept(storedNs: bigint, timeNs: bigint): boolean {
  if (storedNs % FINEST_NS !== 0n) return false;
  const lost = timeNs - storedNs;
  if (lost > 0n && lost < COARSEST_NS) return true;
  return storedNs % SECOND_NS === 0n && (timeNs < ALL_BEGUN_NS || timeNs > FIRST_ENDS_NS);
}

/**
 * Finds out by trying: sets times and reads them back.
 *
 * @param root the base directory
 * @returns undefined if that is not possible, for example on a file system that is read-only
 */
export function findKeptTimes(disk: Disk, root: DirectoryHandle): KeptTimes | undefined {
  const tried = [FINE_NS, FIRST_NS, LAST_NS] as const;
  const kept = disk.tryTimes(root, tried) ?? tryOnStagingRoot(disk, root, tried);
  if (kept === undefined) return undefined;
  const [fine = FINE_NS, first = FIRST_NS, last = LAST_NS] = kept;
  const lost = FINE_NS - fine;
  return {
    granularityNs: lost >= 0n && lost < COARSEST_NS ? lost + 1n : 1n,
    earliestNs: isClamped(first, FIRST_NS) ? first : undefined,
    latestNs: isClamped(last, LAST_NS) ? last : undefined,
  };
}

/** The same on the staging directory, which is removed if it is empty: FAT and NTFS have no files without names. */
function tryOnStagingRoot(
  disk: Disk,
  root: DirectoryHandle,
  timesNs: readonly bigint[],
): readonly bigint[] | undefined {
  try {
    makeStagingRoot(disk, root);
    const directory = disk.openDirectory(root, STAGING_NAME);
    try {
      return timesNs.map((timeNs) => {
        disk.setTime(directory, ITSELF, timeNs);
        return disk.statDirectory(directory).mtimeNs;
      });
    } finally {
      disk.closeDirectory(directory);
      removeStagingRoot(disk, root);
    }
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}

/** Whether it is not only less fine. */
function isClamped(keptNs: bigint, timeNs: bigint): boolean {
  const distance = keptNs < timeNs ? timeNs - keptNs : keptNs - timeNs;
  return distance >= COARSEST_NS;
}

function makeStagingRoot(disk: Disk, root: DirectoryHandle): void {
  try {
    disk.makeDirectory(root, STAGING_NAME, 0o700);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

function removeStagingRoot(disk: Disk, root: DirectoryHandle): void {
  try {
    disk.removeDirectory(root, STAGING_NAME);
  } catch (error) {
    // Something is staged.
    if (!["ENOTEMPTY", "EEXIST"].includes(errorCode(error))) throw error;
  }
}
