/** Whether the disk of a member hangs with what earlier transfers have left. */
import { type InboundKey, inboundName } from "../types.ts";
import * as times from "./times.ts";

/**
 * Watches what the disk still does for transfers that are over (PROTOCOL.md 5.1). When it has shown no sign for long, a
 * new transfer would only wait in vain: its sender is told so at once.
 */
export class DiskWatch {
  /** Transfers that are over, and that the disk has yet to clear away, or to finish. */
  private readonly closing = new Set<string>();
  /** When the disk was first asked for something since its last sign. */
  private askedMs: number | undefined;

  /** The disk is asked for something. */
  noteAsked(nowMs: number): void {
    this.askedMs ??= nowMs;
  }

  /** The disk has answered, or shows that it works. */
  noteSign(): void {
    this.askedMs = undefined;
  }

  /** A transfer is over for this node, though not for its disk. */
  noteOver(key: InboundKey): void {
    this.closing.add(nameOf(key));
  }

  /** The disk has cleared a transfer away. */
  noteClosed(key: InboundKey): void {
    this.closing.delete(nameOf(key));
  }

  /** For how many milliseconds the disk has hung with what is over; undefined if it does not. */
  hungMs(nowMs: number): number | undefined {
    if (this.closing.size === 0 || this.askedMs === undefined) return undefined;
    const silentMs = nowMs - this.askedMs;
    return silentMs >= times.DISK_HUNG_MS ? silentMs : undefined;
  }
}

function nameOf(key: InboundKey): string {
  return `${inboundName(key)}-${key.admission}`;
}
