/** The messages between the main thread and the disk threads. */
import type { Reason } from "../../base/reason.ts";
import type { RecoveredTransfer } from "../../tree/apply/recovery.ts";
import type { Bitmap } from "../../base/bitmap.ts";
import type { NativeWorkerData } from "../../sys/native.ts";
import type { PublishedPaths } from "../../tree/scan/published-paths.ts";
import type { ScanRequest, ScanRules } from "../../tree/scan/request.ts";
import type { CompressionMode } from "../../tree/entries/compression.ts";
import type { DeleteLimit } from "../../tree/decide/superfluous.ts";
import type { UndoArea, UndoBounds } from "../../tree/apply/undo-areas.ts";
import type { StageTotals } from "../../tree/apply/tally.ts";
import type { FollowedUndo } from "../../engine/catch-up/undo-choice.ts";
import type { Origin } from "../../wire/origin.ts";
import type { Finding } from "../../wire/findings.ts";
import type { Deviations, Withheld } from "../../tree/scan/deviations.ts";
import type { SourceNotice } from "../../tree/scan/source.ts";
import type {
  BlockKindNumber,
  Effect,
  InboundKey,
  Input,
  Restoration,
  StageOutcome,
} from "../../engine/types.ts";

/**
 * What the main thread and the two disk threads say to each other. Blocks themselves lie in shared memory: outgoing ones
 * in a ring for each transfer, incoming ones in pages. Messages only name them.
 */

/** What a member allows transfers to change. */
export interface StageRules {
  /** Patterns of what is never changed here. */
  readonly excludes: readonly string[];
  /** Whether the paths that a transfer changes are listed in a file. */
  readonly listsChanges: boolean;
  /** How much of what transfers replace or delete is kept. */
  readonly undo: UndoBounds;
  /** How much a transfer may delete on this host. */
  readonly deleteLimit: DeleteLimit;
  /** Whether this host began without a log of publications, and has not got yet what others had. */
  readonly isNewcomer: boolean;
}

export interface WorkerSettings extends NativeWorkerData {
  readonly role: "source" | "stage" | "drift";
  /** The real path of the base directory, and the path that was given for it. */
  readonly base: string;
  readonly givenBase: string;
  readonly keepOwner: boolean;
  readonly rules: StageRules;
  /** The beginning of the path of each list of what was published; undefined if none are kept. */
  readonly lists: string | undefined;
  /** Whether the paths of each push are recorded in a list. */
  readonly recordsLists: boolean;
  /** Whether a start keeps the area of a transfer that was ready, until the log of publications tells whether to commit it. */
  readonly keepsReady: boolean;
  /** The memory of all incoming blocks. */
  readonly pages: SharedArrayBuffer;
  /** What the thread that looks for drift compares. */
  readonly looks?: readonly DriftLook[];
}

/** Publications that can be compared with the tree in one scan. */
export interface DriftLook {
  readonly request: ScanRequest;
  readonly rules: SourceRules;
}

/** From the thread that looks for drift: what is not as published, or why it could not be compared. */
export type DriftAnswer = Deviations | { readonly failure: string };

/** To the source thread. */
export type SourceCommand =
  | {
      readonly kind: "open";
      readonly transfer: number;
      readonly epoch: string;
      readonly key: Uint8Array;
      readonly ring: SharedArrayBuffer;
      /** The length of all datagrams of a block but the last. */
      readonly datagramBytes: number;
      readonly request: ScanRequest;
      readonly rules: SourceRules;
      /** Contents are not read: nobody will stage them. */
      readonly dryRun: boolean;
      /** Whether contents are compressed. */
      readonly compression: CompressionMode;
      /** Whether all members understand digests of files that they may have by other names. */
      readonly tellsDigests: boolean;
      /** Whether chunks of large files are told that members have in another version. */
      readonly tellsChunks: boolean;
      /** Whether files with holes are compared by digests of their data alone. */
      readonly digestsData: boolean;
    }
  | Extract<Effect, { kind: "produce" }>
  | {
      readonly kind: "settle";
      readonly transfer: number;
      readonly block: number;
      readonly union: BitmapData;
      /** The entries of which the contents are to be sent. */
      readonly contents: BitmapData;
      /** The files of which digests are to be told first. */
      readonly elsewhere: BitmapData | undefined;
      /** Those of them that some member does not have by this name. */
      readonly moved: BitmapData | undefined;
      /** The hard links of which the contents are to be sent, too. */
      readonly separate: BitmapData | undefined;
      /** What each member wants, where somebody is to be told; in the order of the transfer's hosts. */
      readonly wants: readonly HostWant[];
      readonly detail: ReportDetail;
    }
  | { readonly kind: "close"; readonly transfer: number }
  /** A later publication has taken effect here, and all members of the transfer get it by itself: "withheld" answers. */
  | { readonly kind: "supersede"; readonly transfer: number; readonly list: NamedList }
  /**
   * An incoming transfer is about to be committed: nothing is read before "go-on". If there are own transfers after it,
   * "checked" answers whether it would change something of theirs.
   */
  | { readonly kind: "hold"; readonly inbound: InboundKey; readonly ownAfter: readonly number[] }
  | { readonly kind: "go-on" }
  | { readonly kind: "stop" };

/** A list of published paths in the directory of lists. */
export type NamedList = Omit<PublishedPaths, "bytes">;

/** The rules of a transfer, with lists by their names. */
export interface SourceRules extends Omit<ScanRules, "published" | "isRecorded"> {
  /** The name for the list of what it publishes; undefined if it publishes nothing. */
  readonly list?: string | undefined;
  /** The lists of what may be handed on; undefined if everything may be sent. */
  readonly published?: readonly NamedList[] | undefined;
}

/** What one host wants of a manifest block. */
export interface HostWant {
  readonly host: string;
  readonly entries: BitmapData;
  readonly differences: Uint8Array | undefined;
}

/** Which lines about entries the client wants. */
export type ReportDetail = "none" | "paths" | "updates" | "all";

export interface BitmapData {
  readonly size: number;
  readonly bytes: Uint8Array;
}

export function bitmapData(bitmap: Bitmap): BitmapData {
  return { size: bitmap.size, bytes: bitmap.bytes };
}

/** What happens to one path: at which hosts it is updated, and at which it is skipped. */
export interface PathReport {
  readonly path: string;
  readonly updates: readonly string[];
  readonly skips: readonly string[];
  /** How it differs at each host that has told; bits of Difference. */
  readonly differences: readonly { readonly host: string; readonly difference: number }[];
}

export interface SourceTotals {
  readonly entries: number;
  /** Bytes of the files that somebody wants, as far as that is known. */
  readonly wantedBytes: number;
  readonly sentEntries: number;
  readonly sentBytes: number;
  /** Entries that were published and cannot be handed on. */
  readonly withheld?: Withheld;
  /** Whether the list of what was published is written. */
  readonly isListed?: boolean;
  /** The paths of the publication in the manifest: those that are there, and are not excluded. Known in the end. */
  readonly toldPaths?: readonly string[];
  /** How many of them compression, and parts that members had, have kept off the network. */
  readonly savedBytes: number;
}

/** From the source thread. */
export type SourceReply =
  | TransferReply
  /** Why the commit of an incoming transfer must not begin; undefined if it may. */
  | { readonly kind: "checked"; readonly inbound: InboundKey; readonly failure: Reason | undefined };

/** From the source thread, about one transfer that this node sends. */
export type TransferReply =
  | (Extract<Input, { kind: "produced" }> & {
      /** The number of the first of the blocks. */
      readonly firstBlock: number;
      readonly notices: readonly SourceNotice[];
      readonly totals: SourceTotals;
    })
  /** It is another than the totals have said. */
  | { readonly kind: "withheld"; readonly transfer: number; readonly withheld: Withheld | undefined }
  | { readonly kind: "reports"; readonly transfer: number; readonly reports: readonly PathReport[] };

/** The numbers of each block to stage: its number, its sealed size, and the page where it lies. */
export const STAGE_NUMBERS = 3;

/** The numbers of each staged block: its number, and the page that comes back. */
export const STAGED_NUMBERS = 2;

/** To the staging thread. */
export type StageCommand =
  /** Other rules hold for transfers that are opened from now on. */
  | { readonly kind: "rules"; readonly rules: StageRules }
  | {
      readonly kind: "open";
      readonly inbound: InboundKey;
      readonly key: Uint8Array;
      readonly dryRun: boolean;
      /** What this node itself takes back, so that no block says it; left out for a transfer of another node. */
      readonly origin?: Origin | undefined;
    }
  /** Stage blocks; the page of each comes back with an answer. */
  | {
      readonly kind: "stage";
      readonly inbound: InboundKey;
      readonly blockKind: BlockKindNumber;
      /** STAGE_NUMBERS for each block. Most messages are of this kind, and objects cross between threads slowly. */
      readonly blocks: number[];
      /** Where parity lies in the one block of this command; undefined if there is none. */
      readonly restoration: Restoration | undefined;
    }
  | { readonly kind: "prepare"; readonly inbound: InboundKey }
  | {
      readonly kind: "commit";
      readonly inbound: InboundKey;
      readonly order: number;
      /** The names of lists whose paths the transfer leaves alone: they have taken effect here, and are later. */
      readonly later: readonly string[];
      /** The undo that this host follows if the transfer brings what it lacks; undefined if it lacks none, or more. */
      readonly follows: FollowedUndo | undefined;
    }
  | { readonly kind: "discard"; readonly inbound: InboundKey }
  | { readonly kind: "find"; readonly inbound: InboundKey; readonly first: number }
  | { readonly kind: "stop" };

export type StageCommandOf<Kind extends StageCommand["kind"]> = Extract<StageCommand, { kind: Kind }>;

/** StageOutcome as it crosses between threads. */
export type StagedOutcome =
  /** A manifest block was compared. */
  | (Omit<Extract<StageOutcome, { kind: "staged" }>, "wants"> & { readonly wants: BitmapData })
  /** Data blocks are where they belong. */
  | { readonly kind: "written" }
  | { readonly kind: "failed"; readonly reason: Reason }
  | Exclude<StageOutcome, { kind: "staged" | "failed" }>;

/** What the staging thread answers to commands. */
export type StageAnswer = Exclude<
  StageReply,
  { kind: "recovered" | "left" | "moved" | "strange" | "undo-areas" }
>;

/** An undo that this host has staged, as a start finds it. */
export interface FoundUndo extends UndoArea {
  /** The name of the list of what it has brought, if that was written just now. */
  readonly list: string;
}

/** What has become of what a commit has replaced or deleted. */
export interface UndoChange {
  /** All that is kept now, the newest first. */
  readonly areas: readonly UndoArea[];
  /** The names of transfers that cannot be taken back any more, and why. */
  readonly dropped: readonly string[];
  readonly why: "bounds" | "space" | "commit";
  /** The path, if a single entry could not be kept. */
  readonly path?: string | undefined;
  /** Why one that was to go is still there. */
  readonly failure?: Reason | undefined;
}

/** From the staging thread. */
export type StageReply =
  /** Somebody else's entry had the place of the staging area; both paths are byte strings. */
  | { readonly kind: "moved"; readonly from: string; readonly to: string }
  /** An entry in the staging area that no transfer has left there. */
  | { readonly kind: "strange"; readonly path: string }
  /** Other pushes can be taken back than before. */
  | ({ readonly kind: "undo-areas" } & UndoChange)
  /** Something of a transfer that has ended could not be removed. */
  | { readonly kind: "left"; readonly inbound: InboundKey; readonly failure: Reason }
  | {
      readonly kind: "recovered";
      readonly finished: readonly RecoveredTransfer[];
      /** The names of areas that are kept. */
      readonly kept: readonly string[];
      /** What is kept of undos that this host has staged itself. */
      readonly undos: readonly FoundUndo[];
      readonly failure: Reason | undefined;
    }
  /** The same has come of each of these blocks. */
  | {
      readonly kind: "staged";
      readonly inbound: InboundKey;
      /** STAGED_NUMBERS for each block. */
      readonly blocks: number[];
      readonly outcome: StagedOutcome;
    }
  | {
      readonly kind: "prepared";
      readonly inbound: InboundKey;
      readonly failure: Reason | undefined;
      readonly isRefusal: boolean;
      readonly findings: number;
      readonly totals: StageTotals;
      /**
       * The file that lists what changes, if that was asked for and something does: its name, after those of the directories
       * on the way from the base directory.
       */
      readonly changes: readonly string[] | undefined;
      /** Whether it is a publication or brings earlier ones; undefined if it does not say. */
      readonly origin?: Origin | undefined;
    }
  /** Everything that a transfer brings is in the tree, and what it deletes is not; "committed" follows. */
  | { readonly kind: "switched"; readonly inbound: InboundKey }
  | {
      readonly kind: "committed";
      readonly inbound: InboundKey;
      readonly failure: Reason | undefined;
      /** When the first rename began, in milliseconds since 1970, for the log. */
      readonly beganMs: number;
      /** The same as before the commit, with the place and whether a list of the paths was kept. */
      readonly origin?: Origin | undefined;
      readonly order?: number;
      readonly isListed?: boolean;
    }
  /** Another transfer commits first, so this one can no longer commit. */
  | { readonly kind: "overtaken"; readonly inbound: InboundKey; readonly failure: Reason }
  | {
      readonly kind: "found";
      readonly inbound: InboundKey;
      readonly first: number;
      readonly findings: readonly Finding[];
    }
  /** Nothing is left of a transfer that is over. */
  | { readonly kind: "closed"; readonly inbound: InboundKey }
  /** A sign that something long goes on. */
  | { readonly kind: "worked"; readonly inbound: InboundKey };
