/** Judges the disk of a host, that of this one and those of members alike. */
import type { DiskCondition } from "../../wire/examination-messages.ts";
import { type Findings, shareText, sizeText } from "./findings.ts";

/** Less room than this is worth a word: pushes stage everything before they replace anything. */
const LEAST_SHARE = 0.05;

/**
 * Judges what a disk has said.
 *
 * @param base how the base directory is named for people
 */
export function judgeDisk(findings: Findings, disk: DiskCondition, base: string): void {
  if (!disk.isKnown) {
    findings.problem(
      "base",
      `the disk of ${base} does not answer`,
      "look for the disk's errors with 'dmesg' on this host, and for a network file system that is away",
    );
    return;
  }
  judgeWriting(findings, disk, base);
  judgeRoom(findings, disk, base);
  judgeInodes(findings, disk, base);
}

function judgeWriting(findings: Findings, { isWritable }: DiskCondition, base: string): void {
  const mend =
    "on this host, look whether the file system is full or mounted read-only, and whether the daemon's user may write there";
  if (isWritable) findings.ok("base", `a file can be written in ${base}`, { writable: true });
  else findings.problem("base", `no file can be written in ${base}`, mend, { writable: false });
}

function judgeRoom(findings: Findings, { freeBytes, allBytes }: DiskCondition, base: string): void {
  const text = `${sizeText(freeBytes)} of ${sizeText(allBytes)} are free (${shareText(freeBytes, allBytes)})`;
  const values = { freeBytes, allBytes };
  const mend = `make room on the file system of ${base}: 'df ${base}'`;
  // Some network file systems do not say, and one that cannot be asked has been told already.
  if (allBytes === 0)
    findings.ok("space", `the file system of ${base} does not say how much room it has`, values);
  else if (freeBytes === 0) findings.problem("space", text, mend, values);
  else if (freeBytes < allBytes * LEAST_SHARE) findings.hint("space", text, mend, values);
  else findings.ok("space", text, values);
}

function judgeInodes(findings: Findings, { freeInodes, allInodes }: DiskCondition, base: string): void {
  // A file system such as btrfs makes them as they are needed, and says 0 of 0.
  const values = { freeInodes, allInodes };
  const text = `${freeInodes} of ${allInodes} inodes are free`;
  const mend = `remove files from the file system of ${base}: 'df -i ${base}'`;
  if (allInodes === 0) findings.ok("inodes", `the file system of ${base} does not count inodes`, values);
  else if (freeInodes === 0) findings.problem("inodes", text, mend, values);
  else if (freeInodes < allInodes * LEAST_SHARE) findings.hint("inodes", text, mend, values);
  else findings.ok("inodes", text, values);
}
