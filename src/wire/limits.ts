/**
 * Every count, length and queue that something from outside can reach. What exceeds its limit is dropped and
 * counted, and never allocated. PROTOCOL.md names the same numbers.
 */

/** The version of the wire format, in every datagram. */
export const PROTOCOL_VERSION = 2;

/** Default multicast group and port. */
export const DEFAULT_GROUP = "224.0.0.108";
export const DEFAULT_PORT = 5000;

/** Longest datagram: fits an Ethernet frame even behind a tunnel of 32 bytes. */
export const DATAGRAM_BYTES = 1440;

/** Fragments of a block: 44 datagrams are the longest train that fits one UDP send. */
export const BLOCK_FRAGMENTS = 44;

/** The tag that AES-256-GCM puts behind what it seals. */
export const TAG_BYTES = 16;

/** Longest host name, label and version. */
export const HOST_NAME_BYTES = 64;
export const LABEL_BYTES = 32;
export const LABELS = 16;
export const VERSION_BYTES = 32;

/** Longest reason in a message. */
export const REASON_BYTES = 512;

/** Longest name of an entry, and longest path below the base directory. */
export const NAME_BYTES = 255;
export const PATH_BYTES = 4096;

/** Most entries in one manifest block: how each of them differs, a byte for each, still fits into a STATUS. */
export const MANIFEST_ENTRIES = 1024;

/** Most extended attributes of an entry, and most bytes of their values: they have to fit into a manifest block. */
export const ATTRIBUTES = 100;
export const ATTRIBUTE_BYTES = 16 * 1024;

/** Findings in one message, and how much of a path one tells. */
export const FINDINGS_PER_MESSAGE = 100;
export const FINDING_PATH_BYTES = 1000;

/** Findings that a member keeps of one transfer, by their bytes; those beyond are only counted. */
export const FINDING_BYTES = 8 * 1024 * 1024;

/** Most members, and most other nodes that are being questioned, at a time. */
export const MEMBERS = 4096;
export const CANDIDATES = 1024;

/** Epochs listed in one OFFER, ORDER or COMMIT. */
export const TARGETS_PER_MESSAGE = 128;

/** Missing fragments and whole blocks listed in one STATUS. */
export const MISSING_FRAGMENTS = 40;
export const MISSING_RUNS = 16;

/** Answers to manifest blocks in one STATUS. */
export const WANTS_PER_STATUS = 64;

/** Transfers that a node receives, and sends, at the same time. */
export const INBOUND_TRANSFERS = 8;
export const OUTBOUND_TRANSFERS = 8;

/** Blocks a node takes ahead of the lowest one that is not staged; the memory of a transfer is this times 64 KiB. */
export const WINDOW_BLOCKS = 256;

/** The highest place of a transfer among all others: a node that has got so far stays there. */
export const HIGHEST_ORDER = 0xffff_ffff;

/** Ended transfers that a receiver still answers for. */
export const REMEMBERED_TRANSFERS = 256;

/** Sender keys kept derived. */
export const SESSION_KEYS = 8192;
