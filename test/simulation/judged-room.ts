import type { StageOutcome } from "../../src/engine/types.ts";
import { entriesNeedingContents } from "../../src/wire/differences.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { decodeManifest } from "../../src/wire/manifest.ts";
import { check } from "./check.ts";
import type { Machine } from "./machine.ts";
import { unseen } from "./picture.ts";
import type { WireBlock } from "./source-driver.ts";

/** The contents of one transfer at a member, in bytes. */
export interface Contents {
  /** Contents that it has to receive. */
  neededBytes: number;
  /** Contents that it has. */
  readonly receivedBytes: number;
  /** Whether it only asks how things are, and so needs no room. Its first block tells. */
  isCheck: boolean;
}

/** A transfer that wants more than there is room for is refused when it is planned. */
export function judgeRoom(
  { disk, name: host }: Machine,
  name: string,
  inbound: Contents,
  block: WireBlock,
  { wants, differences }: Extract<StageOutcome, { kind: "staged" }>,
): void {
  const contents = differences === undefined ? wants : entriesNeedingContents(differences);
  const { terms, directories } = decodeManifest(block.plaintext);
  inbound.isCheck ||= terms?.isCheck === true;
  if (inbound.isCheck) return;
  const entries = directories.flatMap((directory) => directory.entries);
  entries.forEach(({ type, size, extras }, index) => {
    if (type === EntryType.file && wants?.get(index) === true && contents?.get(index) === true)
      inbound.neededBytes += extras?.allocated ?? size;
  });
  const missingBytes = inbound.neededBytes - inbound.receivedBytes;
  const freeBytes = unseen(disk, () => {
    const root = disk.openRoot("/");
    const facts = disk.fileSystemOf(root);
    disk.closeDirectory(root);
    return facts.freeBytes;
  });
  check(
    missingBytes <= freeBytes || missingBytes === 0,
    `${host} takes ${missingBytes} bytes of ${name} with room for ${freeBytes}`,
  );
}
