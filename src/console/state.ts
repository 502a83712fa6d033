/** What the daemon tells of itself and of other hosts: findings, members, problems, status. */
import type { CatchUpState } from "./catch-up-state.ts";

/** One thing that was looked at by the doctor. */
export interface DoctorFinding {
  /** The host that it is about. */
  readonly host: string;
  /** Empty where it is not known. */
  readonly address: string;
  /** A stable name; docs/when-hosts-do-not-find-each-other.md lists all. */
  readonly check: string;
  /** problem: it is in the way of pushes; hint: it is worth knowing; ok: all is well. */
  readonly level: "ok" | "hint" | "problem";
  /** What was found, as an English sentence. */
  readonly text: string;
  /** How it is fixed; empty for ok. */
  readonly mend: string;
  /** The figures, with stable names. */
  readonly values: Readonly<Record<string, number | string | boolean>>;
}

/** A member, as this host knows it. */
export interface MemberInfo {
  readonly host: string;
  readonly address: string;
  readonly version: string;
  /** The version of the protocol that it speaks. */
  readonly protocol: number;
  readonly receives: boolean;
  readonly sends: boolean;
  readonly labels: readonly string[];
  /** The fingerprints of the keys that it accepts; it seals with the first one. Not there if it has none, or does not say. */
  readonly keys?: readonly string[];
  /** Whether it has all that was pushed for it; not there if it does not say. */
  readonly catchUp?: CatchUpState;
}

/** Something that is in the way between this host and another one that is heard. */
export interface ProblemInfo {
  /** unanswered, other-version, foreign-key, elsewhere, unheard or mute. */
  readonly kind: string;
  /** Empty where it is not known. */
  readonly host: string;
  readonly address: string;
  /** How often it was noticed. */
  readonly count: number;
  /** An English sentence that names the host. */
  readonly reason: string;
}

/** How a daemon is. Names and types stay; new ones may be added. Bytes are bytes, and packets are counted since the start. */
export interface StatusInfo {
  readonly process: number;
  readonly version: string;
  readonly protocol: number;
  readonly host: string;
  readonly labels: readonly string[];
  readonly base: string;
  readonly user: number;
  readonly group: number;
  readonly multicast: { readonly address: string; readonly port: number };
  readonly nodeId: string;
  /** The copy of this host that was found last, as an English phrase; empty if there was none. */
  readonly copy: string;
  readonly interface: {
    readonly name: string;
    readonly address: string;
    /** Why it cannot be used now, as an English sentence; empty if it can. */
    readonly away: string;
    /** Whether the kernel is a member of the group there. */
    readonly isJoined: boolean;
  };
  /** Empty if there is none. */
  readonly socket: string;
  readonly isSealed: boolean;
  /** The fingerprint of the key that seals; empty without a key. */
  readonly key: string;
  readonly acceptedKeys: readonly string[];
  readonly members: number;
  /** Members that were lost with the interface of this host. */
  readonly lost: readonly { readonly host: string; readonly address: string }[];
  readonly problems: readonly ProblemInfo[];
  readonly sending: number;
  readonly waiting: number;
  readonly parallel: number;
  /** auto, yes or no. */
  readonly compression: string;
  readonly receives: boolean;
  readonly sends: boolean;
  readonly ownerMatch: boolean;
  /** Megabits a second; 0 for no bound. */
  readonly rateMbps: number;
  /** As the kernel tells it: twice what it was asked for, if that was granted. */
  readonly receiveBufferBytes: number;
  readonly receiveBufferAskedBytes: number;
  /** Packets of full length that the receive buffer holds, with the kernel's own bookkeeping. */
  readonly receiveBufferPackets: number;
  readonly sendBufferBytes: number;
  readonly sendBufferAskedBytes: number;
  readonly offload: boolean;
  readonly excludes: readonly string[];
  readonly deleteLimit: string;
  /** Empty if there is none. */
  readonly preCommit: string;
  readonly postCommit: string;
  /** Whether this host has all that was pushed for it, in words; as data, if it keeps a log of pushes. */
  readonly catchUp: string;
  readonly publications: CatchUpState | null;
  /** The file of the history, or why there is none. */
  readonly history: string;
  readonly logLevel: string;
  /** Sealed with another key, or damaged. */
  readonly foreignPackets: number;
  readonly lastForeignSource: string;
  readonly outsidePackets: number;
  readonly replayedPackets: number;
  readonly malformedPackets: number;
  readonly lastMalformedSource: string;
  readonly otherVersionPackets: number;
  readonly unexaminedPackets: number;
  readonly spoiledBlocks: number;
  readonly sendErrors: number;
  /** Dropped by the kernel of this host because a receive buffer was full. */
  readonly droppedPackets: number;
  readonly memoryBytes: number;
  readonly uptimeSeconds: number;
}
