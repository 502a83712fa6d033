/** What is to be sent by a transfer, and who hears of it. */
import type { CompressionMode } from "../../tree/entries/compression.ts";
import type { ScanRequest } from "../../tree/scan/request.ts";
import type { ReportDetail, SourceRules, TransferReply } from "../disk/messages.ts";

/** The request of an outgoing transfer, and the callbacks for its progress and its result. */
export interface TransferObserver {
  readonly request: ScanRequest;
  readonly rules: SourceRules;
  readonly detail: ReportDetail;
  /** Whether contents are compressed. */
  readonly compression: CompressionMode;
  /** Whether all members understand digests of files that they may have by other names. */
  readonly tellsDigests: boolean;
  /** Whether chunks of large files are told that members have in another version. */
  readonly tellsChunks: boolean;
  /** Whether files with holes are compared by digests of their data alone. */
  readonly digestsData: boolean;
  /** The name by which people see a member. */
  hostOf(epoch: string): string;
  /** Called with each reply of the reading thread, until the transfer is over. */
  onSource(reply: TransferReply): void;
}
