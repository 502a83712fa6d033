/** Tells copies of one node apart: hosts that have the same node id, such as clones of a virtual machine. */
import { type Member, type NodeEvent, sameAddress } from "../types.ts";

/** The verdict on a member, after another node has proven to have its node id. */
export type Judgement =
  /** It has started again: its former epoch is over. */
  | "restarted"
  /** It is known to be alive beside the other. */
  | "copy"
  /** It may have moved and started again, or be alive beside the other: it is to be questioned. */
  | "doubtful";

/**
 * Knows which members are copies (PROTOCOL.md 4.2). A node that starts again has its node id and another epoch, and so has
 * a copy. Only an answer of the former epoch tells them apart: nobody can give it after the end of that epoch.
 */
export class Copies {
  private readonly aliveBeside = new Set<string>();

  /**
   * @param former a member
   * @param latter a node with the same node id in another epoch, which has proven that it is alive
   */
  judge(former: Member, latter: Member): Judgement {
    // Two programs cannot have one address and port.
    if (sameAddress(former.address, latter.address)) return "restarted";
    return this.aliveBeside.has(former.epoch) && this.aliveBeside.has(latter.epoch) ? "copy" : "doubtful";
  }

  /** A member that was doubtful has answered. Tells of each other member with its node id, which has answered before. */
  noteAlive(member: Member, members: Iterable<Member>): NodeEvent[] {
    const events: NodeEvent[] = [];
    for (const other of members) {
      if (other.nodeId !== member.nodeId || other.epoch === member.epoch) continue;
      this.aliveBeside.add(member.epoch).add(other.epoch);
      events.push({ kind: "copies", members: [member, other] });
    }
    return events;
  }

  /** A member has left, or has another node id now. */
  forget(epoch: string): void {
    this.aliveBeside.delete(epoch);
  }
}
