/**
 * A limit on every count, length and queue that input from outside can reach. Input beyond a limit is dropped and
 * counted, and never allocated. PROTOCOL.md 8 names the same numbers.
 */

/** The version of the protocol that this program speaks. A node names its own in its node info (PROTOCOL.md 4.1). */
export const PROTOCOL_VERSION = 3;

/** The oldest version that it also speaks: nodes of it are members, with the handshake that they know (PROTOCOL.md 4.2). */
export const OLDEST_PROTOCOL = 2;

/** The version in the header of every datagram. The layout of datagrams has not changed since version 2. */
export const DATAGRAM_VERSION = 2;

/** The multicast group and port if the config file names none; link-local, so routers never forward it. */
export const DEFAULT_GROUP = "224.0.0.108";
export const DEFAULT_PORT = 5000;

/** Longest datagram: fits an Ethernet frame even inside a tunnel whose header has 32 bytes. */
export const DATAGRAM_BYTES = 1440;

/**
 * Shortest length that a sender gives its datagrams: with the headers of IP and UDP they have 1,280 bytes, which every
 * network takes that carries IPv6. Where packets are shorter still, IP divides them.
 */
export const LEAST_DATAGRAM_BYTES = 1252;

/** Fragments of a block: 44 datagrams are the longest train that one UDP send can hold. */
export const BLOCK_FRAGMENTS = 44;

/**
 * Parity fragments of a block: their indexes follow those of 44 fragments, so that 64 bits name all fragments of a block. A
 * member that misses more of a block gets the fragments themselves.
 */
export const PARITY_FRAGMENTS = 20;

/** The tag that AES-256-GCM appends to what it seals. */
export const TAG_BYTES = 16;

/**
 * Most bytes that a compressed segment unpacks to: a receiver has memory for one of them at a time. In pieces of this size source
 * text gets a tenth smaller than in pieces of a quarter of it, and twice as much saves another twentieth.
 */
export const UNPACKED_BYTES = 256 * 1024;

/**
 * Most bytes that all compressed segments of a block unpack to. Contents that get seventeen times smaller fill a block with
 * it; a member writes it in a few milliseconds, and no seal makes it work longer than that.
 */
export const BLOCK_UNPACKED_BYTES = 1024 * 1024;

/** Longest host name (that of Linux), and longest label and version, and most labels (chosen without measurement). */
export const HOST_NAME_BYTES = 64;
export const LABEL_BYTES = 32;
export const LABELS = 16;
export const VERSION_BYTES = 32;

/**
 * Bytes of a key's fingerprint: two keys of a fleet are alike in it once in four thousand million pairs. Most keys that a node
 * names: as many as its key file may have.
 */
export const FINGERPRINT_BYTES = 4;
export const FINGERPRINTS = 8;

/** Longest reason in a message: a sentence with most of a path; chosen without measurement. */
export const REASON_BYTES = 512;

/** Longest name of an entry, and longest path below the base directory: NAME_MAX and PATH_MAX of Linux. */
export const NAME_BYTES = 255;
export const PATH_BYTES = 4096;

/** Most entries in one manifest block: a STATUS must have room for the differences of all of them, a byte for each. */
export const MANIFEST_ENTRIES = 1024;

/** The smallest file whose chunks are told: for smaller ones, a few chunks and an answer take as long as the contents. */
export const CHUNKED_FILE_BYTES = 256 * 1024;

/**
 * The usual length of a chunk, as long as a file has no more than CHUNKS_OF_A_FILE; then they are longer. A block that tells them
 * stands for 64 MiB. With shorter ones, less is sent for each change, and more is told: 21 bytes for each chunk.
 */
export const CHUNK_BYTES = 64 * 1024;
export const CHUNKS_OF_A_FILE = 64 * 1024;

/** Most bytes of one chunk: a member needs memory for one to compare it. */
export const CHUNK_BYTES_MOST = 16 * 1024 * 1024;

/** The key of the tags of chunks: one of AES-256. */
export const CHUNK_KEY_BYTES = 32;

/** Most extended attributes of an entry, and most bytes of their values: an entry must fit into a manifest block. */
export const ATTRIBUTES = 100;
export const ATTRIBUTE_BYTES = 16 * 1024;

/** Most findings in a message (chosen without measurement), and most bytes of a path: it must fit in with its text. */
export const FINDINGS_PER_MESSAGE = 100;
export const FINDING_PATH_BYTES = 1000;

/** Most bytes of findings that a member keeps of one transfer; the others are only counted. Bounds the memory. */
export const FINDING_BYTES = 8 * 1024 * 1024;

/** Most members, and most other nodes being questioned, at a time: bounds on memory, chosen without measurement. */
export const MEMBERS = 4096;
export const CANDIDATES = 1024;

/** Epochs in one OFFER, ORDER or COMMIT: 1,024 bytes of the 1,384 that a message can have. */
export const TARGETS_PER_MESSAGE = 128;

/** Blocks missing in part and runs of missing blocks in one STATUS: at most 496 bytes of 1,384. */
export const MISSING_FRAGMENTS = 40;
export const MISSING_RUNS = 16;

/** Answers to manifest blocks in one STATUS: more than the 12 blocks that this program leaves unsettled. */
export const WANTS_PER_STATUS = 64;

/** Transfers that a node receives, and sends, at the same time: each may need a window of memory (16 MiB). */
export const INBOUND_TRANSFERS = 8;
export const OUTBOUND_TRANSFERS = 8;

/**
 * Blocks that a node accepts ahead of the lowest one that is not staged. The memory of a transfer is this times 64 KiB.
 */
export const WINDOW_BLOCKS = 256;

/** The highest place of a transfer among all others. A node whose clock has reached it stays there. */
export const HIGHEST_ORDER = 0xffff_ffff;

/** The highest rank of a transfer among those that are to be admitted. A node whose clock has reached it stays there. */
export const HIGHEST_RANK = 0xffff_ffff;

/** Ended transfers that a receiver still answers for; chosen without measurement. */
export const REMEMBERED_TRANSFERS = 256;

/**
 * Transfers whose COMMIT a member can repeat: eight times those that it receives at once. A member asks within 15 s,
 * and the transfers after the one it asks for mostly wait for that one. With 4,096 targets each they need some 20 MB.
 */
export const RELAYED_TRANSFERS = 64;

/**
 * Series of probes in an examination, and most bytes that make one long: with the fields of a PROBE they fill a datagram.
 */
export const PROBE_SERIES = 5;
export const PROBE_FILLER_BYTES = DATAGRAM_BYTES - 40 - TAG_BYTES - 8;

/** Most probes that one INSPECT asks for: enough to see a loss of 10 %, and little for the network. */
export const PROBES_ASKED = 20;

/** Derived keys and replay windows of senders: twice MEMBERS, so that all may restart. */
export const SESSION_KEYS = 8192;

/**
 * The log of publications (PROTOCOL.md 9): most publications that a node keeps, and for how long. Most texts in one scope, such
 * as paths, and most bytes of them: a scope must fit into one manifest block. Most bytes of a whole log as it is sent: a
 * thousand publications of a kilobyte each.
 */
export const PUBLICATIONS = 1000;
export const PUBLICATION_DAYS = 90;
export const SCOPE_TEXTS = 512;
export const SCOPE_BYTES = 16 * 1024;
export const LOG_BYTES = 1024 * 1024;

/** Bytes of a log in one PIECE: as many as a control message holds with its other fields. */
export const PIECE_BYTES = 1200;

/** Longest reason in a message about a log: it is sent to the whole group. */
export const LOG_REASON_BYTES = 200;
