/** Makes entries of it of what is received. */
import type { HistoryEntry } from "../../console/protocol.ts";
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
}

/** Makes entries of the history of what is received: the engine knows who and how, the staging thread how much. */
export class ReceivedTransfers {
  private readonly hostName: string;
  private readonly record: (entry: HistoryEntry) => void;
  private readonly incoming = new Map<string, Incoming>();

  constructor(hostName: string, record: (entry: HistoryEntry) => void) {
    this.hostName = hostName;
    this.record = record;
  }

  onStage(reply: StageReply): void {
    if (reply.kind !== "prepared") return;
    const incoming = this.incoming.get(inboundName(reply.inbound));
    if (incoming !== undefined) Object.assign(incoming, reply.totals);
  }

  onEvent(event: NodeEvent): void {
    if (event.kind === "inbound-began") {
      const { hostName: from, dryRun } = event;
      const [beganMs, time] = [performance.now(), new Date().toISOString()];
      this.incoming.set(inboundName(event.key), { from, dryRun, beganMs, time, entries: 0, bytes: 0 });
    } else if (event.kind === "inbound-ended") {
      const name = inboundName(event.key);
      const incoming = this.incoming.get(name);
      this.incoming.delete(name);
      if (incoming === undefined || incoming.dryRun) return;
      const { from, time, entries, bytes, beganMs } = incoming;
      const outcome = event.outcome === "done" ? "done" : "failed";
      this.record({
        time,
        direction: "received",
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
