/** Hosts that a push cannot reach, because their keys and those of this host do not go together. */
import { sentence } from "../../base/reason.ts";
import type { Member, NodeEvent, Verdict } from "../../engine/types.ts";
import type { ForeignSource, ForeignSources } from "../../net/foreign-sources.ts";
import type { KeyRing } from "../../net/key-ring.ts";
import { MEMBERS } from "../../wire/limits.ts";

/** The parts that know of keys and strangers. */
export interface ApartParts {
  readonly ring: Pick<KeyRing, "sealing" | "isSecret">;
  readonly foreign: Pick<ForeignSources, "present" | "forget">;
  readonly nowMs: () => number;
}

/**
 * Knows the hosts that belong to the fleet and cannot be reached for lack of a common key: members that do not accept the key
 * that this host seals with, and hosts that were members and are heard under another key now. Packets of strangers alone make
 * nobody one of these: they prove nothing.
 */
export class ApartHosts {
  private readonly parts: ApartParts;
  /** Members that have left, by node id, the oldest first. */
  private readonly former = new Map<string, Member>();

  constructor(parts: ApartParts) {
    this.parts = parts;
  }

  /** Something has happened to the node. */
  onEvent(event: NodeEvent): void {
    if (event.kind === "member-left") this.keep(event.member);
    if (event.kind !== "member-joined") return;
    const { nodeId, address } = event.member;
    this.parts.foreign.forget(address.ip);
    for (const other of this.former.values()) {
      if (other.nodeId === nodeId || other.address.ip === address.ip) this.former.delete(other.nodeId);
    }
  }

  /** Former members that are heard under another key now. */
  lost(): readonly Member[] {
    return [...this.former.values()].filter((member) => this.sourceOf(member) !== undefined);
  }

  /**
   * The verdict for a host that cannot be reached for its key.
   *
   * @param member a member, or one of lost()
   * @param isMember whether it is a member now
   * @returns undefined for one that can be reached
   */
  verdictOn(member: Member, isMember: boolean): Verdict | undefined {
    const reason = isMember ? this.refusalOf(member) : this.lossOf(member);
    if (reason === undefined) return undefined;
    const { epoch, info, address } = member;
    return { epoch, hostName: info.hostName, address, outcome: "failed", reason };
  }

  private refusalOf({ info: { keys } }: Member): string | undefined {
    const { ring } = this.parts;
    const { fingerprint } = ring.sealing;
    if (!ring.isSecret || keys === undefined || keys.includes(fingerprint)) return undefined;
    return sentence("key-not-accepted", fingerprint);
  }

  private lossOf(member: Member): string | undefined {
    const source = this.sourceOf(member);
    return source === undefined ? undefined : sentence("under-another-key", source.packets, source.ip);
  }

  private sourceOf(member: Member): ForeignSource | undefined {
    return this.parts.foreign
      .present(this.parts.nowMs())
      .find(({ ip, nodeId }) => nodeId === member.nodeId || ip === member.address.ip);
  }

  private keep(member: Member): void {
    this.former.delete(member.nodeId);
    this.former.set(member.nodeId, member);
    if (this.former.size <= MEMBERS) return;
    const [oldest = ""] = this.former.keys();
    this.former.delete(oldest);
  }
}
