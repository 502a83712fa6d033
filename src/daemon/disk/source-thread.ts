/** The thread that reads, seals and lays out trains. */
import { memoryRowOf } from "../../engine/window.ts";
import { type Reason, reason, sentence } from "../../base/reason.ts";
import type { MessagePort } from "node:worker_threads";
import { Bitmap } from "../../base/bitmap.ts";
import { bytesOfText } from "../../base/display.ts";
import { UserError } from "../../base/user-error.ts";
import { inboundName, type ProducedBlock } from "../../engine/types.ts";
import { sealBlock } from "../../net/block-sealing.ts";
import { HeapKeeper } from "../../sys/heap.ts";
import { Owners } from "../../tree/entries/owners.ts";
import type { HeldEntry } from "../../tree/scan/held-entry.ts";
import { baseDirectoryProblem, deviceOfDirectory, leadsElsewhere } from "../../tree/disk/base-directory.ts";
import { Directories } from "../../tree/disk/directories.ts";
import { linuxDisk } from "../../tree/disk/linux-disk.ts";
import { readyChanges } from "../../tree/apply/ready-steps.ts";
import { explain, reasonFor } from "../../tree/reasons/explain.ts";
import { NetworkPace } from "../../tree/scan/network-pace.ts";
import type { PublishedPaths } from "../../tree/scan/published-paths.ts";
import { type MadeBlock, Source } from "../../tree/scan/source.ts";
import {
  BLOCK_PLAINTEXT_BYTES,
  encodeFragmentHeader,
  epochHalves,
  FRAGMENT_HEADER_BYTES,
  FragmentHeader,
} from "../../wire/datagram.ts";
import { EntryType, isNameOnly } from "../../wire/entry.ts";
import { BLOCK_FRAGMENTS, TAG_BYTES } from "../../wire/limits.ts";
import { writeList } from "./transfer-record.ts";
import { readListFile } from "./list-files.ts";
import type {
  BitmapData,
  NamedList,
  PathReport,
  SourceCommand,
  SourceReply,
  WorkerSettings,
} from "./messages.ts";
import { TRAIN_BYTES } from "./rings.ts";

/** The thread that reads: makes blocks, seals each once, and lays it into the ring as a train ready to be sent. */

/** Blocks that took so long to make are handed over: members compare the first entries while the next ones are read. */
const PRODUCE_MS = 3;

interface OpenSource {
  readonly source: Source | undefined;
  /** Why the tree cannot be read at all. */
  readonly failure: string | undefined;
  readonly key: Buffer;
  readonly ring: Uint8Array;
  /** The length of all datagrams of a block but the last. */
  readonly datagramBytes: number;
  /** The epoch in two halves, as it stands in the headers. */
  readonly high: number;
  readonly low: number;
  /** Where the list of what it publishes goes; undefined if none is kept, or when it is written. */
  list: string | undefined;
  isListed?: boolean;
}

const NO_TOTALS = { entries: 0, wantedBytes: 0, sentEntries: 0, sentBytes: 0, savedBytes: 0 };

const header = new FragmentHeader();
/** Where a block is made and sealed, before it is cut into datagrams. */
const workspace = Buffer.from(new ArrayBuffer(BLOCK_PLAINTEXT_BYTES + TAG_BYTES));

export function runSourceThread(port: MessagePort, settings: WorkerSettings): void {
  const owners = new Owners();
  const pace = new NetworkPace();
  const sources = new Map<number, OpenSource>();
  let device = deviceOfDirectory(settings.base);
  const heap = new HeapKeeper(() => sources.size === 0);
  heap.noteStart();
  const reply = (message: SourceReply) => port.postMessage(message);
  /** Commits that are under way: nothing of the tree is read in the middle of them. */
  let holds = 0;
  const waiting: SourceCommand[] = [];
  const handle = (command: SourceCommand) => {
    if (command.kind === "stop") {
      port.close();
    } else if (command.kind === "hold") {
      holds++;
      if (command.ownAfter.length > 0) reply(checked(settings.base, command, sources));
    } else if (command.kind === "go-on") {
      if (--holds === 0) waiting.splice(0).forEach(handle);
    } else if (holds > 0) {
      waiting.push(command);
    } else {
      device ??= deviceOfDirectory(settings.base);
      carryOut(command, { settings, owners, pace, sources, device, heap, reply });
    }
  };
  port.on("message", (commands: readonly SourceCommand[]) => commands.forEach(handle));
}

interface SourceContext {
  readonly settings: WorkerSettings;
  readonly owners: Owners;
  readonly pace: NetworkPace;
  readonly sources: Map<number, OpenSource>;
  readonly device: number | undefined;
  readonly heap: HeapKeeper;
  readonly reply: (message: SourceReply) => void;
}

type TransferCommand = Exclude<SourceCommand, { kind: "stop" | "hold" | "go-on" }>;

function carryOut(command: TransferCommand, context: SourceContext): void {
  const { settings, sources, heap, reply } = context;
  if (command.kind === "open") {
    sources.set(command.transfer, openSource(command, context));
    return;
  }
  const open = sources.get(command.transfer);
  if (open === undefined) return;
  if (command.kind === "produce") reply(produce(open, command));
  else if (command.kind === "settle") settle(open, command, reply);
  else if (command.kind === "supersede") {
    const { transfer } = command;
    open.source?.supersede(readNamed(settings.lists, command.list));
    reply({ kind: "withheld", transfer, withheld: open.source?.withheld });
  } else {
    open.source?.close();
    sources.delete(command.transfer);
    heap.noteEnd();
  }
}

/** Holds the steps of an incoming transfer against what the transfers after it have said about this tree. */
function checked(
  base: string,
  { inbound, ownAfter }: Extract<SourceCommand, { kind: "hold" }>,
  sources: ReadonlyMap<number, OpenSource>,
): SourceReply {
  let failure: Reason | undefined;
  let directories: Directories | undefined;
  try {
    directories = Directories.at(linuxDisk, base);
    for (const transfer of ownAfter) {
      const { source } = sources.get(transfer) ?? {};
      // A transfer that serves others brings former publications: this one is later.
      const cover = source?.published === undefined ? source?.cover : undefined;
      const path = cover?.conflictWith(readyChanges(directories, inboundName(inbound)));
      if (path !== undefined) failure ??= reason("own-push", path);
    }
  } catch (error) {
    failure = { ...reasonFor(error), path: "" };
  } finally {
    directories?.close();
  }
  return { kind: "checked", inbound, failure };
}

function openSource(
  command: Extract<SourceCommand, { kind: "open" }>,
  { settings, owners, pace, device }: SourceContext,
): OpenSource {
  const { base, givenBase, lists, recordsLists } = settings;
  const common = {
    key: Buffer.from(command.key),
    ring: new Uint8Array(command.ring),
    datagramBytes: command.datagramBytes,
    ...epochHalves(command.epoch),
  };
  try {
    // The daemon has checked, locked and recovered the directory that it started with, and no other one.
    if (leadsElsewhere(givenBase, base)) throw new UserError(sentence("base-moved", bytesOfText(givenBase)));
    const { request, rules, dryRun, compression, tellsDigests, tellsChunks, digestsData } = command;
    const { list, published, ...rest } = rules;
    const isRecorded = recordsLists && list !== undefined && lists !== undefined;
    const named = { ...rest, isRecorded, published: published?.map((one) => readNamed(lists, one)) };
    const options = { rules: named, dryRun, compression, tellsDigests, tellsChunks, digestsData, pace };
    const source = new Source(base, owners, request, options, device);
    return { ...common, source, failure: undefined, list: isRecorded ? lists + list : undefined };
  } catch (error) {
    const failure =
      error instanceof UserError
        ? error.message
        : (baseDirectoryProblem(base) ?? `${bytesOfText(base)}: ${explain(error)}`);
    return { ...common, source: undefined, failure, list: undefined };
  }
}

function readNamed(lists: string | undefined, list: NamedList): PublishedPaths {
  return { ...list, bytes: readListFile(`${lists ?? ""}${list.name}`) };
}

function produce(open: OpenSource, command: Extract<SourceCommand, { kind: "produce" }>): SourceReply {
  const { transfer, firstBlock, count, waitingBlocks } = command;
  const { source } = open;
  const blocks: ProducedBlock[] = [];
  let made: MadeBlock | undefined;
  let { failure } = open;
  const memory = workspace.subarray(0, mostSealedBytes(open.datagramBytes) - TAG_BYTES);
  const endMs = performance.now() + PRODUCE_MS;
  while (failure === undefined && source !== undefined && blocks.length < count) {
    if (blocks.length > 0 && performance.now() >= endMs) break;
    const number = firstBlock + blocks.length;
    try {
      made = source.makeBlock(number, memory, waitingBlocks + blocks.length);
    } catch (error) {
      failure = error instanceof UserError ? error.message : sentence("tree-unreadable", explain(error));
      made = undefined;
    }
    if (made === undefined) break;
    const sealedBytes = made.bytes + TAG_BYTES;
    const sealed = workspace.subarray(0, sealedBytes);
    sealBlock(open.key, transfer, number, made.kind, sealed);
    layOut(open, transfer, number, made.kind, sealed);
    blocks.push({ kind: made.kind, sealedBytes, entries: made.entries });
  }
  const state =
    source?.isEnded === true ? "end" : made !== undefined || source?.isBusy === true ? "more" : "idle";
  if (state === "end" && open.list !== undefined) {
    open.isListed = writeList(open.list, source?.takeList());
    open.list = undefined;
  }
  const { isListed } = open;
  const { withheld, toldPaths } = source ?? {};
  const totals = {
    ...(source?.totals ?? NO_TOTALS),
    ...(withheld === undefined ? {} : { withheld }),
    ...(isListed === undefined ? {} : { isListed }),
    ...(state === "end" && toldPaths !== undefined ? { toldPaths } : {}),
  };
  const notices = source?.takeNotices() ?? [];
  const common = { kind: "produced", transfer, firstBlock, blocks } as const;
  return { ...common, state, failure, unreadable: source?.unreadable ?? 0, notices, totals };
}

/** Most bytes of a sealed block whose datagrams have this length. */
function mostSealedBytes(datagramBytes: number): number {
  return (datagramBytes - FRAGMENT_HEADER_BYTES) * BLOCK_FRAGMENTS;
}

/** Cuts a sealed block into datagrams, in its slot of the ring. */
function layOut(open: OpenSource, transfer: number, block: number, kind: number, sealed: Buffer): void {
  const slotStart = memoryRowOf(block) * TRAIN_BYTES;
  const sealedBytes = sealed.length;
  const { high: epochHigh, low: epochLow, datagramBytes } = open;
  const fullBytes = datagramBytes - FRAGMENT_HEADER_BYTES;
  Object.assign(header, { epochHigh, epochLow, transfer, block, sealedBytes, kind, fullBytes });
  for (let index = 0, offset = 0; offset < sealedBytes; index++, offset += fullBytes) {
    const start = slotStart + index * datagramBytes;
    header.index = index;
    header.payloadBytes = Math.min(fullBytes, sealedBytes - offset);
    encodeFragmentHeader(open.ring, start, header);
    sealed.copy(open.ring, start + FRAGMENT_HEADER_BYTES, offset, offset + header.payloadBytes);
  }
}

function bitmapOf({ size, bytes }: BitmapData): Bitmap {
  return new Bitmap(size, bytes);
}

function settle(
  open: OpenSource,
  command: Extract<SourceCommand, { kind: "settle" }>,
  reply: (message: SourceReply) => void,
): void {
  const [union, contents] = [bitmapOf(command.union), bitmapOf(command.contents)];
  const separate = command.separate === undefined ? undefined : bitmapOf(command.separate);
  const elsewhere = command.elsewhere === undefined ? undefined : bitmapOf(command.elsewhere);
  const moved = command.moved === undefined ? undefined : bitmapOf(command.moved);
  const entries = open.source?.settle(command.block, { union, contents, separate, elsewhere, moved });
  if (command.detail === "none" || entries === undefined) return;
  const reports: PathReport[] = [];
  const wants = command.wants.map(({ host, entries: data, differences }) => ({
    host,
    bitmap: new Bitmap(data.size, data.bytes),
    differences,
  }));
  for (let index = 0; index < entries.length; index++) {
    const report = reportOf(entries.at(index), index, wants, command.detail === "all");
    if (report !== undefined) reports.push(report);
  }
  if (reports.length > 0) reply({ kind: "reports", transfer: command.transfer, reports });
}

/** What one host wants of a block. */
interface EntryWants {
  readonly host: string;
  readonly bitmap: Bitmap;
  readonly differences: Uint8Array | undefined;
}

function reportOf(
  entry: HeldEntry,
  index: number,
  wants: readonly EntryWants[],
  withSkips: boolean,
): PathReport | undefined {
  const updates = wants.filter((want) => want.bitmap.get(index)).map((want) => want.host);
  // Neither is sent: the one is only a way, the other only a name.
  const isSilent = entry.type === EntryType.passage || isNameOnly(entry.type);
  if (isSilent && updates.length === 0) return undefined;
  if (updates.length === 0 && !withSkips) return undefined;
  const skips = withSkips ? wants.filter((want) => !want.bitmap.get(index)).map((want) => want.host) : [];
  const differences = wants.flatMap(({ host, differences: all }) =>
    all?.[index] === undefined || all[index] === 0 ? [] : [{ host, difference: all[index] }],
  );
  return { path: entry.path, updates, skips, differences };
}
