import type { DirectoryHandle } from "../../src/tree/disk/disk.ts";
import type { DiskCall } from "../disk/faults.ts";
import type { MemoryDisk } from "../disk/memory-disk.ts";
import { check } from "../simulation/check.ts";
import type { MemoryPush } from "./push.ts";

/** Watches a commit: nothing is deleted before everything new is in its place. */
export class DeletesLast {
  private readonly push: MemoryPush;
  /** Names in the base directory that the push brings, and below those that it deletes. */
  private readonly coming: readonly string[];
  private readonly going: readonly string[];
  private isLooking = false;

  constructor(push: MemoryPush) {
    this.push = push;
    const [old, fresh] = [push.to, push.from].map((disk) => new Set(namesIn(disk)));
    this.coming = [...(fresh ?? [])].filter((name) => old?.has(name) !== true);
    this.going = [...(old ?? [])].filter((name) => fresh?.has(name) !== true);
  }

  look(call: DiskCall): void {
    if (this.isLooking || !call.isChange || this.push.phase !== "committing") return;
    this.isLooking = true;
    const names = new Set(namesIn(this.push.to));
    this.isLooking = false;
    const gone = this.going.find((name) => !names.has(name));
    const missing = this.coming.find((name) => !names.has(name));
    check(
      gone === undefined || missing === undefined,
      `${gone} is deleted before ${missing} is in its place`,
    );
  }
}

function namesIn(disk: MemoryDisk): string[] {
  const root: DirectoryHandle = disk.openRoot("/");
  try {
    return disk.list(root);
  } finally {
    disk.closeDirectory(root);
  }
}
