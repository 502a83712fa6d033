/** Makes entries of the history from the transfers that this node receives. */
import type { HistoryEntry, IncomingTransfer } from "../../console/protocol.ts";
import { idOf } from "../../engine/catch-up/undo-choice.ts";
import { inboundName, type NodeEvent } from "../../engine/types.ts";
import type { StageReply } from "../disk/messages.ts";

/** A transfer that is being received. */
interface Incoming {
  readonly from: string;
  readonly dryRun: boolean;
  readonly beganMs: number;
  readonly time: string;
  entries: number;
  bytes: number;
  /** Whether it brings what this host has missed. */
  isCatchUp: boolean;
  /** The push that it takes back, by the name of its transfer; empty for any other transfer. */
  undoes: string;
}

/** Of a transfer that is not prepared. */
const NOTHING = { entries: 0, bytes: 0, isCatchUp: false, undoes: "" };

/**
 * Follows the transfers that this node receives. The engine knows the sender and the outcome, the staging thread the
 * amount; both make one entry of the history.
 */
export class ReceivedTransfers {
  private readonly hostName: string;
  private readonly record: (entry: HistoryEntry) => void;
  private readonly incoming = new Map<string, Incoming>();

  constructor(hostName: string, record: (entry: HistoryEntry) => void) {
    this.hostName = hostName;
    this.record = record;
  }

  /** The transfers that are being received. */
  get current(): IncomingTransfer[] {
    return [...this.incoming.values()].map(({ from, dryRun, beganMs }) => ({
      ...{ from, dryRun },
      seconds: Math.round((performance.now() - beganMs) / 1000),
    }));
  }

  /** The staging thread has replied: when a transfer is prepared, its amount is known. */
  onStage(reply: StageReply): void {
    if (reply.kind !== "prepared") return;
    const incoming = this.incoming.get(inboundName(reply.inbound));
    if (incoming === undefined) return;
    Object.assign(incoming, reply.totals);
    incoming.isCatchUp = reply.origin?.kind === "catch-up";
    incoming.undoes = reply.origin?.kind === "undo" ? idOf(reply.origin.announced.undoes) : "";
  }

  /** Something has happened to the node. */
  onEvent(event: NodeEvent): void {
    if (event.kind === "inbound-began") {
      const { hostName: from, dryRun } = event;
      const [beganMs, time] = [performance.now(), new Date().toISOString()];
      this.incoming.set(inboundName(event.key), { from, dryRun, beganMs, time, ...NOTHING });
    } else if (event.kind === "inbound-ended") {
      const name = inboundName(event.key);
      const incoming = this.incoming.get(name);
      this.incoming.delete(name);
      if (incoming === undefined || incoming.dryRun) return;
      // It begins again, and then has an end of its own.
      if (event.outcome === "yielded") return;
      const { from, time, entries, bytes, beganMs, isCatchUp, undoes } = incoming;
      const outcome = event.outcome === "done" ? "done" : "failed";
      this.record({
        time,
        direction: "received",
        ...(isCatchUp ? { isCatchUp } : {}),
        ...(undoes === "" ? {} : { undoes }),
        transfer: name,
        from,
        entries,
        bytes,
        durationMs: Math.round(performance.now() - beganMs),
        exitStatus: undefined,
        hosts: [{ host: this.hostName, outcome, reason: event.reason }],
      });
    }
  }
}
