import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DecodeError } from "../../src/base/bytes.ts";
import { UserError } from "../../src/base/user-error.ts";
import { parseRequest } from "../../src/console/parse-request.ts";
import { parseConfig } from "../../src/daemon/settings/config.ts";
import { readKeyFile } from "../../src/net/key-file.ts";
import { JournalWriter, readJournal } from "../../src/tree/apply/journal.ts";
import type { DirectoryHandle, Disk, FileHandle } from "../../src/tree/disk/disk.ts";
import { decodePublications } from "../../src/engine/catch-up/log-bytes.ts";
import { encodePublication } from "../../src/wire/publication.ts";
import { datagramLength } from "../../src/wire/datagram.ts";
import { decodeManifest } from "../../src/wire/manifest.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import { decodeDatagram, encodeDatagram } from "../wire/datagrams.ts";
import { naiveManifest, naiveSegments } from "../wire/naive-blocks.ts";
import { plainOf } from "../wire/plain.ts";
import { checkWholeBlocks, wholeBlocks } from "./arrivals.ts";
import { readSegments } from "../support/read-segments.ts";

/** Everything that reads bytes which somebody else has written. */

type ErrorClass = abstract new (...given: never[]) => Error;

export interface Target {
  /** Also the name of its folder in the corpus. */
  readonly name: string;
  /** The only errors that it may throw. */
  readonly errors: readonly ErrorClass[];
  /** Reads an input. */
  readonly decode: (input: Uint8Array) => unknown;
  /** Checks an input that was accepted: it is written again and read again, or read by a second decoder. */
  readonly check: (decoded: never, input: Uint8Array) => void;
}

function target<T>(
  name: string,
  errors: readonly ErrorClass[],
  decode: (input: Uint8Array) => T,
  check: (decoded: T, input: Uint8Array) => void,
): Target {
  return { name, errors, decode, check };
}

const textOf = (input: Uint8Array) => Buffer.from(input).toString("utf8");

/** What was written again is read as the same, and written as the same bytes. */
function isStable<T>(
  decode: (input: Uint8Array) => T,
  encode: (value: T) => Uint8Array,
): (decoded: T) => void {
  return (decoded) => {
    const written = encode(decoded);
    assert.equal(Buffer.compare(encode(decode(written)), written), 0);
  };
}

/** A disk with one file, for the journal: it can be read and written from the beginning. */
class OneFile {
  bytes = Buffer.alloc(0);
  private readonly handle = {} as FileHandle;
  readonly disk = {
    makeFile: () => this.handle,
    closeFile: () => undefined,
    syncFile: () => undefined,
    read: (_file: FileHandle, into: Uint8Array, offset: number) => {
      const piece = this.bytes.subarray(offset, offset + into.length);
      into.set(piece);
      return piece.length;
    },
    write: (_file: FileHandle, bytes: Uint8Array, offset: number) => {
      this.bytes = Buffer.concat([this.bytes.subarray(0, offset), bytes]);
      return bytes.length;
    },
  } as unknown as Disk;

  open(): FileHandle {
    return this.handle;
  }
}

function readSteps(input: Uint8Array) {
  const file = new OneFile();
  file.bytes = Buffer.from(input);
  return [...readJournal(file.disk, () => file.open())];
}

function writeSteps(steps: ReturnType<typeof readSteps>): Uint8Array {
  const file = new OneFile();
  const journal = new JournalWriter(file.disk, {} as DirectoryHandle, "journal");
  for (const step of steps) journal.addStep(step);
  journal.finish();
  return file.bytes;
}

function decodeFirst(input: Uint8Array) {
  const length = datagramLength(input, 0, input.length);
  assert.ok(length >= 0 && length <= input.length);
  return decodeDatagram(input);
}

/** A file in memory that is read as a key file. */
const keyFile = path.join(
  fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir(),
  `makuosan-fuzz-${process.pid}`,
);
process.once("exit", () => fs.rmSync(keyFile, { force: true }));

function readKeys(input: Uint8Array): unknown {
  fs.writeFileSync(keyFile, input, { mode: 0o600 });
  return readKeyFile(keyFile);
}

const DECODE_ERRORS = [DecodeError];
const USER_ERRORS = [UserError];

export const TARGETS: readonly Target[] = [
  target("datagrams", DECODE_ERRORS, decodeFirst, isStable(decodeFirst, encodeDatagram)),
  target("arrivals", DECODE_ERRORS, wholeBlocks, checkWholeBlocks),
  target("messages", DECODE_ERRORS, decodeMessage, isStable(decodeMessage, encodeMessage)),
  target(
    "publications",
    DECODE_ERRORS,
    decodePublications,
    isStable(decodePublications, (publications) => Buffer.concat(publications.map(encodePublication))),
  ),
  target("manifests", DECODE_ERRORS, decodeManifest, (decoded, input) =>
    assert.deepEqual(plainOf(decoded), naiveManifest(input)),
  ),
  target("data-blocks", DECODE_ERRORS, readSegments, (decoded, input) =>
    assert.deepEqual(plainOf(decoded), naiveSegments(input)),
  ),
  target("journals", DECODE_ERRORS, readSteps, isStable(readSteps, writeSteps)),
  target(
    "requests",
    USER_ERRORS,
    (input) => parseRequest(textOf(input)),
    (request) => {
      const text = JSON.stringify(request);
      assert.equal(JSON.stringify(parseRequest(text)), text);
    },
  ),
  target(
    "configs",
    USER_ERRORS,
    (input) => parseConfig(textOf(input), "makuosan.conf"),
    (given) => {
      for (const value of Object.values(given)) assert.notEqual(value, undefined);
      // Keys such as __proto__ must not reach any other object.
      assert.deepEqual(Object.keys(Object.prototype), []);
    },
  ),
  target("keys", USER_ERRORS, readKeys, (key) => assert.ok(key !== undefined)),
];
