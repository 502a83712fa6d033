/** Requests, events and results: JSON, one a line. */
import type { Reason } from "../base/reason.ts";
import type { PushRules } from "../base/push-rules.ts";
import type { CatchUpState } from "./catch-up-state.ts";
import type { DoctorFinding, MemberInfo, ProblemInfo, StatusInfo } from "./state.ts";

export type { DoctorFinding, MemberInfo, ProblemInfo, StatusInfo } from "./state.ts";

/**
 * What msync and the daemon say to each other over the control socket: JSON objects, one a line. A client sends a
 * request; the daemon answers with events and then one result, and takes the next request. Paths and names are byte
 * strings: each character is one byte.
 */

/** The control socket of a daemon that is told no other. */
export const DEFAULT_SOCKET = "/run/makuosan/makuosan.sock";

/** Longest request, and how much waits for a client that does not read. */
export const REQUEST_BYTES = 4 * 1024 * 1024;
export const BACKLOG_BYTES = 32 * 1024 * 1024;

/**
 * Clients at a time, those of one user, and requests of one client that wait for their turn. A user has half of the places
 * at the most, so that nobody keeps all others out. Root is let in even if all places are taken.
 */
export const CLIENTS = 64;
export const CLIENTS_OF_USER = 32;
export const WAITING_REQUESTS = 256;

/** Not a request: ends the one that is being carried out, which still gives its result. */
export const CANCEL_LINE = '{"command":"cancel"}';

export interface SendRequest extends PushRules {
  readonly command: "send";
  readonly paths: readonly string[];
  readonly recursive: boolean;
  readonly dryRun: boolean;
  readonly allOrNothing: boolean;
  /** Host names, addresses, patterns for these, or labels behind `@`; none for every member. */
  readonly targets: readonly string[];
  /** The same, for members that are left out. */
  readonly excepts: readonly string[];
  /** The group that everything is given before it is sent, by name or number; empty for the one that it has. */
  readonly group: string;
  /** Patterns of what is left out. */
  readonly excludes: readonly string[];
  /** Which lines about entries are wanted. */
  readonly detail: "none" | "paths" | "updates" | "all";
  /** Whether progress events are wanted. */
  readonly progress: boolean;
  /** Whether contents are compressed; not there for what the daemon's setting says. */
  readonly compression?: "yes" | "no";
  /** Whether large files are sent whole, also where members have another version; not there for no. */
  readonly wholeFile?: boolean;
}

/** Takes back a push on all hosts. */
export interface UndoRequest {
  readonly command: "undo";
  /** The beginning of the id of the push; empty for the last one that is not taken back. */
  readonly id: string;
  readonly detail: SendRequest["detail"];
  readonly progress: boolean;
}

/** Answered when so many of the members are there, or with an error when they are not after that time. */
export interface WaitRequest {
  readonly command: "wait";
  readonly members: number;
  readonly seconds: number;
  readonly targets: readonly string[];
  readonly excepts: readonly string[];
}

/** Looks for everything that is in the way within this host, and between it and others. */
export interface DoctorRequest {
  readonly command: "doctor";
  /** Names, addresses, patterns or labels of the hosts to examine; none for all. */
  readonly targets: readonly string[];
}

/** The process that asked for a push. */
export interface PushedBy {
  /** A byte string; empty for a user without a name. */
  readonly user: string;
  readonly uid: number;
  readonly pid: number;
}

/** One transfer of the past. */
export interface HistoryEntry {
  /** When it began, as ISO 8601 in UTC. */
  readonly time: string;
  readonly direction: "sent" | "received";
  /** The same on all hosts that took part. */
  readonly transfer: string;
  /** The host that sent it. */
  readonly from: string;
  /** The process that asked for it on that host; undefined for a received one, and where the daemon could not tell. */
  readonly by?: PushedBy | undefined;
  /** Entries that were sent, or that changed here. */
  readonly entries: number;
  readonly bytes: number;
  /** How many of them compression, and parts that members had, have kept off the network; not there for what was received, or by an older version. */
  readonly savedBytes?: number;
  readonly durationMs: number;
  /** Whether it brought what hosts had missed. */
  readonly isCatchUp?: boolean;
  /** The push that it took back, by the name of its transfer. */
  readonly undoes?: string;
  /** Of msync; none for what was received. */
  readonly exitStatus: number | undefined;
  readonly hosts: readonly Omit<HostVerdict, "address">[];
}

export type Request =
  | SendRequest
  | UndoRequest
  | WaitRequest
  | { readonly command: "status" }
  | { readonly command: "members" }
  | DoctorRequest
  | { readonly command: "activity" }
  | { readonly command: "history"; readonly count: number }
  /** Hosts that are to get now what they lack; none for the host of the daemon. */
  | { readonly command: "catch-up"; readonly hosts: readonly string[] }
  | { readonly command: "loglevel"; readonly level: string };

export type Event =
  | {
      readonly event: "path";
      readonly path: string;
      readonly updates: readonly string[];
      readonly skips: readonly string[];
      /** How it differs at each host: missing, type, contents, mode, owner, time, attributes. */
      readonly differences: readonly { readonly host: string; readonly kinds: readonly string[] }[];
    }
  /** A host has something that is not here. */
  | { readonly event: "superfluous"; readonly host: string; readonly path: string }
  /** A host cannot make something, or not with everything. */
  | {
      readonly event: "note";
      readonly host: string;
      readonly path: string;
      readonly reason: string;
      readonly cause?: Reason;
    }
  | {
      readonly event: "notice";
      readonly kind: "unreadable" | "skipped" | "excluded";
      readonly path: string;
      readonly reason: string;
      readonly cause?: Reason;
    }
  | {
      readonly event: "member-failed";
      readonly host: string;
      readonly reason: string;
      readonly cause?: Reason;
    }
  /** So many other pushes come first: of this host, or of others that a member receives. */
  | { readonly event: "waiting"; readonly pushes: number }
  /** A push gets no further because of one host, which may be the sender itself. */
  | {
      readonly event: "slow";
      readonly host: string;
      readonly doing:
        "comparing" | "writing" | "making durable" | "listing deletes" | "switching" | "reading";
      readonly seconds: number;
    }
  /** So many events were left out, because the client did not read them. */
  | { readonly event: "omitted"; readonly count: number }
  | ProgressEvent;

export interface ProgressEvent {
  readonly event: "progress";
  readonly phase: "sending" | "committing";
  readonly sentBytes: number;
  /** What is known to be wanted so far. */
  readonly wantedBytes: number;
  /** The slowest member. */
  readonly slowest: string;
  /** Entries that were looked at so far. */
  readonly entries: number;
  /** Members of the push; those that have everything, or have switched while it commits; and those that have failed. */
  readonly hosts: number;
  readonly hostsReady: number;
  readonly hostsFailed: number;
}

export interface HostVerdict {
  readonly host: string;
  readonly address: string;
  readonly outcome: "done" | "failed" | "unconfirmed";
  /** The reason as an English sentence; empty for "done". */
  readonly reason: string;
  /** The same as data; not there for "done", and in a history that an older version has written. */
  readonly cause?: Reason;
  /** Whether it gets the push later by itself, when its reason is fixed. */
  readonly catchesUp?: boolean;
}

/** A host that a push means, is heard, and is no member. */
export interface MissingHost {
  /** Empty where it is not known. */
  readonly host: string;
  readonly address: string;
  /** Why it is no member, as an English sentence that names it. */
  readonly reason: string;
}

export interface SendResult {
  readonly result: "send";
  readonly exitStatus: number;
  /** The id of the push that was taken back; not there for a push. */
  readonly undoes?: string;
  readonly hosts: readonly HostVerdict[];
  /** Names given as targets that are no members. */
  readonly unknown: readonly string[];
  /** Names given as left out that are no members. */
  readonly unknownExcepts: readonly string[];
  /** Hosts that the push means and cannot reach. */
  readonly missing: readonly MissingHost[];
  /** Set when nothing was changed anywhere, with the reason. */
  readonly aborted: string | undefined;
  readonly entries: number;
  readonly sentEntries: number;
  /** Bytes of contents, before they were compressed. */
  readonly sentBytes: number;
  /** How many of them compression, and parts that members had, have kept off the network. */
  readonly savedBytes: number;
  readonly unreadable: number;
  /** Paths that are deleted, at each host that does. */
  readonly deleted: number;
  /** Entries that differ, at each host where they do, where that was asked for. */
  readonly differing: number;
  readonly durationMs: number;
  readonly repairedFragments: number;
}

/** A transfer that this host sends now. */
export interface OutgoingTransfer extends Omit<ProgressEvent, "event"> {
  readonly transfer: number;
  /** Who has asked for it; empty if that is not known. */
  readonly user: string;
  /** The request as a command line, without `msync`. */
  readonly request: string;
}

/** A transfer that this host receives now. */
export interface IncomingTransfer {
  /** The host that sends it. */
  readonly from: string;
  readonly dryRun: boolean;
  readonly seconds: number;
}

/** What a daemon does at this moment. */
export interface Activity {
  readonly host: string;
  readonly address: string;
  readonly members: readonly MemberInfo[];
  readonly problems: readonly ProblemInfo[];
  readonly outgoing: readonly OutgoingTransfer[];
  readonly incoming: readonly IncomingTransfer[];
  /** Pushes that wait for their turn. */
  readonly waiting: number;
}

export type Result =
  | SendResult
  | {
      readonly result: "status";
      /** The lines of --status, for people. */
      readonly values: readonly (readonly [string, string])[];
      /** The same for programs: numbers are numbers. Not there in the answer of an earlier daemon. */
      readonly status?: StatusInfo;
    }
  | {
      readonly result: "members";
      readonly members: readonly MemberInfo[];
      readonly problems: readonly ProblemInfo[];
      readonly isSealed: boolean;
    }
  | {
      readonly result: "doctor";
      readonly findings: readonly DoctorFinding[];
      /** The UDP port of the fleet. */
      readonly port: number;
    }
  | ({ readonly result: "activity" } & Activity)
  | { readonly result: "history"; readonly entries: readonly HistoryEntry[] }
  | { readonly result: "ok" }
  /** The state of each host just before it was asked to catch up. */
  | {
      readonly result: "catch-up";
      readonly hosts: readonly (CatchUpState & { readonly host: string })[];
      /** A sentence for each name that means no host, and for each host that does not catch up. Not there in the answer of an earlier daemon. */
      readonly errors?: readonly string[];
      readonly exitStatus?: number;
    }
  | { readonly result: "error"; readonly message: string; readonly exitStatus: number };

export type Answer = Event | Result;

export function isResult(answer: Answer): answer is Result {
  return "result" in answer;
}

/** Cuts a stream of text into lines; a line that grows beyond the limit is an error of its writer. */
export class LineReader {
  private readonly mostBytes: number;
  private readonly onLine: (line: string) => void;
  private rest = "";

  constructor(mostBytes: number, onLine: (line: string) => void) {
    this.mostBytes = mostBytes;
    this.onLine = onLine;
  }

  /** @returns false when a line is too long, and nothing more should be read */
  push(text: string): boolean {
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      const line = this.rest + text.slice(start, end);
      if (line.length > this.mostBytes) return false;
      this.rest = "";
      start = end + 1;
      if (line !== "") this.onLine(line);
    }
    this.rest += text.slice(start);
    return this.rest.length <= this.mostBytes;
  }
}
