/** Members and running transfers in one line. */
import type { InboundKey, NodeEvent } from "../../engine/types.ts";
import type { Membership } from "../../engine/membership/membership.ts";
import type { InterfaceWatch } from "../service/interface-watch.ts";
import { sentenceOfProblem } from "../service/problem-sentences.ts";
import type { CatchUpKeeper } from "../catch-up/catch-up-keeper.ts";
import { textOfState } from "../catch-up/catch-up-words.ts";
import type { Transfers } from "./transfers.ts";

const MIB = 1024 * 1024;

/** One line on how the daemon is, a byte string for `systemctl status`: its members, and the transfers that run. */
export class StatusLine {
  private readonly membership: Membership;
  private readonly transfers: Transfers;
  private readonly watch: Pick<InterfaceWatch, "state">;
  private readonly catchUp: Pick<CatchUpKeeper, "state">;
  private readonly port: number;
  private readonly inbound = new Map<InboundKey, string>();

  /** @param port the UDP port of the fleet */
  constructor(
    membership: Membership,
    transfers: Transfers,
    watch: Pick<InterfaceWatch, "state">,
    catchUp: Pick<CatchUpKeeper, "state">,
    port: number,
  ) {
    this.port = port;
    this.catchUp = catchUp;
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
    const members = countOf(this.membership.size);
    const { state } = this.catchUp;
    const behind = state === undefined || state.behind === 0 ? [] : [textOfState(state)];
    return [...gone, members, ...behind, ...this.problems(), ...outgoing, ...incoming].join("; ");
  }

  /** The first problem; the line is one of many in `systemctl status`, and `msync --status` has all. */
  private problems(): string[] {
    const [first, ...rest] = this.membership.problems.list;
    if (first === undefined) return [];
    const more = rest.length === 0 ? "" : ` (and ${rest.length} more: 'msync --status')`;
    return [`${sentenceOfProblem(first, this.port)}${more}`];
  }
}

function countOf(members: number): string {
  return members === 1 ? "1 member" : `${members} members`;
}
