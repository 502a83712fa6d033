/** Members and running transfers in one line. */
import type { InboundKey, NodeEvent } from "../../engine/types.ts";
import type { Membership } from "../../engine/membership/membership.ts";
import type { InterfaceWatch } from "../service/interface-watch.ts";
import type { Transfers } from "./transfers.ts";

const MIB = 1024 * 1024;

/** One line on how the daemon is, a byte string for `systemctl status`: its members, and the transfers that run. */
export class StatusLine {
  private readonly membership: Membership;
  private readonly transfers: Transfers;
  private readonly watch: Pick<InterfaceWatch, "state">;
  private readonly inbound = new Map<InboundKey, string>();

  constructor(membership: Membership, transfers: Transfers, watch: Pick<InterfaceWatch, "state">) {
    this.membership = membership;
    this.transfers = transfers;
    this.watch = watch;
  }

  /** Something has happened to the node. */
  onEvent(event: NodeEvent): void {
    if (event.kind === "inbound-began") this.inbound.set(event.key, event.hostName);
    if (event.kind === "inbound-ended") this.inbound.delete(event.key);
  }

  /** The line as it is now. */
  text(): string {
    const outgoing = this.transfers.progress().map((one) => {
      const share = `${Math.floor(one.sentBytes / MIB)} of ${Math.ceil(one.wantedBytes / MIB)} MiB`;
      return `transfer ${one.transfer} to ${countOf(one.memberCount)}: ${one.phase}, ${share}`;
    });
    const incoming = [...this.inbound].map(([key, host]) => `transfer ${key.transfer} from ${host}`);
    const { chosen, away } = this.watch.state;
    const gone = away === undefined ? [] : [`the interface ${chosen.name} is away`];
    return [...gone, countOf(this.membership.size), ...outgoing, ...incoming].join("; ");
  }
}

function countOf(members: number): string {
  return members === 1 ? "1 member" : `${members} members`;
}
