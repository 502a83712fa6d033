import zlib from "node:zlib";
import { Cursor, demand, isOne, reason, Refused } from "./naive-cursor.ts";
import type { Plain } from "./plain.ts";

// Blocks, decoded as in naive-decoder.ts.

export function naiveManifest(bytes: Uint8Array): Plain {
  const from = new Cursor(bytes);
  demand(from.u8() === 1, "block kind");
  const firstEntry = from.u32();
  const announced = from.u16();
  demand(announced <= 1024, "entries");
  const directories: { header: { path: string; metadata: Plain }; entries: Plain[]; isComplete: boolean }[] =
    [];
  const excludes: string[] = [];
  const digests: Plain[] = [];
  const chunks: Plain[] = [];
  let chunkKey: string | undefined;
  let terms: Plain = null;
  let origin: Plain | undefined;
  let found = 0;
  while (from.left > 0) {
    const record = from.u8();
    if (record === 1) {
      const path = from.text(from.u16());
      demand(isBelowBase(path), "directory");
      const header = { path, metadata: isOne(from.u8()) ? metadata(from) : null };
      directories.push({ header, entries: [], isComplete: false });
    } else if (record === 3) {
      const flags = from.u8();
      demand(flags < 16, "terms");
      const base = from.text(from.u16());
      demand(base.length <= 4096, "base");
      const [isForced, isCheck, keeps, tellsDigests] = [1, 2, 4, 8].map((bit) => (flags & bit) > 0);
      terms = { isForced, isCheck, deletes: !keeps, tellsDigests, base } as Plain;
    } else if (record === 4) {
      const pattern = from.text(from.u16());
      demand(pattern.length <= 4096, "pattern");
      excludes.push(pattern);
    } else if (record === 6) {
      origin = naiveOrigin(from);
    } else if (record === 8) {
      digests.push({ entry: from.u32(), digest: from.hex(16) });
      found += 1;
    } else if (record === 9) {
      chunkKey = from.hex(32);
    } else if (record === 10) {
      const [entry, length] = [from.u32(), from.u32()];
      demand(length > 0 && length <= 16_777_216, "chunk");
      chunks.push({ entry, length, tag: from.hex(16) });
      found += 1;
    } else {
      demand(record === 2 || record === 5 || record === 7, "record");
      const directory = directories[directories.length - 1];
      if (directory === undefined || directory.isComplete) throw new Refused("no directory");
      if (record === 5) directory.isComplete = true;
      else {
        directory.entries.push(manifestEntry(from, directory.header.path, record === 7));
        found += 1;
      }
    }
  }
  demand(found === announced, "count");
  const isAlone =
    terms === null &&
    chunkKey === undefined &&
    origin === undefined &&
    directories.length + excludes.length === 0;
  demand(digests.length === 0 || (isAlone && chunks.length === 0), "digests");
  demand(chunks.length === 0 || isAlone, "chunks");
  const rare = {
    ...(origin === undefined ? {} : { origin }),
    ...(chunkKey !== undefined && { chunkKey }),
    ...(chunks.length > 0 && { chunks }),
  };
  return { firstEntry, terms, excludes, ...rare, directories, digests };
}

function naiveOrigin(from: Cursor): Plain {
  const kind = from.u8();
  if (kind === 2) return { kind: "catch-up", digest: from.hex(8) };
  demand(kind === 1 || kind === 3, "origin");
  const digest = kind === 3 ? from.hex(8) : "";
  const [nodeId, timeMs] = [from.hex(16), Number(from.u64())];
  demand(Number.isSafeInteger(timeMs), "time");
  const names = from.times(2, () => from.text(from.u8()));
  demand(
    names.every((name) => name.length <= 64 && /^[!-~]*$/.test(name)),
    "name",
  );
  const [user = "", host = ""] = names;
  const { isUndo, ...scope } = naiveScope(from);
  const announced = { nodeId, timeMs, user, host, scope };
  const undoes = isUndo === true ? { nodeId: from.hex(16), epoch: from.hex(8), number: from.u32() } : null;
  demand((kind === 3) === (undoes !== null), "two kinds");
  if (undoes === null) return { kind: "publication", announced };
  return { kind: "undo", announced: { ...announced, undoes }, digest };
}

function naiveScope(from: Cursor): Record<string, Plain> {
  const flags = from.u8();
  const deletes = ["nothing", "also", "only"][from.u8()];
  demand(flags < 32 && deletes !== undefined, "flags");
  let left = 16384;
  const texts = () => {
    const count = from.u16();
    demand(count <= 512, "texts");
    return from.times(count, () => {
      const text = from.text(from.u16());
      left -= text.length;
      demand(text.length <= 4096 && left >= 0, "size");
      return text;
    });
  };
  const paths = texts();
  demand(paths.length > 0 && paths.every((path) => path === "" || isBelowBase(path)), "path");
  const [excludes, targets, excepts] = [texts(), texts(), texts()];
  const isSet = (bit: number) => Math.floor(flags / bit) % 2 === 1;
  const [recursive, syncs, sendsAttributes, isPartial] = [isSet(1), isSet(2), isSet(4), isSet(8)];
  const options = { recursive, syncs, sendsAttributes, isPartial };
  const isUndo = isSet(16);
  return { ...options, deletes: deletes ?? "", paths, excludes, targets, excepts, isUndo };
}

function manifestEntry(from: Cursor, directory: string, isDataDigest: boolean): Plain {
  const first = from.u8();
  const type = first % 16;
  const [hasOtherNames, hasDigest, hasHoles, hasAttributes] = [16, 32, 64, 128].map(
    (bit) => Math.floor(first / bit) % 2 === 1,
  );
  demand(type >= 1 && type <= 10, "entry type");
  demand(hasDigest === true || !isDataDigest, "digest");
  demand(type === 1 || !(hasOtherNames || hasDigest || hasHoles), "contents");
  const isName = type === 5 || type === 6;
  demand(!(hasAttributes && (isName || type === 10)), "attributes");
  const name = from.text(from.u8());
  demand(name !== "" && !name.includes("/"), "name");
  demand(isBelowBase(directory === "" ? name : directory + "/" + name), "path");
  const nobody = { id: 0, name: "" };
  const data = isName ? { mode: 0, mtimeNs: "0", user: nobody, group: nobody } : metadata(from);
  const common = { type, name, metadata: data, size: type === 1 ? place(from) : 0, target: "" };
  if (type === 3 || type === 10) {
    common.target = from.text(from.u16());
    const isFine = common.target !== "" && common.target.length <= 4096 && !common.target.includes("\0");
    demand(isFine && (type === 3 || isBelowBase(common.target)), "target");
  }
  const isDevice = type === 8 || type === 9;
  if (first < 16 && !isDevice) return { ...common, extras: null };
  const device = isDevice ? { major: from.u32(), minor: from.u32() } : null;
  const digest = hasDigest ? from.hex(32) : null;
  const allocated = hasHoles ? place(from) : null;
  return {
    ...common,
    extras: {
      hasOtherNames: hasOtherNames === true,
      digest,
      isDataDigest,
      allocated,
      device,
      attributes: hasAttributes ? attributes(from) : null,
    },
  };
}

function place(from: Cursor): number {
  const value = from.u64();
  demand(value < 1n << 53n, "size");
  return Number(value);
}

function attributes(from: Cursor): Plain {
  const count = from.u8();
  demand(count <= 100, "attributes");
  const all = from.times(count, () => {
    const name = from.text(from.u8());
    demand(name !== "" && !name.includes("\0"), "attribute");
    return { name, value: from.hex(from.u16()) };
  });
  const bytes = all.reduce((sum, { value }) => sum + value.length / 2, 0);
  demand(bytes <= 16384, "attributes");
  return all;
}

/** Looks for each kind of hostile path separately. */
function isBelowBase(path: string): boolean {
  if (path === "") return true;
  const padded = "/" + path + "/";
  const isHostile =
    padded.includes("//") || padded.includes("/../") || padded.includes("/./") || padded.includes("\0");
  const isStaging = padded.startsWith("/.makuosan/");
  const longest = Math.max(...path.split("/").map((component) => component.length));
  return !isHostile && !isStaging && longest < 256 && path.length <= 4096;
}

function metadata(from: Cursor): Plain {
  const mode = from.u16();
  demand(mode < 4096, "mode");
  const mtimeNs = String(from.i64());
  const owner = () => ({ id: from.u32(), name: from.text(from.u8()) });
  return { mode, mtimeNs, user: owner(), group: owner() };
}

export function naiveSegments(bytes: Uint8Array): Plain {
  const from = new Cursor(bytes);
  demand(from.u8() === 2, "block kind");
  const segments: Plain[] = [];
  let unpackedBytes = 0;
  while (from.left > 0) {
    const kind = from.u8();
    if (kind !== 4) {
      segments.push(naiveSegment(from, kind));
      continue;
    }
    const unpacked = unpackedSegment(Buffer.from(from.hex(from.u16()), "hex"));
    unpackedBytes += unpacked.length;
    demand(unpacked.length <= 262144 && unpackedBytes <= 1048576, "unpacked bytes");
    for (const inside = new Cursor(unpacked); inside.left > 0;)
      segments.push(naiveSegment(inside, inside.u8()));
  }
  return segments;
}

function naiveSegment(from: Cursor, kind: number): Plain {
  const entry = from.u32();
  demand(kind >= 1 && kind <= 3, "segment");
  if (kind === 2) return { kind, entry, reason: reason(from) };
  if (kind === 3) return { kind, entry, offset: place(from), length: place(from) };
  const offset = from.u64();
  demand(offset < 1n << 53n, "offset");
  return { kind, entry, offset: Number(offset), bytes: from.hex(from.u16()) };
}

/** A frame of one segment without a dictionary, which tells its size; the output is read as a stream. */
function unpackedSegment(frame: Buffer): Uint8Array {
  const start = frame.subarray(0, 5).toString("hex");
  demand(/^28b52ffd[26a][04]$/.test(start), "frame");
  const sizeBytes = [1, 2, 4][Math.floor((frame[4] ?? 0) / 64)] ?? 0;
  demand(frame.length >= 5 + sizeBytes, "size");
  const size = frame.readUIntLE(5, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  demand(size <= 262144, "size");
  let unpacked: Buffer;
  try {
    unpacked = zlib.zstdDecompressSync(frame);
  } catch {
    throw new Refused("frame");
  }
  demand(unpacked.length === size, "size");
  // What is left over would make a second frame, or nothing; cut off by a byte, the frame is not whole any more.
  demand(isNotWhole(frame.subarray(0, -1)), "end");
  return unpacked;
}

function isNotWhole(frame: Buffer): boolean {
  try {
    zlib.zstdDecompressSync(frame);
    return false;
  } catch {
    return true;
  }
}
