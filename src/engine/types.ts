/** Inputs, effects and events: everything that passes between the engines and the rest of the program. */
import type { Bitmap } from "../base/bitmap.ts";
import type { BlockKind, KeptParity } from "../wire/datagram.ts";
import type { ControlMessage, ExaminationMessage } from "../wire/message.ts";
import type { Finding } from "../wire/findings.ts";
import type { Endpoint, NodeInfo } from "../wire/membership-messages.ts";
import type { Publication } from "../wire/publication.ts";
import type { OwnTarget } from "./own-target.ts";
import type { Problem } from "./problem.ts";

export type { FoundProblem, Problem, ProblemKind } from "./problem.ts";

/** A UDP address. */
export type Address = Endpoint;

export function sameAddress(a: Address, b: Address): boolean {
  return a.ip === b.ip && a.port === b.port;
}

/** Another node, authenticated and alive. */
export interface Member {
  readonly nodeId: string;
  readonly epoch: string;
  readonly address: Address;
  readonly info: NodeInfo;
  readonly joinedMs: number;
}

/** Where a control message goes. */
export type Destination = { readonly to: "group" } | { readonly to: "address"; readonly address: Address };

export type BlockKindNumber = (typeof BlockKind)[keyof typeof BlockKind];

/** Names a transfer: the sender's epoch and the number it gave. */
export interface TransferName {
  readonly epoch: string;
  readonly transfer: number;
}

/** Names a transfer that this node has admitted. One that has given back its place may be admitted once more. */
export interface InboundKey extends TransferName {
  /** The number of the admission (PROTOCOL.md 5.10), so that late answers of the disk are told apart. */
  readonly admission: number;
}

export function inboundName({ epoch, transfer }: TransferName): string {
  return `${epoch}-${transfer}`;
}

/** The transfer of a name that inboundName() has made. */
export function transferOfName(name: string): TransferName {
  const [epoch, number] = name.split("-") as [string, string];
  return { epoch, transfer: Number(number) };
}

/** A block that the source has made and sealed into the sender's window. */
export interface ProducedBlock {
  readonly kind: BlockKindNumber;
  readonly sealedBytes: number;
  /** Entries or digests of a manifest block; 0 for a data block. */
  readonly entries: number;
}

/** How a block is restored that is whole with the help of parity. */
export interface Restoration {
  /** The length of each fragment but the last. */
  readonly fullBytes: number;
  readonly parity: readonly KeptParity[];
}

/** The answer of one member to a manifest block: which entries it wants. */
export interface MemberWant {
  readonly epoch: string;
  readonly entries: Bitmap;
  /** How each entry differs, where the member has told. */
  readonly differences: Uint8Array | undefined;
}

/** How a transfer has ended at one member. */
export interface Verdict {
  readonly epoch: string;
  readonly hostName: string;
  readonly address: Address;
  readonly outcome: "done" | "failed" | "unconfirmed";
  /** Why not; empty when done. */
  readonly reason: string;
}

export interface TransferResult {
  readonly transfer: number;
  readonly verdicts: readonly Verdict[];
  /** Set when nothing was changed anywhere, with the reason. */
  readonly aborted: string | undefined;
  /** Its place among all transfers (PROTOCOL.md 5.6), if COMMIT was said; otherwise 0. */
  readonly order: number;
  /** Fragments sent, and those among them that were repairs. */
  readonly sentFragments: number;
  readonly repairedFragments: number;
  /** Those among the repairs that were parity. */
  readonly parityFragments: number;
}

/** Why a node is no member any more; cut-off: this node has lost its interface. */
export type LeaveReason = "exit" | "silence" | "restart" | "cut-off";

/** Events: what the engines tell the rest of the program. None of them is answered. */
export type NodeEvent =
  | { readonly kind: "member-joined"; readonly member: Member }
  | { readonly kind: "member-left"; readonly member: Member; readonly reason: LeaveReason }
  /** Two members have the same node id, and both are alive. */
  | { readonly kind: "copies"; readonly members: readonly [Member, Member] }
  /** A member has the node id of this node. */
  | {
      readonly kind: "own-copy";
      readonly member: Member;
      /** Whether this node is the one of the two that draws a new id. */
      readonly drawsId: boolean;
    }
  /** Something is in the way of a node that is heard, or is no longer. */
  | { readonly kind: "problem-began" | "problem-ended"; readonly problem: Problem }
  | {
      readonly kind: "member-failed";
      readonly transfer: number;
      readonly epoch: string;
      readonly hostName: string;
      readonly reason: string;
    }
  | {
      readonly kind: "findings";
      readonly transfer: number;
      readonly epoch: string;
      readonly findings: readonly Finding[];
    }
  /** A member examines this node, or answers an examination. */
  | { readonly kind: "examination"; readonly member: Member; readonly message: ExaminationMessage }
  | { readonly kind: "transfer-finished"; readonly result: TransferResult }
  | {
      readonly kind: "inbound-began";
      readonly key: InboundKey;
      readonly hostName: string;
      readonly dryRun: boolean;
    }
  | {
      readonly kind: "inbound-ended";
      readonly key: InboundKey;
      /** yielded: another transfer comes first; this one will be admitted again. */
      readonly outcome: "done" | "failed" | "discarded" | "yielded";
      readonly reason: string;
    }
  | OwnStageEvent
  /** Members know of publications that this node did not know. */
  | { readonly kind: "publications-learned"; readonly publications: readonly Publication[] }
  /** A member has brought publications that this node lacked, by a transfer that it has committed. */
  | {
      readonly kind: "caught-up";
      readonly from: Member;
      readonly key: InboundKey;
      readonly publications: readonly Publication[];
    };

/** The sender has begun to stage its own part of a transfer, or has ended with it, as for a transfer that it receives. */
export type OwnStageEvent =
  | { readonly kind: "own-stage-began"; readonly key: InboundKey; readonly hostName: string }
  | {
      readonly kind: "own-stage-ended";
      readonly key: InboundKey;
      readonly outcome: "done" | "failed";
      /** Empty when done. */
      readonly reason: string;
    };

/**
 * What an engine asks for. Control messages are objects; the data plane is named by block numbers, so that no
 * object is made per datagram.
 */
export type Effect =
  | { readonly kind: "send"; readonly destination: Destination; readonly message: ControlMessage }
  /** Put a block, or some fragments of it, on the wire; answered by "sent". */
  | {
      readonly kind: "send-block";
      readonly transfer: number;
      readonly block: number;
      readonly maskLow: number;
      readonly maskHigh: number;
      /** The stamp of the first fragment sent; each further one counts up. */
      readonly stamp: number;
    }
  /** Make up to `count` blocks from `firstBlock` on; answered by "produced". */
  | {
      readonly kind: "produce";
      readonly transfer: number;
      readonly firstBlock: number;
      readonly count: number;
      /** Blocks that were made and not yet sent. With many of them there is time to make the next ones smaller. */
      readonly waitingBlocks: number;
    }
  /** Every member has answered for a manifest block. */
  | {
      readonly kind: "settle";
      readonly transfer: number;
      readonly block: number;
      readonly union: Bitmap;
      /** The entries of which the contents are to be sent. */
      readonly contents: Bitmap;
      /** The files of which digests are to be told first; undefined if there are none. */
      readonly elsewhere?: Bitmap;
      /** Those of `elsewhere` that some member does not have by this name; undefined if there are none. */
      readonly moved?: Bitmap;
      /** The hard links of which the contents are to be sent, too; undefined if there are none. */
      readonly separate?: Bitmap;
      readonly wants: readonly MemberWant[];
    }
  | { readonly kind: "close-source"; readonly transfer: number }
  | { readonly kind: "open-stage"; readonly key: InboundKey; readonly dryRun: boolean }
  /** Open the seal of a block whose fragments were all accepted, and stage it; answered by "staged". */
  | {
      readonly kind: "stage";
      readonly key: InboundKey;
      readonly block: number;
      readonly sealedBytes: number;
      readonly blockKind: BlockKindNumber;
      /** Parity that lies where fragments are missing; left out if none is. */
      readonly restoration?: Restoration;
    }
  /** Make all that is staged durable; answered by "prepared". */
  | { readonly kind: "prepare"; readonly key: InboundKey }
  /**
   * Nothing of this node's tree is read until the transfer is over, and what its own transfers have said is compared with the
   * changes of this one; answered by "weighed".
   */
  | { readonly kind: "weigh"; readonly key: InboundKey; readonly own: readonly number[] }
  /** Switch to what is staged; answered by "switched" and "committed", or by "committed" alone if it fails before. */
  | {
      readonly kind: "commit";
      readonly key: InboundKey;
      /** Its place among all transfers. */
      readonly order: number;
      /** Transfers of this node that come after it: what they have sent must not be replaced by it on this node. */
      readonly ownAfter: readonly number[];
    }
  | { readonly kind: "discard"; readonly key: InboundKey }
  /** Bring publications to members that lack them, by one transfer; answered by "serve-ended". */
  | {
      readonly kind: "serve";
      readonly members: readonly Member[];
      /** Positions in the log with this digest. */
      readonly positions: readonly number[];
      readonly digest: string;
    }
  /** Give the findings of a transfer from a number on; answered by "found". */
  | { readonly kind: "read-findings"; readonly key: InboundKey; readonly first: number }
  | { readonly kind: "event"; readonly event: NodeEvent };

/** The result of staging blocks. */
export type StageOutcome =
  /** For a manifest block, with the entries that are wanted, and how many findings there are by now. */
  | {
      readonly kind: "staged";
      readonly wants: Bitmap | undefined;
      readonly differences: Uint8Array | undefined;
      readonly findings: number;
    }
  /** The seal did not open: the fragments were not all the sender's. */
  | { readonly kind: "corrupt" }
  | { readonly kind: "failed"; readonly reason: string };

/** Inputs: everything that can happen to a node. */
export type Input =
  | {
      readonly kind: "message";
      readonly from: { readonly nodeId: string; readonly epoch: string };
      readonly source: Address;
      readonly message: ControlMessage;
    }
  | { readonly kind: "tick" }
  /** Say something of an examination, to a member or to all. */
  | { readonly kind: "say"; readonly destination: Destination; readonly message: ExaminationMessage }
  /** This node has lost its interface: no other node can be reached. */
  | { readonly kind: "cut-off" }
  /** The interface of this node takes packets of another length: its longest datagram. */
  | { readonly kind: "length-changed"; readonly datagramBytes: number }
  /** This node has other labels. */
  | { readonly kind: "labels-changed"; readonly labels: readonly string[] }
  /** Another rate is configured, in fragments a second; Infinity for no bound. */
  | { readonly kind: "rate-changed"; readonly fragmentsPerSecond: number }
  /** This node has another node id from now on. */
  | { readonly kind: "renamed"; readonly nodeId: string }
  | { readonly kind: "start-transfer"; readonly request: TransferRequest }
  | { readonly kind: "cancel-transfer"; readonly transfer: number; readonly reason: string }
  | { readonly kind: "sent"; readonly transfer: number }
  | {
      readonly kind: "produced";
      readonly transfer: number;
      readonly blocks: readonly ProducedBlock[];
      /** idle: nothing more until a manifest block is settled; end: nothing more at all. */
      readonly state: "more" | "idle" | "end";
      /** A sentence when the source as a whole cannot go on. */
      readonly failure: string | undefined;
      /** Entries that could not be read so far. */
      readonly unreadable: number;
    }
  | {
      readonly kind: "staged";
      readonly key: InboundKey;
      /** All of them have one outcome; a manifest block is alone. */
      readonly blocks: readonly number[];
      readonly outcome: StageOutcome;
    }
  | {
      readonly kind: "prepared";
      readonly key: InboundKey;
      readonly failure: string | undefined;
      /** The transfer must not happen, at this member or anywhere. */
      readonly isRefusal: boolean;
      readonly findings: number;
    }
  /** Whether a transfer would change something that a transfer of this node has said already. */
  | { readonly kind: "weighed"; readonly key: InboundKey; readonly failure: string | undefined }
  /** A transfer has changed the tree. The disk still deletes what has left it; other transfers may commit meanwhile. */
  | { readonly kind: "switched"; readonly key: InboundKey }
  | { readonly kind: "committed"; readonly key: InboundKey; readonly failure: string | undefined }
  /** Another transfer commits first, and this one can no longer commit. */
  | { readonly kind: "overtaken"; readonly key: InboundKey; readonly failure: string }
  | {
      readonly kind: "found";
      readonly key: InboundKey;
      readonly first: number;
      readonly findings: readonly Finding[];
    }
  /** The disk has nothing left of a transfer that is over. */
  | { readonly kind: "closed"; readonly key: InboundKey }
  /** The disk is busy with something long, and makes progress with it. */
  | { readonly kind: "worked"; readonly key: InboundKey }
  /** The start has kept the areas of transfers that were ready when this node died. */
  | { readonly kind: "areas-kept"; readonly names: readonly TransferName[] }
  /** The log of publications was changed: one has taken effect here. */
  | { readonly kind: "logged" }
  /** Entries were found that are not as published, in words; none any more if the text is empty. */
  | { readonly kind: "drifted"; readonly text: string }
  /** This node, or a member, is to catch up now, if it lacks something. */
  | { readonly kind: "nudge"; readonly member: Member | undefined }
  /** The transfer that serves others has ended; see Serving.ended(). */
  | {
      readonly kind: "serve-ended";
      readonly transfer: number;
      readonly brought: readonly number[];
      readonly torn: readonly (readonly [number, number])[];
      readonly reason: string;
    }
  | { readonly kind: "stop" };

/** Something that a transfer waits for. */
export interface Delay {
  /** The member that is waited for; undefined for the disk of this node. */
  readonly epoch: string | undefined;
  readonly doing: "comparing" | "writing" | "making durable" | "listing deletes" | "switching" | "reading";
  /** Since when nothing has been heard of any progress, in milliseconds. */
  readonly sinceMs: number;
}

export interface TransferRequest {
  /** Counts up from 1 with every transfer of this node's epoch. */
  readonly transfer: number;
  readonly targets: readonly Member[];
  readonly dryRun: boolean;
  readonly allOrNothing: boolean;
  /** The length of all datagrams of a block but the last; by default the longest. */
  readonly datagramBytes?: number;
  /** This node, if the transfer changes its own tree as well; left out if not. */
  readonly own?: OwnTarget | undefined;
}

/** Sizes that differ between a real node and a simulated one. */
export interface EngineOptions {
  /** The size of the window of every transfer, sent or received, in blocks. */
  readonly windowBlocks: number;
  /** Fragments that this node's socket buffer holds. */
  readonly socketFragments: number;
  /** Fragments a second that the sender may put on the wire; Infinity for no bound. */
  readonly fragmentsPerSecond: number;
}
