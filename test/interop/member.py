#!/usr/bin/env python3
"""A second implementation of the protocol, written from PROTOCOL.md alone.

It is a member of a fleet: it receives transfers into a directory, and sends trees of that directory. It proves that the
document says enough, and the interop test runs it among real daemons. Numbers in comments are sections of PROTOCOL.md.

It is written to be read, not to be fast: one process, one loop, and nothing that runs beside it. A long comparison or a
long commit therefore keeps it silent. It leaves out version 2 (4.2), the reports about problems (4.3), the examination
(4.4), patterns of its own (5.2), the rates and the second sending (5.4, 5.5), and several secrets.

    member.py --base DIR --address IP [--key FILE] [--name NAME] [--group IP] [--port N] [--state FILE]
              [--deaf MESSAGE]

With --state it keeps its node id in a file. With --deaf it ignores all messages of a kind, as if each of them was lost.
It reads a JSON object a line from its standard input, and writes one a line to its standard output:

    {"push": ["a", "b/c"], "id": 1, "to": ["host2"], "delete": true}    and force, dry, checksum, check
    {"quit": true}

    {"event": "ready", ...}        the sockets are open
    {"event": "members", ...}      the names of all members, whenever one comes or goes
    {"event": "received", ...}     a transfer from another node has ended on this one
    {"event": "pushed", ...}       an own transfer has ended: a verdict for each member, findings, numbers
    {"event": "malformed", ...}    something that breaks a rule of the document has arrived

With MAKUOSAN_TRACE=FILE it writes each control message that it sends and receives into that file.
"""

import argparse
import base64
import errno
import fcntl
import functools
import hashlib
import heapq
import itertools
import json
import os
import random
import re
import select
import signal
import socket
import stat
import struct
import sys
import time
from dataclasses import dataclass, field
from types import SimpleNamespace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# --- Limits (8) ---------------------------------------------------------------------------------------------------

DATAGRAM_BYTES = 1440
HEADER_BYTES = 16
CONTROL_HEADER_BYTES = 40
FRAGMENT_HEADER_BYTES = 32
TAG_BYTES = 16
MESSAGE_BYTES = DATAGRAM_BYTES - CONTROL_HEADER_BYTES - TAG_BYTES
FULL_PAYLOAD = DATAGRAM_BYTES - FRAGMENT_HEADER_BYTES
LEAST_FULL_PAYLOAD = 1220
BLOCK_FRAGMENTS = 44
PARITY_FRAGMENTS = 20
MANIFEST_ENTRIES = 1024
TARGETS = 128
WINDOW_BLOCKS = 256
MISSING_RUNS = 16
MISSING_FRAGMENTS = 40
WANTS = 64
INBOUND = 8
REMEMBERED = 256
RELAYED = 64
REASON_BYTES = 512
PATH_BYTES = 4096
DATA_PIECE_BYTES = 65536
CHUNKED_FILE_BYTES = 262144
CHUNK_BYTES = 65536
CHUNKS_OF_A_FILE = 65536
CHUNK_BYTES_MOST = 16777216
NAME_BYTES = 255
HIGHEST = 2**32 - 1
U32 = 2**32

WAITING, RECEIVING, READY, ORDERED, COMMITTING, DONE, FAILED, REFUSED = range(8)
PHASES = ("waiting", "receiving", "ready", "ordered", "committing", "done", "failed", "refused")

FILE, DIRECTORY, LINK, PASSAGE, KEPT, GONE, FIFO, CHARACTER, BLOCK, HARD_LINK = range(1, 11)
HAS_LINKS, HAS_DIGEST, HAS_DATA_BYTES, HAS_ATTRIBUTES = 0x10, 0x20, 0x40, 0x80

MISSING, TYPE, CONTENTS, MODE, OWNER, TIME, ATTRIBUTES, SEPARATE = (1 << bit for bit in range(8))
ELSEWHERE = SEPARATE

MANIFEST, DATA = 1, 2
TERMS_FORCED, TERMS_CHECK, TERMS_KEEPS, TERMS_DIGESTS = 1, 2, 4, 8

AREA = b".makuosan"


def ahead(a, b):
    """Whether the serial number a is ahead of b."""
    return 0 < (a - b) % U32 < 2**31


# --- Reading and writing ------------------------------------------------------------------------------------------


class Malformed(Exception):
    """Bytes break a rule of the document."""


def check(holds, what):
    if not holds:
        raise Malformed(what)


class Reader:
    """Reads fields from bytes, and refuses what is too short or too long."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        check(self.at + count <= len(self.data), "too short")
        self.at += count
        return bytes(self.data[self.at - count : self.at])

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def u8(self):
        return self.number("B")

    def u16(self):
        return self.number("H")

    def u32(self):
        return self.number("I")

    def u64(self):
        return self.number("Q")

    def text8(self, least=0, most=255):
        text = self.take(self.u8())
        check(least <= len(text) <= most, "a text with a wrong length")
        return text

    def text16(self, least=0, most=65535):
        text = self.take(self.u16())
        check(least <= len(text) <= most, "a text with a wrong length")
        return text

    def flag(self):
        value = self.u8()
        check(value <= 1, "a flag that is neither 0 nor 1")
        return bool(value)

    def many(self, count, read):
        return [read() for _ in range(count)]

    def count(self, form, most):
        value = self.number(form)
        check(value <= most, "too many")
        return value

    @property
    def left(self):
        return len(self.data) - self.at

    def end(self):
        check(self.left == 0, "too long")


def u8(value):
    return struct.pack("<B", value)


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def text8(text):
    return u8(len(text)) + text


def text16(text):
    return u16(len(text)) + text


# --- Control messages (3) -----------------------------------------------------------------------------------------


@dataclass
class NodeInfo:
    receives: bool
    sends: bool
    host: bytes
    program: bytes
    labels: list

    def encode(self):
        flags = (1 if self.receives else 0) | (2 if self.sends else 0)
        labels = b"".join(text8(label) for label in self.labels)
        return u8(flags) + text8(self.host) + text8(self.program) + u8(len(self.labels)) + labels

    @property
    def version(self):
        """The version of the protocol that the node speaks (4.1)."""
        found = re.search(rb"\+wire([1-9][0-9]{0,2})$", self.program)
        return int(found.group(1)) if found and int(found.group(1)) >= 3 else 2

    @property
    def datagram_bytes(self):
        """The longest datagram that the node takes (4.1)."""
        found = re.search(rb"\+datagram([0-9]{4})\+wire[0-9]+$", self.program)
        return int(found.group(1)) if found and 1252 <= int(found.group(1)) <= 1439 else DATAGRAM_BYTES


def read_info(reader):
    flags = reader.count("B", 3)
    host, program = reader.text8(1, 64), reader.text8(1, 32)
    labels = reader.many(reader.count("B", 16), lambda: reader.text8(1, 32))
    check(all(0x21 <= byte <= 0x7E for text in [host, program, *labels] for byte in text), "a byte beyond 0x21 to 0x7e")
    return NodeInfo(bool(flags & 1), bool(flags & 2), host, program, labels)


def read_targets(reader):
    return reader.many(reader.count("H", TARGETS), lambda: reader.take(8))


def targets(epochs):
    return u16(len(epochs)) + b"".join(epochs)


def read_route(reader):
    epoch, address = reader.take(8), socket.inet_ntoa(reader.take(4))
    return epoch, (address, reader.u16())


def route(epoch, address):
    return epoch + socket.inet_aton(address[0]) + u16(address[1])


def read_want(reader):
    block, entries, form = reader.u32(), reader.count("H", MANIFEST_ENTRIES), reader.count("B", 3)
    if form == 2:
        bits = reader.take((entries + 7) // 8)
        wanted = [bits[index // 8] >> (index % 8) & 1 for index in range(entries)]
    else:
        wanted = list(reader.take(entries)) if form == 3 else [form] * entries
    return SimpleNamespace(block=block, wanted=wanted, has_differences=form == 3)


def read_status(reader):
    """STATUS (5.3)."""
    status = SimpleNamespace(epoch=reader.take(8), transfer=reader.u32(), phase=reader.count("B", REFUSED))
    status.stamp, status.staged, status.window_end = reader.u32(), reader.u32(), reader.u32()
    status.in_flight, status.received = reader.u32(), reader.u32()
    status.runs = reader.many(reader.count("B", MISSING_RUNS), lambda: (reader.u32(), reader.u16()))
    status.partial = reader.many(
        reader.count("B", MISSING_FRAGMENTS), lambda: (reader.u32(), reader.u32() | reader.u16() << 32)
    )
    status.wants = reader.many(reader.count("B", WANTS), lambda: read_want(reader))
    status.reason = reader.text16(0, REASON_BYTES)
    status.findings, status.worked = reader.u32(), reader.u32()
    status.order, status.admission, status.ahead = reader.u32(), 0, 0
    if reader.left:
        status.admission, status.ahead = reader.u32(), reader.u16()
        check(status.admission != 0, "an admission of 0")
    return vars(status)


def read_findings(reader):
    """FINDINGS (5.8)."""
    message = dict(epoch=reader.take(8), transfer=reader.u32(), first=reader.u32(), more=reader.flag())

    def finding():
        kind = reader.u8()
        check(kind in (1, 2), "an unknown kind of finding")
        return kind, reader.text16(0, 1000), reader.text16(0, 256)

    message["findings"] = reader.many(reader.count("B", 100), finding)
    return message


def read_progress(reader):
    message = dict(transfer=reader.u32(), sent=reader.u32(), stamp=reader.u32(), settled=reader.u32())
    flags = reader.count("B", 3)
    return dict(message, final=bool(flags & 1), poll=bool(flags & 2), spread=reader.u16() / 1000)


def read_offer(reader):
    number, flags = reader.u32(), reader.count("B", 3)
    offer = dict(transfer=number, dry=bool(flags & 1), whole=bool(flags & 2), targets=read_targets(reader), rank=0)
    check(reader.left or not offer["whole"], "all or nothing without a rank")
    if reader.left:
        offer["rank"] = reader.u32()
        check(offer["rank"] != 0, "a rank of 0")
    return offer


def read_order(reader):
    return dict(transfer=reader.u32(), order=reader.u32(), targets=read_targets(reader))


DECODERS = {
    1: ("HELLO", lambda r: dict(info=read_info(r))),
    2: ("ALIVE", lambda r: dict(info=read_info(r))),
    3: ("EXIT", lambda r: {}),
    6: ("CHALLENGE", lambda r: dict(nonce=r.take(16), route=read_route(r), missed=r.flag(), info=read_info(r))),
    7: ("RESPONSE", lambda r: dict(answered=r.take(16), nonce=r.take(16), route=read_route(r), info=read_info(r))),
    8: ("KEYS", lambda r: dict(fingerprints=r.many(r.count("B", 8), lambda: r.take(4)))),
    16: ("OFFER", lambda r: read_offer(r)),
    17: ("PROGRESS", read_progress),
    18: ("STATUS", read_status),
    19: ("COMMIT", read_order),
    20: ("ABORT", lambda r: dict(transfer=r.u32(), targets=read_targets(r), reason=r.text16(0, REASON_BYTES))),
    21: ("INQUIRY", lambda r: dict(transfer=r.u32(), first=r.u32())),
    22: ("FINDINGS", read_findings),
    23: ("ORDER", read_order),
    24: ("QUERY", lambda r: dict(epoch=r.take(8), transfer=r.u32())),
    25: ("RELAY", lambda r: dict(epoch=r.take(8), transfer=r.u32(), order=r.u32(), targets=read_targets(r))),
    26: ("YIELD", lambda r: dict(transfer=r.u32(), epoch=r.take(8), admission=r.u32())),
}
# Version 2 (4.2) and the examination (4.4).
LEFT_OUT = {4, 5, 27, 28, 29}
NUMBERS = {name: number for number, (name, _) in DECODERS.items()}
# From members only; others send them in vain (3).
FROM_MEMBERS = {"OFFER", "PROGRESS", "ORDER", "COMMIT", "ABORT", "YIELD", "INQUIRY", "STATUS", "FINDINGS"}
FROM_MEMBERS |= {"QUERY", "RELAY"}


def decode_message(plaintext):
    reader = Reader(plaintext)
    number = reader.u8()
    check(number in DECODERS, f"an unknown message {number}")
    name, read = DECODERS[number]
    message = SimpleNamespace(name=name, **read(reader))
    reader.end()
    return message


# --- Sealing (7) --------------------------------------------------------------------------------------------------


def hkdf(secret, salt, info, length=32):
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


def read_secret(path):
    """The secret of a key file with one key, or that of a fleet without a key (7.1)."""
    if path is None:
        return hashlib.sha256(b"makuosan without a key").digest()
    with open(path, "rb") as file:
        lines = [line.strip() for line in file]
    (line,) = [line for line in lines if line and not line.startswith(b"#")]
    secret = base64.b64decode(line, validate=True)
    if len(secret) != 32 or base64.b64encode(secret) != line:
        raise SystemExit(f"{path}: it is no key")
    return secret


def fingerprint(secret):
    return hkdf(secret, None, b"makuosan fingerprint", 4)


def control_key(secret, node_id, epoch):
    return AESGCM(hkdf(secret, epoch, b"makuosan 2 control " + node_id.hex().encode()))


def transfer_key(secret, epoch, transfer):
    return AESGCM(hkdf(secret, epoch, b"makuosan 2 transfer " + str(transfer).encode()))


def control_nonce(counter):
    return u64(counter) + bytes(4)


def block_nonce(block):
    return u32(block) + bytes(8)


def block_data(transfer, block, sealed_bytes, kind):
    return struct.pack("<IIHB", transfer, block, sealed_bytes, kind)


class ReplayWindow:
    """Accepts each counter of a sender once (7.2)."""

    SIZE = 1024

    def __init__(self):
        self.highest = 0
        self.seen = 0

    def accept(self, counter):
        if counter == 0 or counter <= self.highest - self.SIZE:
            return False
        if counter > self.highest:
            self.seen = (self.seen << (counter - self.highest) | 1) & ((1 << self.SIZE) - 1)
            self.highest = counter
            return True
        bit = 1 << (self.highest - counter)
        if self.seen & bit:
            return False
        self.seen |= bit
        return True


# --- Manifest (6.1) -----------------------------------------------------------------------------------------------


@dataclass
class Metadata:
    mode: int
    time: int
    user: int
    user_name: bytes
    group: int
    group_name: bytes

    def encode(self):
        owner = u32(self.user) + text8(self.user_name) + u32(self.group) + text8(self.group_name)
        return u16(self.mode) + struct.pack("<q", self.time) + owner


@dataclass
class Entry:
    """An entry of a manifest; `path` is its directory and its name."""

    number: int
    type: int
    path: bytes
    metadata: Metadata = None
    size: int = 0
    target: bytes = b""
    device: int = 0
    digest: bytes = None
    is_data_digest: bool = False
    data_bytes: int = None
    attributes: list = None
    has_links: bool = False
    difference: int = 0


def join(directory, name):
    return directory + b"/" + name if directory else name


def split(path):
    directory, _, name = path.rpartition(b"/")
    return directory, name


def check_name(name):
    check(1 <= len(name) <= NAME_BYTES and b"\0" not in name and b"/" not in name, "a name that is not allowed")
    check(name not in (b".", b".."), "a name that is not allowed")


def check_path(path):
    check(len(path) <= PATH_BYTES, "a path that is too long")
    if path:
        names = path.split(b"/")
        for name in names:
            check_name(name)
        check(names[0] != AREA, "a path in the staging area")


def read_metadata(reader):
    mode, time_ns = reader.u16(), reader.number("q")
    check(mode < 0o10000, "a mode with more than twelve bits")
    user, user_name = reader.u32(), reader.text8()
    group, group_name = reader.u32(), reader.text8()
    return Metadata(mode, time_ns, user, user_name, group, group_name)


def read_attributes(reader):
    attributes = [(reader.text8(1, 255), reader.text16()) for _ in range(reader.count("B", 100))]
    names = [name for name, _ in attributes]
    check(names == sorted(set(names)), "attributes that are not sorted")
    check(all(b"\0" not in name for name in names), "an attribute with NUL")
    check(sum(len(value) for _, value in attributes) <= 16384, "attributes that are too long")
    return attributes


def read_entry(reader, number, directory):
    kinds, name = reader.u8(), reader.text8()
    kind, has = kinds & 15, kinds & 0xF0
    check(FILE <= kind <= HARD_LINK, "an unknown type of entry")
    check(kind == FILE or not has & (HAS_LINKS | HAS_DIGEST | HAS_DATA_BYTES), "a bit that only files may have")
    check(kind not in (KEPT, GONE, HARD_LINK) or not has & HAS_ATTRIBUTES, "attributes of an entry without them")
    check_name(name)
    entry = Entry(number, kind, join(directory, name), has_links=bool(has & HAS_LINKS))
    check_path(entry.path)
    if kind not in (KEPT, GONE):
        entry.metadata = read_metadata(reader)
    if kind == FILE:
        entry.size = reader.u64()
        check(entry.size < 2**53, "a file that is too large")
    if kind in (LINK, HARD_LINK):
        entry.target = reader.text16(1, PATH_BYTES)
        check(b"\0" not in entry.target, "a target with NUL")
    if kind == HARD_LINK:
        check_path(entry.target)
    if kind in (CHARACTER, BLOCK):
        entry.device = os.makedev(reader.u32(), reader.u32())
    if has & HAS_DIGEST:
        entry.digest = reader.take(32)
    if has & HAS_DATA_BYTES:
        entry.data_bytes = reader.u64()
        check(entry.data_bytes < 2**53, "a file that is too large")
    if has & HAS_ATTRIBUTES:
        entry.attributes = read_attributes(reader)
    return entry


def encode_entry(entry):
    has = (HAS_LINKS if entry.has_links else 0) | (HAS_DIGEST if entry.digest else 0)
    parts = [u8(2), u8(entry.type | has), text8(split(entry.path)[1])]
    if entry.type not in (KEPT, GONE):
        parts.append(entry.metadata.encode())
    if entry.type == FILE:
        parts.append(u64(entry.size))
    if entry.type in (LINK, HARD_LINK):
        parts.append(text16(entry.target))
    if entry.type in (CHARACTER, BLOCK):
        parts.append(u32(os.major(entry.device)) + u32(os.minor(entry.device)))
    return b"".join(parts) + (entry.digest or b"")


class ManifestReader:
    """Reads the manifest blocks of one transfer in their order, and holds them against the rules of 6.1."""

    def __init__(self):
        self.entries = 0
        self.began = False
        self.terms = None
        self.excludes = []
        self.told = set()
        self.chunk_key = None
        self.chunked = {}
        self.sizes = {}
        self.paths = {}
        self.completed = set()
        self.entered = set()
        self.directory = None

    def read(self, plaintext):
        """Returns the records of a block: ("directory", path, metadata), ("entry", entry), ("complete", path), ("digest",) and
        ("chunk", number, offset, length, digest)."""
        reader = Reader(plaintext)
        check(reader.u8() == MANIFEST, "another kind than in the fragments")
        check(reader.u32() == self.entries, "a gap in the numbers of entries")
        count = reader.count("H", MANIFEST_ENTRIES)
        self.directory = None
        kinds = set()
        records = []
        while reader.left:
            kinds.add(reader.data[reader.at])
            records.extend(self.record(reader))
        counted = sum(1 for record in records if record[0] in ("entry", "digest", "chunk"))
        check(counted == count, "another number of entries than announced")
        check(len(kinds) <= 1 or not kinds & {8, 10}, "digests or chunks among other records")
        return records

    def read_origin(self, reader):
        """The origin (6.1): this member keeps no log of publications."""
        kind = reader.u8()
        check(kind in (1, 2), "an unknown origin")
        if kind == 2:
            reader.take(8)
            return []
        reader.take(16 + 8)
        reader.text8(0, 64)
        reader.text8(0, 64)
        reader.count("B", 15)
        reader.u8()
        for _ in range(4):
            reader.many(reader.count("H", 512), reader.text16)
        return []

    def record(self, reader):
        kind = reader.u8()
        if kind == 8:
            return [self.read_digest(reader)]
        if kind == 10:
            return [self.read_chunk(reader)]
        if kind == 9:
            check(not self.began, "the word that chunks are told in the middle of a transfer")
            self.chunk_key = AESGCM(reader.take(32))
            return []
        if kind == 3:
            return self.read_terms(reader)
        if kind == 4:
            return self.read_exclude(reader)
        if kind == 6:
            return self.read_origin(reader)
        self.began = True
        if kind == 1:
            return [self.read_directory(reader)]
        check(kind in (2, 5, 7), "an unknown record")
        check(self.directory is not None, "an entry without a directory")
        if kind in (2, 7):
            return [("entry", self.read_entry(reader, kind == 7))]
        directory, self.directory = self.directory, None
        check(directory not in self.completed, "a directory that is complete twice")
        self.completed.add(directory)
        return [("complete", directory)]

    def read_terms(self, reader):
        check(not self.began, "terms in the middle of a transfer")
        flags = reader.count("B", 15)
        self.terms = SimpleNamespace(flags=flags, base=reader.text16(0, PATH_BYTES))
        return []

    def read_digest(self, reader):
        """This member marks no file as elsewhere (5.2.6), so it needs nothing of those that others have marked."""
        check(self.has_flag(TERMS_DIGESTS), "a digest without terms that announce digests")
        number = reader.u32()
        check(number < self.entries, "the digest of an entry that has not come")
        check(number not in self.told, "a second digest of one entry")
        self.told.add(number)
        reader.take(16)
        return ("digest",)

    def read_chunk(self, reader):
        """The chunks of a file follow each other, and do not reach its end (5.2.7)."""
        check(self.chunk_key is not None, "a chunk without the word that chunks are told")
        number, length, digest = reader.u32(), reader.u32(), reader.take(16)
        check(1 <= length <= CHUNK_BYTES_MOST, "a chunk of no possible length")
        check(self.sizes.get(number, 0) >= CHUNKED_FILE_BYTES, "a chunk of something that is no large file")
        offset = self.chunked.get(number, 0)
        self.chunked[number] = offset + length
        check(offset + length < self.sizes[number], "a chunk that reaches the end of its file")
        return ("chunk", number, offset, length, digest)

    def read_exclude(self, reader):
        check(not self.began, "an exclude in the middle of a transfer")
        pattern = reader.text16(1, PATH_BYTES)
        check(any(pattern.split(b"/")), "a pattern without a name")
        self.excludes.append(pattern)
        check(len(self.excludes) <= 10_000 and sum(map(len, self.excludes)) <= 256 * 1024, "too many patterns")
        return []

    def read_directory(self, reader):
        path = reader.text16(0, PATH_BYTES)
        check_path(path)
        metadata = read_metadata(reader) if reader.flag() else None
        check(path not in self.completed, "entries of a directory after it was complete")
        self.directory = path
        self.entered.add(path)
        return ("directory", path, metadata)

    def read_entry(self, reader, is_data_digest):
        entry = read_entry(reader, self.entries, self.directory)
        entry.is_data_digest = is_data_digest
        check(entry.digest is not None or not is_data_digest, "a digest is missing")
        self.entries += 1
        if entry.type == FILE:
            self.sizes[entry.number] = entry.size
        before = self.paths.setdefault(entry.path, [])
        check(not before or {entry.type, *before} == {DIRECTORY, PASSAGE}, "a path that comes twice")
        check(entry.type != DIRECTORY or entry.path not in self.entered, "a directory after its entries")
        if entry.type == HARD_LINK:
            check(FILE in self.paths.get(entry.target, []), "a hard link to a file that did not come before")
        before.append(entry.type)
        return entry

    def has_flag(self, flag):
        return self.terms is not None and bool(self.terms.flags & flag)

    def deletes(self):
        return self.terms is not None and not self.has_flag(TERMS_KEEPS)


# --- Patterns (6.1) -----------------------------------------------------------------------------------------------


def pattern_expression(pattern):
    """A regular expression for a pattern of fnmatch() with FNM_PATHNAME, over bytes."""
    parts, at = [], 0
    while at < len(pattern):
        byte = pattern[at : at + 1]
        bracket = re.compile(rb"\[[!^]?\]?(?:\\.|\[:[a-z]+:\]|[^\]\\/])*\]", re.S).match(pattern, at)
        if byte == b"*":
            parts.append(rb"[^/]*")
        elif byte == b"?":
            parts.append(rb"[^/]")
        elif byte == b"[" and bracket:
            parts.append(bracket_expression(bracket.group()))
            at = bracket.end() - 1
        elif byte == b"\\" and at + 1 < len(pattern):
            at += 1
            parts.append(re.escape(pattern[at : at + 1]))
        else:
            parts.append(re.escape(byte))
        at += 1
    return re.compile(b"".join(parts), re.S)


CLASSES = {b"alpha": rb"a-zA-Z", b"digit": rb"0-9", b"alnum": rb"a-zA-Z0-9", b"upper": rb"A-Z", b"lower": rb"a-z"}


def bracket_expression(bracket):
    inner = bracket[1:-1]
    negated = inner[:1] in (b"!", b"^")
    inner = inner[1:] if negated else inner
    inner = re.sub(rb"\[:([a-z]+):\]|\\(.)|([\[\]^])", escape_in_bracket, inner, flags=re.S)
    return rb"(?!/)[" + (b"^" if negated else b"") + inner + b"]"


def escape_in_bracket(found):
    if found.group(1):
        return CLASSES[found.group(1)]
    return b"\\" + (found.group(2) or found.group(3))


class Excludes:
    """Tells which paths the patterns of a sender exclude."""

    def __init__(self, patterns, base):
        self.base = base.strip(b"/")
        self.patterns = []
        for pattern in patterns:
            only_directories = pattern.endswith(b"/")
            anchored = pattern.startswith(b"/")
            names = pattern.strip(b"/")
            self.patterns.append((pattern_expression(names), names.count(b"/") + 1, anchored, only_directories))

    def match(self, path, is_directory):
        return any(self.match_one(path, is_directory, *pattern) for pattern in self.patterns)

    def match_one(self, path, is_directory, expression, names, anchored, only_directories):
        if only_directories and not is_directory:
            return False
        full = join(self.base, path)
        if anchored:
            return bool(expression.fullmatch(path) or expression.fullmatch(full))
        # No part of a pattern matches a slash, so it matches as many names as it has.
        return bool(expression.fullmatch(b"/".join(full.split(b"/")[-names:])))


# --- The tree -----------------------------------------------------------------------------------------------------


class Tree:
    """The directory of this member. No link is followed on the way to a path (6.1)."""

    def __init__(self, base):
        self.base = os.fsencode(base)
        self.fd = os.open(self.base, os.O_RDONLY | os.O_DIRECTORY)
        self.own_owner = os.geteuid() == 0

    def directory(self, path):
        """A descriptor of a directory, for the caller to close."""
        fd = os.dup(self.fd)
        for name in path.split(b"/") if path else []:
            try:
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
            finally:
                os.close(fd)
            fd = inner
        return fd

    def at(self, path, call):
        """Calls call(descriptor of the directory, name) for a path."""
        directory, name = split(path)
        fd = self.directory(directory)
        try:
            return call(fd, name or b".")
        finally:
            os.close(fd)

    def stat(self, path):
        """What is there, or None."""
        try:
            return self.at(path, lambda fd, name: os.stat(name, dir_fd=fd, follow_symlinks=False))
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return None
            raise

    def open(self, path, flags, mode=0o600):
        return self.at(path, lambda fd, name: os.open(name, flags | os.O_NOFOLLOW, mode, dir_fd=fd))

    def names(self, path):
        fd = self.directory(path)
        try:
            return sorted(os.fsencode(name) for name in os.listdir(fd))
        finally:
            os.close(fd)

    def readlink(self, path):
        return self.at(path, lambda fd, name: os.readlink(name, dir_fd=fd))

    def rename(self, one, other):
        def rename(fd, name, to, new):
            os.rename(name, new, src_dir_fd=fd, dst_dir_fd=to)

        self.at(one, lambda fd, name: self.at(other, lambda to, new: rename(fd, name, to, new)))

    def link(self, one, other):
        def link(fd, name, to, new):
            os.link(name, new, src_dir_fd=fd, dst_dir_fd=to, follow_symlinks=False)

        self.at(one, lambda fd, name: self.at(other, lambda to, new: link(fd, name, to, new)))

    def mkdir(self, path):
        self.at(path, lambda fd, name: os.mkdir(name, 0o700, dir_fd=fd))

    def unlink(self, path):
        self.at(path, lambda fd, name: os.unlink(name, dir_fd=fd))

    def rmdir(self, path):
        self.at(path, lambda fd, name: os.rmdir(name, dir_fd=fd))

    def sync(self, path):
        fd = self.directory(path)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def below(self, path):
        """All paths in a directory, each directory after its entries."""
        for name in self.names(path):
            inner = join(path, name)
            found = self.stat(inner)
            if found is not None and stat.S_ISDIR(found.st_mode):
                yield from self.below(inner)
            yield inner

    def remove(self, path):
        found = self.stat(path)
        if found is not None and stat.S_ISDIR(found.st_mode):
            for name in self.names(path):
                self.remove(join(path, name))
            self.rmdir(path)
        elif found is not None:
            self.unlink(path)

    def keeping_time(self, change):
        """Changes the base directory, which keeps its time."""
        before = os.fstat(self.fd).st_mtime_ns
        change()
        os.utime(self.fd, ns=(time.time_ns(), before))

    # Metadata: what a member sets is what it compares (6.1).

    def to_set(self, metadata):
        """The mode, the user and the group that this member gives an entry; None leaves the user or the group."""
        if self.own_owner:
            return metadata.mode, self.user(metadata), self.group(metadata)
        group = self.group(metadata)
        if group in os.getgroups() or group == os.getegid():
            return metadata.mode & ~0o4000, None, group
        return metadata.mode & ~0o6000, None, None

    @staticmethod
    def user(metadata):
        return number_of(metadata.user_name, metadata.user, b"/etc/passwd")

    @staticmethod
    def group(metadata):
        return number_of(metadata.group_name, metadata.group, b"/etc/group")

    def metadata_difference(self, entry, found):
        mode, user, group = self.to_set(entry.metadata)
        difference = 0
        if entry.type != LINK and stat.S_IMODE(found.st_mode) != mode:
            difference |= MODE
        if user not in (None, found.st_uid) or group not in (None, found.st_gid):
            difference |= OWNER
        if found.st_mtime_ns != entry.metadata.time:
            difference |= TIME
        if entry.attributes is not None and self.attributes(entry.path) != entry.attributes:
            difference |= ATTRIBUTES
        return difference

    def dress(self, path, metadata, is_link):
        """Sets owner, mode and time of an entry."""
        mode, user, group = self.to_set(metadata)

        def dress(fd, name):
            owner = [-1 if number is None else number for number in (user, group)]
            os.chown(name, *owner, dir_fd=fd, follow_symlinks=False)
            if not is_link:
                os.chmod(name, mode, dir_fd=fd)
            os.utime(name, ns=(time.time_ns(), metadata.time), dir_fd=fd, follow_symlinks=False)

        self.at(path, dress)

    def attributes(self, path):
        """The extended attributes that are carried, sorted by their names."""
        def read(fd, name):
            inner = os.path.join(b"/proc/self/fd/%d" % fd, name)
            names = [os.fsencode(one) for one in os.listxattr(inner, follow_symlinks=False)]
            return [(one, os.getxattr(inner, one, follow_symlinks=False)) for one in sorted(names) if is_carried(one)]

        return self.at(path, read)

    def set_attributes(self, path, attributes):
        def write(fd, name):
            inner = os.path.join(b"/proc/self/fd/%d" % fd, name)
            for one, value in attributes:
                os.setxattr(inner, one, value, follow_symlinks=False)

        for one, _ in self.attributes(path):
            if one not in dict(attributes):
                self.at(path, lambda fd, name, one=one: os.removexattr(
                    os.path.join(b"/proc/self/fd/%d" % fd, name), one, follow_symlinks=False))
        self.at(path, write)


def is_carried(name):
    carried = (b"system.posix_acl_access", b"system.posix_acl_default", b"security.capability")
    return name.startswith((b"user.", b"trusted.")) or name in carried


@functools.lru_cache(maxsize=None)
def names_and_numbers(file):
    with open(file, "rb") as lines:
        return [(parts[0], int(parts[2])) for parts in (line.split(b":") for line in lines) if len(parts) > 2]


def number_of(name, number, file):
    """The number that a name has on this host, or else the number that was sent."""
    return dict(reversed(names_and_numbers(file))).get(name, number) if name else number


def name_of(number, file):
    return next((name for name, one in names_and_numbers(file) if one == number), b"")


def type_of(found):
    kinds = {stat.S_IFREG: FILE, stat.S_IFDIR: DIRECTORY, stat.S_IFLNK: LINK, stat.S_IFIFO: FIFO}
    kinds.update({stat.S_IFCHR: CHARACTER, stat.S_IFBLK: BLOCK})
    return kinds.get(stat.S_IFMT(found.st_mode))


def digest_of(tree, path):
    fd = tree.open(path, os.O_RDONLY)
    with open(fd, "rb") as file:
        digest = hashlib.sha256()
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
        return digest.digest()


def data_digest_of(tree, path):
    """The digest of the pieces that are not zeros alone (6.1)."""
    fd = tree.open(path, os.O_RDONLY)
    with open(fd, "rb") as file:
        digest, offset = hashlib.sha256(), 0
        for piece in iter(lambda: file.read(DATA_PIECE_BYTES), b""):
            if piece.strip(b"\0"):
                digest.update(u64(offset) + piece)
            offset += len(piece)
        return digest.digest()


# --- Receiving into the tree (5.2, 5.6, 6) ------------------------------------------------------------------------


GEAR = [int.from_bytes(hashlib.sha256(bytes([byte])).digest()[:4], "little") for byte in range(256)]


def chunks_of(data):
    """Begin and end of each chunk, as other members make them (5.2.7)."""
    usual = CHUNK_BYTES
    while usual * CHUNKS_OF_A_FILE < len(data) and usual < CHUNK_BYTES_MOST // 4:
        usual *= 2
    bits = usual.bit_length() - 3
    begin, mask = 0, ((1 << bits) - 1) << (32 - bits)
    while begin < len(data):
        least, most = begin + usual // 2, min(len(data), begin + 2 * usual)
        total, end = 0, most
        for at in range(least - 32, most):
            total = (total << 1) + GEAR[data[at]] & (U32 - 1)
            if at >= least - 1 and not total & mask:
                end = at + 1
                break
        yield begin, end
        begin = end


def without(found, begin, end):
    """The parts between two places that are not among those found, which are in their order."""
    for one, other in found:
        if other <= begin or one >= end:
            continue
        if begin < one:
            yield begin, one
        begin = other
    if begin < end:
        yield begin, end


class Failure(Exception):
    """The transfer fails on this member; with `refused`, it fails on all (5.6)."""

    def __init__(self, reason, refused=False):
        super().__init__(reason)
        self.refused = refused


class Findings:
    """What a member reports besides its wants (5.8)."""

    MOST_BYTES = 8 << 20

    def __init__(self):
        self.list = []
        self.bytes = 0
        self.left_out = [0, 0]

    def add(self, kind, path, text=b""):
        path = path if len(path) <= 1000 else b"..." + path[3 - 1000 :]
        self.bytes += len(path) + len(text) + 5
        if self.bytes > self.MOST_BYTES:
            self.left_out[kind - 1] += 1
        else:
            self.list.append((kind, path, text[:256]))

    def finish(self):
        if any(self.left_out):
            self.list.append((2, b"", b"%d more deletes and %d more notes" % tuple(self.left_out)))


class Staging:
    """One incoming transfer on the disk: what it brings, kept apart until the commit."""

    def __init__(self, tree, name, dry):
        self.tree = tree
        self.area = join(AREA, name.encode())
        self.dry = dry
        self.manifest = ManifestReader()
        self.findings = Findings()
        self.entries = {}
        self.paths = {}
        self.matched = {}
        self.arrived = {}
        self.found = {}
        self.searched = None
        self.reused_bytes = 0
        self.withdrawn = set()
        self.staged = {}
        self.own_contents = False
        self.records = {}
        self.named = {}
        self.superfluous = []
        self.looked_at = 0
        self.discarded = itertools.count()
        self.failure = None

    # Comparing.

    def compare(self, plaintext):
        """Compares a manifest block: the difference of each of its entries, and whether they must be reported."""
        self.own_contents = False
        directory, block, differences = None, {}, []
        for kind, *record in self.manifest.read(plaintext):
            if kind == "directory":
                directory, metadata = record
                block = self.records.setdefault(directory, SimpleNamespace(metadata=metadata, only_time=True))
                block.metadata = metadata or block.metadata
                self.named.setdefault(directory, set())
            elif kind == "digest":
                differences.append(0)
            elif kind == "chunk":
                differences.append(0 if self.find_chunk(*record) else 1)
            elif kind == "entry":
                (entry,) = record
                block.only_time = block.only_time and entry.type == GONE
                self.named[directory].add(split(entry.path)[1])
                entry.difference = self.take(entry)
                differences.append(entry.difference)
            else:
                block.only_time = False
                self.complete(directory)
        must_tell = self.own_contents or self.manifest.has_flag(TERMS_CHECK)
        return differences, must_tell

    def take(self, entry):
        if entry.type == KEPT:
            return 0
        if entry.type == GONE:
            self.check_terms()
            if self.tree.stat(entry.path) is not None:
                self.looked_at += 1
                self.add_superfluous(entry.path)
            return 0
        self.check_directory(split(entry.path)[0])
        difference = self.difference(entry)
        if entry.type != PASSAGE or entry.path not in self.paths:
            self.paths[entry.path] = entry
        if difference == 0:
            self.matched[entry.path] = entry
            return 0
        self.entries[entry.number] = entry
        entry.difference = difference
        if difference & TYPE:
            self.make_room(entry)
        if not self.dry and not self.stage(entry, difference):
            return 0
        return difference | self.mark(entry, difference)

    def mark(self, entry, difference):
        """This member may have parts of a large file (5.2.7)."""
        is_large = entry.type == FILE and entry.size >= CHUNKED_FILE_BYTES and entry.data_bytes is None
        if self.manifest.chunk_key is None or not is_large or difference & (CONTENTS | TYPE) != CONTENTS:
            return 0
        self.own_contents = True
        return ELSEWHERE

    def find_chunk(self, number, offset, length, digest):
        """Whether this member needs no more of a chunk: it takes it from its own file, if the bytes are the same."""
        entry = self.entries.get(number)
        if entry is None or number in self.withdrawn or self.arrived.get(number) in (None, entry.size):
            return True
        try:
            piece = self.read_own(entry, self.places_in(entry).get(digest), length)
        except OSError:
            return False
        if len(piece) != length or self.tag_of(piece) != digest:
            return False
        self.write(entry, offset, piece)
        self.arrived[number] += length
        self.reused_bytes += length
        self.found.setdefault(number, []).append((offset, offset + length))
        return True

    def tag_of(self, data):
        """The tag of a chunk: only authenticated, not sealed (5.2.7)."""
        return self.manifest.chunk_key.encrypt(bytes(12), b"", data)

    def read_own(self, entry, place, length):
        if place is None:
            return b""
        with open(self.tree.open(entry.path, os.O_RDONLY), "rb") as own:
            return os.pread(own.fileno(), length, place)

    def places_in(self, entry):
        """Where the chunks of the member's own file are, by their digests; of one file at a time."""
        if self.searched is None or self.searched[0] is not entry:
            with open(self.tree.open(entry.path, os.O_RDONLY), "rb") as own:
                data = own.read()
            places = {self.tag_of(data[begin:end]): begin for begin, end in chunks_of(data)}
            self.searched = entry, places
        return self.searched[1]

    def check_directory(self, directory):
        if self.dry or directory in self.paths:
            return
        found = self.tree.stat(directory)
        if found is None or not stat.S_ISDIR(found.st_mode):
            raise Failure(f"{os.fsdecode(directory)}: this directory is gone on this member: push again")

    def difference(self, entry):
        found = self.tree.stat(entry.path)
        if found is None:
            return MISSING
        kind = type_of(found)
        if entry.type == PASSAGE:
            if kind != DIRECTORY:
                raise Failure(f"{os.fsdecode(entry.path)}: it is no directory on this member")
            return 0
        if entry.type == HARD_LINK:
            return self.link_difference(entry, found)
        if kind != entry.type:
            return TYPE
        difference = self.tree.metadata_difference(entry, found)
        return difference | (CONTENTS if self.contents_differ(entry, found) else 0)

    def contents_differ(self, entry, found):
        if entry.type == LINK:
            return self.tree.readlink(entry.path) != entry.target
        if entry.type in (CHARACTER, BLOCK):
            return found.st_rdev != entry.device
        if entry.type != FILE:
            return False
        if found.st_size != entry.size:
            return True
        if entry.digest is not None:
            return self.digest_differs(entry, found)
        return entry.size != 0 and found.st_mtime_ns != entry.metadata.time

    def digest_differs(self, entry, found):
        try:
            digest = data_digest_of if entry.is_data_digest else digest_of
            differs = digest(self.tree, entry.path) != entry.digest
        except OSError:
            return True
        after = self.tree.stat(entry.path)
        return differs or after is None or after.st_mtime_ns != found.st_mtime_ns

    def link_difference(self, entry, found):
        if type_of(found) != FILE:
            return TYPE
        target, original = self.tree.stat(entry.target), self.paths[entry.target]
        is_same = target is not None and (target.st_dev, target.st_ino) == (found.st_dev, found.st_ino)
        becomes_new = original.difference != 0 and not self.dry
        return 0 if is_same and not becomes_new else CONTENTS

    # Deleting.

    def check_terms(self):
        if not self.manifest.deletes():
            raise Failure("the sender deletes without terms that allow it")

    def complete(self, directory):
        self.check_terms()
        found = self.tree.stat(directory)
        if found is None or not stat.S_ISDIR(found.st_mode):
            return
        for name in self.tree.names(directory):
            self.looked_at += 1
            path = join(directory, name)
            if path != AREA and name not in self.named[directory]:
                self.add_superfluous(path)

    def add_superfluous(self, path):
        """Adds a path with everything in it, except for what is excluded; tells whether all of it goes."""
        found = self.tree.stat(path)
        is_directory = found is not None and stat.S_ISDIR(found.st_mode)
        if found is None or self.excludes.match(path, is_directory):
            return found is None
        above = self.tree.stat(split(path)[0])
        if is_directory and above is not None and above.st_dev != found.st_dev:
            raise Failure(f"{os.fsdecode(path)}: it is a mount point on this member")
        if is_directory and not all([self.add_superfluous(join(path, name)) for name in self.tree.names(path)]):
            return False
        self.superfluous.append(path)
        self.findings.add(1, path)
        return True

    @property
    def excludes(self):
        terms = self.manifest.terms
        return Excludes(self.manifest.excludes, terms.base if terms else b"")

    def make_room(self, entry):
        """An entry of another type is in the way; only a directory with entries needs the permission to delete."""
        found = self.tree.stat(entry.path)
        if found is None or not stat.S_ISDIR(found.st_mode) or not self.tree.names(entry.path):
            return
        text = os.fsdecode(entry.path)
        if not self.manifest.deletes():
            raise Failure(f"{text}: it is a directory on this member that is not empty")
        inner = [join(entry.path, name) for name in self.tree.names(entry.path)]
        self.looked_at += len(inner)
        if self.excludes.match(entry.path, True) or not all([self.add_superfluous(path) for path in inner]):
            raise Failure(f"{text}: something in it is excluded, and would be replaced")

    def guard(self):
        """The limit of this member (5.2): half of the entries in the directories looked at, a hundred in any case."""
        if len(self.superfluous) > max(100, self.looked_at // 2) and not self.manifest.has_flag(TERMS_FORCED):
            raise Failure(f"{len(self.superfluous)} of {self.looked_at} entries would be deleted", refused=True)

    # Staging.

    def place_of(self, entry):
        return join(self.area, b"%d" % entry.number)

    def make_area(self):
        if self.tree.stat(AREA) is None:
            self.tree.keeping_time(lambda: self.tree.mkdir(AREA))
        if self.tree.stat(self.area) is None:
            self.tree.mkdir(self.area)

    def stage(self, entry, difference):
        """Makes the new entry as far as the manifest tells it; False if this member cannot make it."""
        self.make_area()
        place = self.place_of(entry)
        if entry.type in (DIRECTORY, PASSAGE, HARD_LINK):
            return True
        if entry.type == FILE:
            if difference & (MISSING | TYPE | CONTENTS):
                self.arrived[entry.number] = 0
            self.make_file(entry, place)
        elif entry.type == LINK:
            self.tree.at(place, lambda fd, name: os.symlink(entry.target, name, dir_fd=fd))
        elif not self.make_node(entry, place):
            return False
        self.staged[entry.path] = place
        return True

    def make_file(self, entry, place):
        fd = self.tree.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with open(fd, "wb") as file:
            if entry.number in self.arrived:
                file.truncate(entry.size)
            else:
                self.copy_own(entry, file)

    def copy_own(self, entry, file):
        """Takes the contents from the member's own file, which stays as it is for those that have it open (5.2)."""
        self.own_contents = True
        with open(self.tree.open(entry.path, os.O_RDONLY), "rb") as own:
            before = os.fstat(own.fileno())
            for piece in iter(lambda: own.read(1 << 20), b""):
                file.write(piece)
            after = os.fstat(own.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or file.tell() != entry.size:
            raise Failure(f"{os.fsdecode(entry.path)}: it changed on this member while it was copied")
        if entry.attributes is None:
            entry.attributes = self.tree.attributes(entry.path)

    def make_node(self, entry, place):
        kinds = {FIFO: stat.S_IFIFO, CHARACTER: stat.S_IFCHR, BLOCK: stat.S_IFBLK}
        try:
            mode = kinds[entry.type] | 0o600
            self.tree.at(place, lambda fd, name: os.mknod(name, mode, device=entry.device, dir_fd=fd))
            return True
        except PermissionError:
            self.findings.add(2, entry.path, b"this member may not make device nodes")
            del self.entries[entry.number]
            return False

    def data(self, plaintext):
        """Takes a data block (6.2)."""
        reader = Reader(plaintext)
        check(reader.u8() == DATA, "another kind than in the fragments")
        while reader.left:
            kind, entry = reader.u8(), self.entries.get(reader.u32())
            check(kind in (1, 2, 3), "an unknown segment")
            if kind == 2:
                reader.text16(0, REASON_BYTES)
                self.withdraw(entry)
                continue
            at = reader.u64()
            piece = reader.text16() if kind == 1 else None
            length = reader.u64() if kind == 3 else len(piece)
            if entry is not None and entry.number in self.arrived and at + length <= entry.size:
                for begin, end in without(self.found.get(entry.number, []), at, at + length):
                    self.arrived[entry.number] += end - begin
                    if piece:
                        self.write(entry, begin, piece[begin - at : end - at])

    def write(self, entry, at, piece):
        fd = self.tree.open(self.place_of(entry), os.O_WRONLY)
        try:
            while piece:
                written = os.pwrite(fd, piece, at)
                piece, at = piece[written:], at + written
        finally:
            os.close(fd)

    def withdraw(self, entry):
        if entry is None or entry.number not in self.arrived or entry.number in self.withdrawn:
            return
        self.withdrawn.add(entry.number)
        self.tree.unlink(self.staged.pop(entry.path))
        # A directory that it would have replaced keeps its entries.
        inner = entry.path + b"/"
        self.superfluous = [path for path in self.superfluous if not path.startswith(inner)]
        self.findings.list = [one for one in self.findings.list if not one[1].startswith(inner)]

    def prepare(self):
        """All blocks are staged: makes it durable, an entry a step, and says no if it cannot be carried out."""
        if not self.dry:
            self.make_links()
            for entry in list(self.entries.values()):
                if entry.number not in self.withdrawn:
                    self.finish_entry(entry)
                yield
            if self.entries or self.superfluous:
                self.make_area()
                self.tree.sync(self.area)
                self.tree.sync(AREA)
            self.guard()
        self.findings.finish()

    def make_links(self):
        for entry in [one for one in self.entries.values() if one.type == HARD_LINK]:
            source = self.staged.get(entry.target, entry.target)
            found = self.tree.stat(source)
            if found is None or not stat.S_ISREG(found.st_mode):
                self.findings.add(2, entry.path, b"the file that it is another name of was not sent")
                self.withdrawn.add(entry.number)
                continue
            self.tree.link(source, self.place_of(entry))
            self.staged[entry.path] = self.place_of(entry)

    def finish_entry(self, entry):
        if entry.number in self.arrived and self.arrived[entry.number] != entry.size:
            raise Failure(f"{os.fsdecode(entry.path)}: it has not arrived whole")
        if entry.type in (DIRECTORY, PASSAGE, HARD_LINK):
            return
        place = self.staged[entry.path]
        if entry.attributes is not None and entry.type != LINK:
            self.set_attributes(entry, place)
        self.tree.dress(place, entry.metadata, entry.type == LINK)
        if entry.type == FILE:
            fd = self.tree.open(place, os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)

    def set_attributes(self, entry, place):
        try:
            self.tree.set_attributes(place, entry.attributes)
        except OSError as error:
            self.findings.add(2, entry.path, b"extended attributes: " + os.fsencode(error.strerror))

    # The switch.

    def changed_paths(self):
        """The paths that the commit makes new, except for directories that exist, and those that it deletes."""
        new = [one.path for one in self.entries.values() if one.number not in self.withdrawn]
        return [path for path in new if path in self.staged or self.tree.stat(path) is None], list(self.superfluous)

    def rely(self, path):
        """Another transfer is about to change this path: keeps an entry that this one has found to be right (5.6)."""
        directory, name = split(path)
        if directory in self.manifest.completed and name not in self.named[directory] and self.tree.stat(path) is None:
            self.failure = f"{os.fsdecode(path)}: another transfer has brought it: push again"
        entry = self.matched.pop(path, None)
        if entry is None or self.dry:
            return
        self.entries[entry.number] = entry
        try:
            self.make_area()
            if entry.type not in (DIRECTORY, PASSAGE):
                self.tree.link(path, self.place_of(entry))
                self.staged[path] = self.place_of(entry)
                self.tree.sync(self.area)
        except OSError as error:
            self.failure = f"{os.fsdecode(path)}: another transfer has replaced it: {error.strerror}"

    def steps(self):
        """What the commit does, in this order: new entries, deletes, attributes of directories."""
        new, attributes, touched = [], [], {}
        for entry in sorted(self.entries.values(), key=lambda one: one.number):
            if entry.number in self.withdrawn:
                continue
            if entry.type in (DIRECTORY, PASSAGE):
                new.append(["mkdir", entry.path])
                if entry.type == DIRECTORY or self.tree.stat(entry.path) is None:
                    attributes.append((entry.path, entry.metadata, entry.attributes))
            else:
                new.append(["place", entry.path, self.staged[entry.path]])
            touched[split(entry.path)[0]] = None
        deletes = [["delete", path] for path in self.superfluous]
        touched.update((split(path)[0], None) for path in self.superfluous)
        given = {path for path, _, _ in attributes}
        dress = [["dress", path, vars(metadata), extra] for path, metadata, extra in attributes]
        dress += [self.again(path) for path in touched if path not in given]
        dress = [step for step in dress if step is not None and step[1] not in self.superfluous]
        return new + deletes + sorted(dress, key=lambda step: -len(step[1]))

    def again(self, path):
        """Gives a directory its attributes again that the switch disturbs (6.1)."""
        record, passage, found = self.records.get(path), self.paths.get(path), self.tree.stat(path)
        metadata = record.metadata if record else None
        is_passage = passage is not None and passage.type == PASSAGE
        if metadata is not None and not is_passage and not record.only_time:
            return ["dress", path, vars(metadata), None]
        if metadata is None and is_passage:
            metadata = passage.metadata
        if metadata is None and found is None:
            return None
        return ["time", path, metadata.time if metadata else found.st_mtime_ns]

    def commit(self, before_change):
        """Switches; returns what failed. It tries everything, and tries nothing twice."""
        if not self.entries and not self.superfluous:
            return []
        steps = self.steps()
        self.make_area()
        write_journal(self.tree, self.area, steps)
        seen = set(self.superfluous)
        failures = []
        for step in steps:
            try:
                before_change(step[1])
                self.run(step, seen)
            except OSError as error:
                failures.append(f"{os.fsdecode(step[1])}: {error.strerror}")
        for directory in {split(step[1])[0] for step in steps}:
            found = self.tree.stat(directory)
            if found is not None and stat.S_ISDIR(found.st_mode):
                self.tree.sync(directory)
        return failures

    def run(self, step, seen=None):
        """Carries out a step; after a crash it may have been carried out before."""
        kind, path, *more = step
        found = self.tree.stat(path)
        is_directory = found is not None and stat.S_ISDIR(found.st_mode)
        if kind == "mkdir" and not is_directory:
            if found is not None:
                self.discard(path)
            self.tree.mkdir(path)
        elif kind == "place" and self.tree.stat(more[0]) is not None:
            if is_directory:
                unseen = [one for one in self.tree.below(path) if seen is not None and one not in seen]
                if unseen:
                    raise OSError(errno.ENOTEMPTY, "something appeared in it during the transfer")
                self.discard(path)
            self.replace(more[0], path)
        elif kind == "delete" and found is not None:
            (self.tree.rmdir if is_directory else self.tree.unlink)(path)
        elif kind == "dress" and is_directory:
            if more[1] is not None:
                self.tree.set_attributes(path, [(name, value) for name, value in more[1]])
            self.tree.dress(path, Metadata(**more[0]), False)
        elif kind == "time" and is_directory:
            times = (time.time_ns(), more[0])
            self.tree.at(path, lambda fd, name: os.utime(name, ns=times, dir_fd=fd, follow_symlinks=False))

    def replace(self, place, path):
        self.tree.rename(place, path)
        # rename() of two names of one file does nothing.
        if self.tree.stat(place) is not None:
            self.tree.unlink(place)

    def discard(self, path):
        self.tree.rename(path, join(self.area, b"discarded%d" % next(self.discarded)))

    def remove(self):
        """Throws away what is staged, or what the commit has left."""
        if self.tree.stat(self.area) is not None:
            self.tree.remove(self.area)
        try:
            self.tree.keeping_time(lambda: self.tree.rmdir(AREA))
        except OSError:
            pass  # Another transfer is staged, or nothing was.


def write_journal(tree, area, steps):
    """From the moment of the rename on, a start of the member finishes the commit (5.6)."""
    text = json.dumps(steps, default=lambda value: {"bytes": os.fsdecode(value)})
    fd = tree.open(join(area, b"journal"), os.O_WRONLY | os.O_CREAT)
    with open(fd, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(fd)
    tree.rename(join(area, b"journal"), join(area, b"commit"))
    tree.sync(area)


def recover(tree):
    """Finishes commits that a crash has interrupted, and removes what was staged without one."""
    if tree.stat(AREA) is None:
        return
    for name in tree.names(AREA):
        staging = Staging(tree, os.fsdecode(name), False)
        journal = join(staging.area, b"commit")
        if tree.stat(journal) is not None:
            with open(tree.open(journal, os.O_RDONLY)) as file:
                steps = json.load(file, object_hook=lambda one: os.fsencode(one["bytes"]) if "bytes" in one else one)
            for step in steps:
                try:
                    staging.run(step)
                except OSError:
                    pass  # A failed change is not tried again later.
        staging.remove()


# --- A transfer that is received (5) ------------------------------------------------------------------------------


EXPONENTIALS = [1]
while len(EXPONENTIALS) < 255:
    EXPONENTIALS.append(EXPONENTIALS[-1] << 1 ^ (0x11D if EXPONENTIALS[-1] & 0x80 else 0))
LOGARITHMS = {value: exponent for exponent, value in enumerate(EXPONENTIALS)}


def times(a, b):
    return EXPONENTIALS[(LOGARITHMS[a] + LOGARITHMS[b]) % 255] if a and b else 0


def inverse(a):
    return EXPONENTIALS[-LOGARITHMS[a] % 255]


def factor(parity, index):
    """The factor of a fragment in a parity fragment (2.1)."""
    return times(44 ^ index, inverse(parity ^ index))


@functools.lru_cache(maxsize=None)
def products(by):
    return bytes(times(by, byte) for byte in range(256))


def scaled(part, by):
    return int.from_bytes(part.translate(products(by)), "little")


def solve(rows, size):
    """The unknown fragments, of equations whose sums are numbers."""
    rows = list(rows)
    for column in range(len(rows)):
        pivot = next(row for row in range(column, len(rows)) if rows[row][0][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        by = inverse(rows[column][0][column])
        factors = [times(by, one) for one in rows[column][0]]
        rows[column] = factors, scaled(rows[column][1].to_bytes(size, "little"), by)
        for row, (others, value) in enumerate(rows):
            if row != column and others[column]:
                by = others[column]
                value ^= scaled(rows[column][1].to_bytes(size, "little"), by)
                rows[row] = [one ^ times(by, mine) for one, mine in zip(others, factors)], value
    return [value.to_bytes(size, "little") for _, value in rows]


@dataclass
class Assembly:
    """Fragments of a block that have arrived."""

    sealed: int
    kind: int
    full: int
    parts: dict = field(default_factory=dict)
    parity: dict = field(default_factory=dict)

    @property
    def count(self):
        return -(-self.sealed // self.full)

    @property
    def missing(self):
        return [index for index in range(self.count) if index not in self.parts]

    @property
    def mask(self):
        """Parity makes up for as many missing fragments: the first ones are left out (5.3)."""
        return sum(1 << index for index in self.missing[len(self.parity) :])

    @property
    def is_whole(self):
        return len(self.parts) + len(self.parity) >= self.count

    @property
    def bytes(self):
        """The sealed block, mended with the parity fragments (2.1)."""
        parts = {index: part.ljust(self.full, bytes(1)) for index, part in self.parts.items()}
        missing = self.missing
        rows = []
        for index in sorted(self.parity)[: len(missing)]:
            rest = int.from_bytes(self.parity[index], "little")
            for place, part in parts.items():
                rest ^= scaled(part, factor(index, place))
            rows.append(([factor(index, place) for place in missing], rest))
        for place, value in zip(missing, solve(rows, self.full)):
            parts[place] = value
        return b"".join(parts[index] for index in range(self.count))[: self.sealed]


class Inbound:
    """A transfer that another node sends: receiving, ready, ordered, decided (reported as committing), done, failed."""

    def __init__(self, node, sender, offer):
        self.node = node
        self.sender = sender
        self.number = offer.transfer
        self.rank = offer.rank
        self.dry = offer.dry
        self.offered = self.heard = node.now
        self.key = transfer_key(node.secret, sender.epoch, offer.transfer)
        self.phase = WAITING
        self.admission = 0
        self.reason = ""
        self.order = 0
        self.worked = 0
        self.spread = node.spread(len(offer.targets) if len(offer.targets) < TARGETS else len(node.members))
        self.report_at = None
        self.asked_at = None
        self.full = None
        self.staging = None
        self.decided_targets = 0
        self.restored = 0
        self.begin()

    def begin(self):
        """Nothing has arrived yet."""
        self.blocks = {}
        self.whole = set()
        self.staged = set()
        self.manifests = {}
        self.first_incomplete = self.first_unstaged = 0
        self.newest = -1
        self.sent = 0
        self.final = False
        self.preparing = None
        self.settled = 0
        self.stamp = 0
        self.received = 0
        self.wants = {}
        self.reported_received = self.reported_staged = 0
        self.reported_at = self.node.now

    @property
    def turn(self):
        """Which of two transfers comes first: place, epoch, number (5.6)."""
        return self.order, self.sender.epoch, self.number

    @property
    def rank_turn(self):
        return self.rank, self.sender.epoch, self.number

    @property
    def is_admitted(self):
        return self.phase != WAITING

    def admit(self, admission):
        self.phase = RECEIVING
        self.admission = admission
        self.staging = Staging(self.node.tree, f"{self.sender.epoch.hex()}-{self.number}", self.dry)
        self.begin()
        self.report_within(self.spread)

    def throw_back(self):
        """The sender gives the admission back (5.10)."""
        self.staging.remove()
        self.phase = WAITING
        self.offered = self.node.now

    # Fragments and blocks.

    def fragment(self, block, stamp, sealed, index, kind, full, payload):
        self.heard = self.node.now
        if self.phase != RECEIVING:
            return
        self.received = (self.received + 1) % U32
        if ahead(stamp + 1, self.stamp):
            self.stamp = (stamp + 1) % U32
        if block >= self.window_end or block < self.first_incomplete or block in self.whole:
            return self.report_share()
        self.full = full
        self.newest = max(self.newest, block)
        known = self.blocks.get(block)
        is_parity = index >= BLOCK_FRAGMENTS
        is_same = known is not None and (known.sealed, known.kind, known.full) == (sealed, kind, full)
        if known is not None and is_parity and not is_same:
            self.node.tell("malformed", what="parity of another block", sender=self.sender.name)
            return self.report_share()
        if not is_same:
            known = self.blocks[block] = Assembly(sealed, kind, full)
        (known.parity if is_parity else known.parts).setdefault(index, payload)
        if known.is_whole:
            self.open(block, known)
        self.report_share()
        self.report_gap()
        self.report_within(max(0, self.reported_at + 1 - self.node.now) + self.spread * random.random())

    def open(self, block, known):
        del self.blocks[block]
        sealed = known.bytes
        data = block_data(self.number, block, known.sealed, known.kind)
        try:
            plaintext = self.key.decrypt(block_nonce(block), sealed, data)
        except InvalidTag:
            self.node.tell("malformed", what=f"block {block} does not open", sender=self.sender.name)
            return self.report_within(0.002)
        self.restored += 1 if known.parity else 0
        self.whole.add(block)
        while self.first_incomplete in self.whole:
            self.first_incomplete += 1
        try:
            if known.kind == DATA:
                self.staging.data(plaintext)
                self.staged.add(block)
            else:
                self.manifests[block] = plaintext
            self.compare_manifests()
            self.advance()
        except Malformed as error:
            self.node.tell("malformed", what=str(error), block=block, sender=self.sender.name)
            self.fail(f"block {block} breaks the protocol: {error}")
        except (Failure, OSError) as error:
            self.fail(str(error), getattr(error, "refused", False))

    def compare_manifests(self):
        """A manifest block is compared when all blocks below it are whole, in their order (5.3)."""
        for block in sorted(self.manifests):
            if block >= self.first_incomplete:
                return
            differences, must_tell = self.staging.compare(self.manifests.pop(block))
            self.worked = (self.worked + 1) % U32
            self.staged.add(block)
            if differences and block >= self.settled:
                self.wants[block] = SimpleNamespace(said=encode_want(block, differences, must_tell), at=0)
                self.report_within(self.spread * random.random())

    def advance(self):
        while self.first_unstaged in self.staged:
            self.staged.discard(self.first_unstaged)
            self.whole.discard(self.first_unstaged)
            self.first_unstaged += 1
        if self.first_unstaged - self.reported_staged >= WINDOW_BLOCKS // 4:
            self.report_within(0)
        if self.final and self.first_unstaged == self.sent and self.preparing is None:
            self.preparing = self.staging.prepare()

    def prepare_some(self):
        """Makes a few entries durable; False if there is nothing to do."""
        if self.preparing is None or self.phase != RECEIVING:
            return False
        try:
            for _ in range(8):
                if next(self.preparing, self) is self:
                    self.phase = READY
                    self.report_within(self.spread * random.random())
                    break
                self.worked = (self.worked + 1) % U32
        except (Failure, OSError) as error:
            self.fail(str(error), getattr(error, "refused", False))
        return True

    @property
    def window_end(self):
        return self.first_unstaged + WINDOW_BLOCKS

    # Messages of the sender.

    def progress(self, message):
        if message.spread:
            self.spread = message.spread
        if self.phase == RECEIVING:
            self.sent = max(self.sent, message.sent)
            self.final = self.final or message.final
            self.settled = max(self.settled, message.settled)
            if ahead(message.stamp, self.stamp):
                self.stamp = message.stamp
            for block in [one for one in self.wants if one < self.settled]:
                del self.wants[block]
            self.advance()
            self.report_gap()
        if message.poll:
            if message.spread == 0:
                for want in self.wants.values():
                    want.at = 0
            self.report_within(message.spread * random.random())

    def ordered(self, message):
        if self.phase == READY and not self.dry:
            self.order = max(self.node.clock + 1, message.order)
            self.order = min(self.order, HIGHEST)
            self.phase = ORDERED
        elif self.phase == ORDERED:
            self.order = max(self.order, message.order)
        self.node.move_clock(self.order)
        self.report_within(0 if len(message.targets) <= 64 else self.spread / 4 * random.random())

    def committed(self, order, targets):
        """COMMIT, or a RELAY of it, names this member."""
        if self.phase != ORDERED:
            return self.report_within(self.spread * random.random())
        self.order = max(self.order, order)
        self.node.move_clock(self.order)
        self.decided_targets = targets
        self.phase = COMMITTING
        self.node.carry_out()

    def carry_out(self):
        """Switches; it is this transfer's turn."""
        failures = []
        path = self.node.own_path_in(self)
        if path is not None:
            failures = [f"{os.fsdecode(path)}: this host is sending it itself"]
        elif self.staging.failure is not None:
            failures = [self.staging.failure]
        else:
            failures = self.staging.commit(lambda one: self.node.before_change(self, one))
            failures = failures and ["all is new but " + failures[0]]
        if failures:
            self.fail(failures[0])
        else:
            self.end(DONE, "")

    def aborted(self, reason):
        """The sender knows it already, so this end is not reported."""
        if self.phase != COMMITTING:
            self.end(FAILED, reason, reported=False)

    def fail(self, reason, refused=False):
        self.end(REFUSED if refused else FAILED, reason)

    def end(self, phase, reason, reported=True):
        if self.staging is not None:
            self.staging.remove()
        self.phase = phase
        self.reason = reason
        delay = self.spread * random.random() if phase == DONE and self.decided_targets > 64 else 0
        self.node.end_inbound(self, delay if reported else None)

    def inquire(self, first):
        """Answers an INQUIRY: at most eight messages, each with as many findings as it has room for (5.8)."""
        findings = self.staging.findings.list if self.staging else []
        if first >= len(findings):
            return
        messages = []
        while first < len(findings) and len(messages) < 8:
            said, count = b"", 0
            while first + count < len(findings) and count < 100:
                kind, path, text = findings[first + count]
                one = u8(kind) + text16(path) + text16(text)
                if 19 + len(said) + len(one) > MESSAGE_BYTES:
                    break
                said, count = said + one, count + 1
            messages.append((first, count, said))
            first += count
        for index, (begin, count, said) in enumerate(messages):
            head = self.sender.epoch + u32(self.number) + u32(begin) + u8(index < len(messages) - 1) + u8(count)
            self.node.send("FINDINGS", head + said, self.sender.address)

    # Reports.

    def report_within(self, seconds):
        due = self.node.now + seconds
        if self.report_at is None or due < self.report_at:
            self.report_at = due
            self.node.at(due, self.report_if_due)

    def report_if_due(self):
        if self.report_at is not None and self.report_at <= self.node.now and self.is_alive:
            self.report()

    @property
    def is_alive(self):
        return self.node.inbound.get((self.sender.epoch, self.number)) is self

    def report_share(self):
        """A share of what may be in flight has arrived since the last report."""
        if self.received - self.reported_received >= max(1, self.in_flight // 4):
            self.report_within(0)

    def report_gap(self):
        if self.phase == RECEIVING and self.has_gap():
            gap = 0.002 + 0.004 * (self.spread * 1000) ** (1 / 3) * (0.5 + random.random() / 2)
            self.report_within(max(gap, self.reported_at + 0.015 + gap - self.node.now))

    def known_end(self):
        return min(self.window_end, max(self.newest + 1, self.sent))

    def has_gap(self):
        """Something is missing that the sender has sent already: all but the block that arrives just now."""
        if self.first_incomplete < self.newest or self.first_incomplete < min(self.sent, self.window_end):
            return True
        known = self.blocks.get(self.newest)
        return known is not None and max(known.parts) >= len(known.parts)

    @property
    def in_flight(self):
        receiving = sum(1 for one in self.node.inbound.values() if one.phase == RECEIVING)
        return max(1, self.node.buffer_bytes // 2880 // max(1, receiving))

    def report(self):
        self.report_at = None
        self.reported_at = self.node.now
        if self.phase == WAITING:
            fields = dict(phase=WAITING, worked=self.node.worked, admission=self.node.admissions)
            return self.node.report(self, **fields, ahead=self.node.ahead_of(self))
        self.reported_received, self.reported_staged = self.received, self.first_unstaged
        runs, partial = self.missing() if self.phase == RECEIVING else ([], [])
        self.node.report(
            self,
            phase=self.phase,
            stamp=self.stamp,
            staged=self.first_unstaged,
            window_end=self.window_end,
            in_flight=self.in_flight,
            received=self.received,
            runs=runs,
            partial=partial,
            wants=self.wants_to_say(),
            findings=len(self.staging.findings.list),
            worked=self.worked,
            order=self.order,
            admission=self.admission,
            ahead=self.node.ahead_of(self),
        )
        self.report_gap()

    def missing(self):
        """Runs of blocks of which nothing has arrived, and blocks that are missing in part; the highest left out."""
        runs, partial = [], []
        for block in range(self.first_incomplete, self.known_end()):
            known = self.blocks.get(block)
            if block in self.whole or block in self.staged:
                continue
            if known is not None:
                if len(partial) == MISSING_FRAGMENTS:
                    break
                partial.append((block, known.mask))
            elif runs and sum(runs[-1]) == block:
                runs[-1] = (runs[-1][0], runs[-1][1] + 1)
            elif len(runs) == MISSING_RUNS:
                break
            else:
                runs.append((block, 1))
        return runs, partial

    def wants_to_say(self):
        """The wants that the sender has not confirmed, each again after 40 ms and twice the spread."""
        room, said = 800 if len(self.wants) > 1 else 1100, []
        for block, want in sorted(self.wants.items()):
            if want.at > self.node.now:
                continue
            if len(said) == WANTS or len(want.said) > room:
                self.report_within(0.001)
                break
            room -= len(want.said)
            said.append(want.said)
            want.at = self.node.now + 0.04 + 2 * self.spread
        if self.wants:
            self.report_within(max(0.001, min(want.at for want in self.wants.values()) - self.node.now))
        return said

    # Silence.

    def watch(self):
        """Looks for silence: of an offer that is not repeated (5.10), of the sender (5.7), of its COMMIT (5.9)."""
        silence = self.node.now - self.heard
        has_left = self.node.members.get(self.sender.epoch) is not self.sender
        if self.phase == WAITING:
            if self.node.now - self.offered > 3 or has_left:
                self.node.forget_inbound(self)
        elif self.phase == ORDERED:
            if silence > 15 or has_left and self.node.now - self.sender.left > 3:
                self.end(FAILED, "the sender is gone", reported=False)
            elif (silence > 1 or has_left) and (self.asked_at is None or self.node.now > self.asked_at):
                self.asked_at = self.node.now + 0.25 + 2 * self.node.spread(len(self.node.members))
                self.node.send("QUERY", self.sender.epoch + u32(self.number))
        elif self.phase < ORDERED and (silence > 15 or has_left):
            self.end(FAILED, "the sender is gone", reported=False)


def encode_want(block, differences, must_tell):
    """A want in the shortest form that says enough (5.2, 5.3)."""
    if must_tell:
        form, said = 3, bytes(differences)
    elif not any(differences):
        form, said = 0, b""
    elif all(differences):
        form, said = 1, b""
    else:
        bits = bytearray((len(differences) + 7) // 8)
        for index, difference in enumerate(differences):
            bits[index // 8] |= (difference != 0) << (index % 8)
        form, said = 2, bytes(bits)
    return u32(block) + u16(len(differences)) + u8(form) + said


def encode_status(epoch, transfer, phase, **fields):
    """STATUS (5.3); fields that are not given are zero."""

    def get(name):
        return fields.get(name, 0)

    runs, partial, wants = fields.get("runs", []), fields.get("partial", []), fields.get("wants", [])
    reason = os.fsencode(fields.get("reason", ""))[:REASON_BYTES]
    head = epoch + u32(transfer) + u8(phase) + u32(get("stamp")) + u32(get("staged")) + u32(get("window_end"))
    head += u32(get("in_flight")) + u32(get("received"))
    end = text16(reason) + u32(get("findings")) + u32(get("worked"))
    end += u32(get("order"))
    if get("admission"):
        end += u32(get("admission")) + u16(get("ahead"))
    said = u8(len(wants)) + b"".join(wants)
    room = MESSAGE_BYTES - 1 - len(head) - 2 - len(said) - len(end)
    runs = runs[: room // 6]
    partial = partial[: (room - 6 * len(runs)) // 10]
    missing = u8(len(runs)) + b"".join(u32(block) + u16(count) for block, count in runs)
    missing += u8(len(partial))
    missing += b"".join(u32(block) + u32(mask & (U32 - 1)) + u16(mask >> 32) for block, mask in partial)
    return head + missing + said + end


# --- Sending: the manifest of a tree (6.1) ------------------------------------------------------------------------


@dataclass
class ManifestBlock:
    plaintext: bytes
    entries: list
    settled: bool = False


class Listing:
    """Lists what is to be sent, as records in the order of the manifest."""

    def __init__(self, tree, job):
        self.tree = tree
        self.job = job
        self.records = []
        self.entries = []
        self.emitted = {}
        self.first_names = {}
        self.complete = {}
        self.directory = None

    def run(self):
        if self.job.delete or self.job.check:
            flags = (TERMS_CHECK if self.job.check else 0) | (0 if self.job.delete else TERMS_KEEPS)
            flags |= TERMS_FORCED if self.job.force else 0
            self.records.append(("terms", u8(3) + u8(flags) + text16(self.tree.base)))
        for path in self.top_paths():
            self.passages(path)
            if path == b"":
                self.contents(path)
            else:
                self.entry(path)
        return self

    def top_paths(self):
        """The paths that were asked for, without those below others of them."""
        top = []
        for path in sorted({os.fsencode(one).strip(b"/") for one in self.job.push}):
            path = b"" if path == b"." else path
            check_path(path)
            if not any(one == b"" or path.startswith(one + b"/") for one in top):
                top.append(path)
        return top

    def passages(self, path):
        names = path.split(b"/")[:-1]
        for depth in range(1, len(names) + 1):
            above = b"/".join(names[:depth])
            found = self.tree.stat(above)
            if found is None or not stat.S_ISDIR(found.st_mode):
                return  # The path itself is gone, too.
            if above not in self.emitted:
                self.add(PASSAGE, above, found)

    def entry(self, path):
        found = self.tree.stat(path)
        if found is None:
            self.add(GONE, path, None)
        elif type_of(found) is None:
            self.add(KEPT, path, None)
        else:
            self.add(type_of(found), path, found)
            if stat.S_ISDIR(found.st_mode):
                self.contents(path)

    def contents(self, directory):
        """The entries of a directory come together, and those of the directories in it after them."""
        before = self.tree.stat(directory).st_mtime_ns
        names = [name for name in self.tree.names(directory) if join(directory, name) != AREA]
        inner = []
        self.enter(directory)
        for name in names:
            path = join(directory, name)
            found = self.tree.stat(path)
            if found is None:
                continue
            self.add(type_of(found) or KEPT, path, found)
            if stat.S_ISDIR(found.st_mode):
                inner.append(path)
        if self.job.delete and self.tree.stat(directory).st_mtime_ns == before:
            self.complete[directory] = set(names)
            self.records.append(("complete", u8(5)))
            self.directory = None
        for path in inner:
            self.contents(path)

    def enter(self, directory):
        if self.directory != directory:
            found = self.tree.stat(directory) if directory else None
            metadata = self.metadata(found).encode() if found else None
            said = u8(1) + text16(directory) + (u8(1) + metadata if metadata else u8(0))
            self.records.append(("directory", said))
            self.directory = directory

    def add(self, kind, path, found):
        self.enter(split(path)[0])
        entry = Entry(len(self.entries), kind, path)
        if kind not in (KEPT, GONE):
            entry.metadata = self.metadata(found)
        if kind == FILE:
            first = self.first_names.setdefault((found.st_dev, found.st_ino), path)
            entry.has_links = found.st_nlink > 1
            if first != path:
                entry = Entry(entry.number, HARD_LINK, path, entry.metadata, target=first)
            entry.size = found.st_size
            if entry.type == FILE and found.st_size and (self.job.checksum or self.job.check):
                entry.digest = digest_of(self.tree, path)
        if kind == LINK:
            entry.target = self.tree.readlink(path)
        if kind in (CHARACTER, BLOCK):
            entry.device = found.st_rdev
        self.emitted[path] = entry
        self.entries.append(entry)
        self.records.append(("entry", encode_entry(entry)))

    @staticmethod
    def metadata(found):
        user, group = name_of(found.st_uid, b"/etc/passwd"), name_of(found.st_gid, b"/etc/group")
        return Metadata(stat.S_IMODE(found.st_mode), found.st_mtime_ns, found.st_uid, user, found.st_gid, group)

    def blocks(self, most_bytes):
        """Divides the records into manifest blocks; each begins with the directory of its first entry."""
        blocks, entries = [], iter(self.entries)
        said, inside, first, directory = b"", [], 0, b""
        for kind, record in self.records:
            directory = record if kind == "directory" else directory
            need = len(record) + (len(directory) if not said else 0)
            if said and (7 + len(said) + need > most_bytes or kind == "entry" and len(inside) == MANIFEST_ENTRIES):
                blocks.append(ManifestBlock(u8(MANIFEST) + u32(first) + u16(len(inside)) + said, inside))
                first += len(inside)
                said, inside = b"", []
            if not said and kind in ("entry", "complete"):
                said = directory
            said += record
            if kind == "entry":
                inside.append(next(entries))
        blocks.append(ManifestBlock(u8(MANIFEST) + u32(first) + u16(len(inside)) + said, inside))
        return blocks


# --- A transfer that is sent (5) ----------------------------------------------------------------------------------


@dataclass
class SentBlock:
    """A sealed block; a repair sends the same bytes. `stamps` are those of the last sending of each fragment."""

    kind: int
    sealed: bytes
    stamps: list


class Target:
    """A member in an own transfer, as far as its STATUS tells."""

    def __init__(self, member, now):
        self.member = member
        self.heard = self.moved = self.got_at = now
        self.got = self.got_stamp = 0
        self.given_back = None
        self.verdict = None
        self.reason = ""
        self.findings = []
        self.asked_at = 0
        self.forget()

    def forget(self):
        """It has not answered the OFFER."""
        self.phase = WAITING
        self.answered = False
        self.stamp = self.staged = 0
        self.window_end = 2
        self.in_flight = 88
        self.wants = {}
        self.announced = self.order = 0
        self.progress = None


class Outbound:
    """A transfer from this node: sending, ordering, committing, finished."""

    def __init__(self, node, number, rank, job, members):
        self.node = node
        self.number = number
        self.rank = rank
        self.job = job
        self.state = "sending"
        self.key = transfer_key(node.secret, node.epoch, number)
        self.targets = {member.epoch: Target(member, node.now) for member in members}
        self.spread = node.spread(len(members))
        self.place = None
        longest = min([member.info.datagram_bytes for member in members] + [node.datagram_bytes])
        self.full = longest - FRAGMENT_HEADER_BYTES
        self.most_bytes = BLOCK_FRAGMENTS * self.full - TAG_BYTES
        self.listing = Listing(node.tree, job).run()
        self.manifest = self.listing.blocks(self.most_bytes)
        self.unsent_manifest = list(self.manifest)
        self.manifest_numbers = {}
        self.segments = iter(())
        self.segment = None
        self.needed = []
        self.blocks = {}
        self.made = self.sent = self.lowest = 0
        self.next_stamp = 0
        self.current = None
        self.repairs = {}
        self.repaired = 0
        self.contents = 0
        self.updated = {}
        self.final = False
        self.polled_all = node.now
        self.began = node.now
        self.moved()
        self.offer()
        self.progress()

    # The members.

    @property
    def live(self):
        return [target for target in self.targets.values() if target.verdict is None]

    def epochs(self, holds):
        return [target.member.epoch for target in self.live if holds(target)]

    def send_to_epochs(self, name, head, epochs, tail=b""):
        for first in range(0, len(epochs), TARGETS):
            self.node.send(name, head + targets(epochs[first : first + TARGETS]) + tail)

    def offer(self):
        # Members of version 2, which know no ranks, are left out (4.2): this member does not speak with them.
        head = u32(self.number) + u8(self.job.dry)
        self.send_to_epochs("OFFER", head, self.epochs(lambda target: not target.answered), u32(self.rank))

    def progress(self, poll=False):
        flags = (1 if self.final else 0) | (2 if poll else 0)
        said = u32(self.number) + u32(self.sent) + u32(self.next_stamp % U32) + u32(self.settled_below) + u8(flags)
        self.node.send("PROGRESS", said + u16(round(self.spread * 1000)))

    def status(self, member, status):
        target = self.targets.get(member.epoch)
        if target is None or target.verdict is not None:
            return
        target.heard = self.node.now
        if status.phase == WAITING:
            return self.note_progress(target, status)
        if status.phase <= COMMITTING and target.given_back is not None:
            if not ahead(status.admission, target.given_back):
                return self.give_back(target, target.given_back)
        if status.phase in (FAILED, REFUSED):
            return self.member_failed(target, status)
        if status.phase == DONE and self.state == "committing":
            return self.decide(target, "done", "")
        if status.phase == DONE or status.staged > self.sent:
            return self.drop(target, "it breaks the protocol")
        target.answered = True
        target.phase = max(target.phase, status.phase)
        if status.received != target.got or status.staged == self.sent:
            target.got, target.got_at, target.got_stamp = status.received, self.node.now, self.next_stamp
        target.staged = max(target.staged, status.staged)
        target.window_end = max(target.window_end, status.window_end)
        target.in_flight = status.in_flight
        target.announced = status.findings
        target.order = max(target.order, status.order)
        self.node.move_clock(status.order)
        stamp = self.next_stamp if ahead(status.stamp, self.next_stamp) else status.stamp
        if not ahead(target.stamp, stamp):
            target.stamp = stamp
        self.take_wants(target, status)
        self.take_missing(status, stamp)
        self.note_progress(target, status)
        if status.ahead and not all(one.answered for one in self.live):
            self.give_back(target, status.admission)

    def note_progress(self, target, status):
        """Whether a member makes progress (5.7)."""
        shown = (status.phase, status.staged, status.worked, status.findings, status.order, len(target.wants))
        if shown != target.progress:
            target.progress = shown
            target.moved = self.node.now
            self.moved()

    def give_back(self, target, admission):
        target.given_back = admission
        target.forget()
        self.node.send("YIELD", u32(self.number) + target.member.epoch + u32(admission), target.member.address)

    def member_failed(self, target, status):
        reason = os.fsdecode(status.reason)
        if status.phase == REFUSED and self.state != "committing":
            self.node.send("ABORT", u32(self.number) + targets([]) + text16(status.reason), times=3)
            for one in self.live:
                self.decide(one, "failed", f"{target.member.name} refuses: {reason}")
        elif status.phase == FAILED and self.state == "finished":
            return
        else:
            self.decide(target, "failed", reason)

    def drop(self, target, reason):
        """Continues without a member (5.7)."""
        said = u32(self.number) + targets([target.member.epoch]) + text16(reason.encode())
        self.node.send("ABORT", said, target.member.address)
        self.decide(target, "unconfirmed" if self.state == "committing" else "failed", reason)

    def decide(self, target, verdict, reason):
        target.verdict, target.reason = verdict, reason
        self.moved()
        self.settle()

    # Wants and data.

    def take_wants(self, target, status):
        for want in status.wants:
            block = self.manifest_numbers.get(want.block)
            if block is None or block.settled or want.block in target.wants:
                continue
            if len(want.wanted) != len(block.entries):
                return self.drop(target, "it answers for another number of entries")
            target.wants[want.block] = want
            if self.job.check and not want.has_differences:
                return self.drop(target, "it does not report the differences of a check")
            for entry, difference in zip(block.entries, want.wanted):
                if difference:
                    shown = difference if want.has_differences else -1
                    self.updated.setdefault(target.member.name, {})[os.fsdecode(entry.path)] = shown
        self.settle()

    def settle(self):
        for number, block in self.manifest_numbers.items():
            live = self.live
            if block.settled or not all(number in target.wants for target in live):
                continue
            block.settled = True
            wants = [target.wants[number] for target in live] if block.entries else []
            if self.job.dry:
                continue
            for index, entry in enumerate(block.entries):
                if any(needs_contents(entry, want.wanted[index], want.has_differences) for want in wants):
                    self.needed.append(entry)

    @property
    def settled_below(self):
        unsettled = [number for number, block in self.manifest_numbers.items() if not block.settled]
        return min(unsettled, default=self.made)

    def read_needed(self):
        """The segments of the files that some member needs (6.2)."""
        while self.needed:
            entry = self.needed.pop(0)
            size = self.listing.emitted[entry.target].size if entry.type == HARD_LINK else entry.size
            if size:
                self.contents += 1
                yield from read_file(self.node.tree, entry, size)

    def next_data(self):
        """The plaintext of a data block with as many segments as there is room for; None if nothing is to be read."""
        said = u8(DATA)
        while True:
            if self.segment is None:
                self.segment = next(self.segments, None)
            if self.segment is None:
                self.segments = self.read_needed()
                self.segment = next(self.segments, None)
            if self.segment is None:
                break
            whole, part = self.segment.cut(self.most_bytes - len(said))
            said += part
            if not whole:
                break
            self.segment = None
        return said if len(said) > 1 else None

    # Blocks and fragments.

    def next_block(self):
        """Makes the next block, and seals it once (7.1); False if there is nothing to send now."""
        kind, plaintext = DATA, self.next_data()
        unsettled = sum(1 for block in self.manifest_numbers.values() if not block.settled)
        if plaintext is None and self.unsent_manifest and unsettled < 12:
            kind, block = MANIFEST, self.unsent_manifest.pop(0)
            plaintext = block.plaintext
            self.manifest_numbers[self.made] = block
            block.settled = not block.entries
        if plaintext is None:
            return False
        data = block_data(self.number, self.made, len(plaintext) + TAG_BYTES, kind)
        sealed = self.key.encrypt(block_nonce(self.made), plaintext, data)
        self.blocks[self.made] = SentBlock(kind, sealed, [None] * -(-len(sealed) // self.full))
        self.current = (self.made, 0)
        self.made += 1
        return True

    def room(self):
        """How many fragments may be sent now, for all members (5.5)."""
        return min((one.in_flight - (self.next_stamp - one.stamp) % U32 for one in self.live), default=0)

    def pump(self):
        """Sends a few fragments, repairs first; False if it has to wait."""
        if self.state != "sending" or not self.live:
            return False
        room = min(self.room(), BLOCK_FRAGMENTS)
        if room <= 0:
            return False
        if self.repairs:
            block = min(self.repairs)
            indexes = self.repairs.pop(block)
            if len(indexes) > room:
                self.repairs[block] = set(sorted(indexes)[room:])
            self.repaired += len(sorted(indexes)[:room])
            self.send_fragments(block, sorted(indexes)[:room])
            return True
        if self.current is None and not self.may_make_block():
            return False
        number, first = self.current
        if number >= min(one.window_end for one in self.live):
            return False
        count = min(len(self.blocks[number].stamps) - first, room)
        self.send_fragments(number, range(first, first + count))
        self.current = (number, first + count)
        if first + count == len(self.blocks[number].stamps):
            self.current = None
            self.sent = number + 1
        self.moved()
        self.say_final()
        return True

    def may_make_block(self):
        """Whether another block may be made, and was (5.5: own window)."""
        return self.made - self.lowest < WINDOW_BLOCKS and self.next_block()

    def send_fragments(self, number, indexes):
        block = self.blocks[number]
        for index in indexes:
            payload = block.sealed[index * self.full : (index + 1) * self.full]
            stamp = self.next_stamp % U32
            block.stamps[index] = stamp
            self.next_stamp += 1
            full = 0 if self.full == FULL_PAYLOAD else self.full
            length = FRAGMENT_HEADER_BYTES + len(payload)
            header = struct.pack("<BBBBHH8s", 0x4D, 2, 2, 0, length, full, self.node.epoch)
            header += struct.pack("<IIIHBB", self.number, number, stamp, len(block.sealed), index, block.kind)
            self.node.send_datagram(header + payload)

    def take_missing(self, status, stamp):
        """Repairs what is lost: it was last sent before the stamp of the report (5.4)."""
        for first, count in status.runs:
            for number in range(first, min(first + count, self.sent)):
                self.repair(number, -1, stamp)
        for number, mask in status.partial:
            self.repair(number, mask, stamp)
        lowest = min((target.staged for target in self.live), default=0)
        for number in range(self.lowest, lowest):
            self.blocks.pop(number, None)
            self.repairs.pop(number, None)
        self.lowest = max(self.lowest, lowest)

    def repair(self, number, mask, stamp):
        block = self.blocks.get(number)
        for index, last in enumerate(block.stamps if block else []):
            if mask >> index & 1 and last is not None and ahead(stamp, last):
                self.repairs.setdefault(number, set()).add(index)

    def say_final(self):
        if self.final or self.current is not None or self.unsent_manifest or self.needed or self.segment is not None:
            return
        if not all(block.settled for block in self.manifest):
            return
        self.segment = next(self.segments, None)
        if self.segment is None and self.sent == self.made:
            self.final = True
            self.progress()
            self.moved()

    # The barrier, the order and the commit.

    def moved(self):
        self.poll_delay = 0.01
        self.poll_at = self.node.now + self.poll_delay
        self.node.at(self.poll_at, self.tick)

    def tick(self):
        """Looks whether the transfer can go on, and asks the members when it does not."""
        if self.state == "finished":
            return
        self.step()
        if self.state == "finished" or self.node.now < self.poll_at:
            return
        self.drop_silent()
        self.poll_delay = min(2 * self.poll_delay, 0.25)
        self.poll_at = self.node.now + self.poll_delay
        self.node.at(self.poll_at, self.tick)
        self.poll()

    def poll(self):
        if self.state == "sending":
            self.offer()
            self.progress(poll=True)
        elif self.state == "ordering":
            self.say_order()
            if self.node.now - self.polled_all > 0.5:
                self.polled_all = self.node.now
                self.progress(poll=True)
        elif self.state == "committing":
            self.say_commit()

    def drop_silent(self):
        for target in self.live:
            silence, stand = self.node.now - target.heard, self.node.now - target.moved
            most = 5 if self.state == "ordering" else 600 if target.phase == WAITING else 300
            if self.node.members.get(target.member.epoch) is not target.member:
                self.drop(target, "it has left")
            elif silence > 5:
                self.drop(target, "no answer for 5 seconds")
            elif self.node.now - target.got_at > 5 and target.stamp - target.got_stamp >= 16:
                self.drop(target, "nothing that is sent to the group reaches it")
            elif stand > most:
                self.drop(target, f"no progress for {most} seconds")

    def step(self):
        if self.state == "sending":
            self.say_final()
        if not self.live:
            return self.finish()
        if self.state == "sending" and self.is_at_barrier():
            self.pass_barrier()
        if self.state == "ordering":
            self.place = max([self.place] + [target.order for target in self.live])
            self.node.move_clock(self.place)
            if all(target.phase == ORDERED and target.order == self.place for target in self.live):
                self.state = "committing"
                self.moved()
                self.say_commit()
                self.node.carry_out()

    def is_at_barrier(self):
        if not self.final or self.repairs or any(target.phase < READY for target in self.live):
            return False
        asking = [target for target in self.live if len(target.findings) < target.announced]
        for target in asking:
            self.inquire(target)
        return not asking

    def inquire(self, target):
        if self.node.now >= target.asked_at:
            target.asked_at = self.node.now + 0.2
            self.node.at(target.asked_at, self.tick)
            self.node.send("INQUIRY", u32(self.number) + u32(len(target.findings)), target.member.address)

    def take_findings(self, member, message):
        target = self.targets.get(member.epoch)
        if target is None or target.verdict is not None or message.first != len(target.findings):
            return
        target.heard = self.node.now
        target.findings.extend(message.findings)
        if not message.more:
            target.asked_at = 0
        self.moved()
        self.step()

    def pass_barrier(self):
        self.moved()
        if self.job.dry:
            self.node.send("ABORT", u32(self.number) + targets([]) + text16(b"dry run"), times=3)
            for target in self.live:
                self.decide(target, "done", "")
            return self.finish()
        self.state = "ordering"
        for target in self.live:
            target.moved = self.node.now
        self.place = min(self.node.clock + 1, HIGHEST)
        self.node.move_clock(self.place)
        self.say_order()

    def say_order(self):
        def is_behind(target):
            return target.phase < ORDERED or target.order < self.place

        self.send_to_epochs("ORDER", u32(self.number) + u32(self.place), self.epochs(is_behind))

    def say_commit(self):
        self.send_to_epochs("COMMIT", u32(self.number) + u32(self.place), self.epochs(lambda target: True))

    @property
    def turn(self):
        return self.place, self.node.epoch, self.number

    def comes_before(self, inbound):
        """Whether a received transfer has to wait for this one (5.6)."""
        return self.state == "ordering" and self.turn < inbound.turn

    def comes_after(self, inbound):
        return self.state != "finished" and (self.place is None or inbound.turn < self.turn)

    def clashes(self, new, deleted):
        """A path that another transfer changes, and that this one is about (5.6)."""
        for path in new + deleted:
            if path in self.listing.emitted:
                return path
            directory, name = split(path)
            if path in new and name not in self.listing.complete.get(directory, {name}):
                return path
        for path in deleted:
            if any(one.startswith(path + b"/") for one in self.listing.emitted):
                return path
        return None

    def finish(self):
        if any(one.phase in (ORDERED, COMMITTING) and self.comes_after(one) for one in self.node.inbound.values()):
            return None
        self.state = "finished"
        return self.node.end_outbound(self)


def needs_contents(entry, difference, has_differences):
    if entry.type == HARD_LINK:
        return has_differences and bool(difference & SEPARATE)
    if entry.type != FILE or entry.size == 0:
        return False
    return bool(difference & (MISSING | TYPE | CONTENTS)) if has_differences else bool(difference)


@dataclass
class Content:
    entry: int
    at: int
    piece: bytes

    def cut(self, room):
        """Whether all of it has room, and the bytes of the part that has; the rest stays."""
        count = min(room - 15, len(self.piece), 65535)
        if count <= 0:
            return False, b""
        said = u8(1) + u32(self.entry) + u64(self.at) + text16(self.piece[:count])
        self.at, self.piece = self.at + count, self.piece[count:]
        return not self.piece, said


@dataclass
class Whole:
    """A segment that is not divided: a hole or a withdrawal."""

    said: bytes

    def cut(self, room):
        return (True, self.said) if len(self.said) <= room else (False, b"")


def read_file(tree, entry, size):
    """The segments of a file; instead of the last piece a withdrawal if the file is not that of the manifest (6.2)."""

    def is_same(found):
        return (found.st_size, found.st_mtime_ns) == (size, entry.metadata.time)

    withdrawn = Whole(u8(2) + u32(entry.number) + text16(b"it changed while it was sent"))
    try:
        with open(tree.open(entry.path, os.O_RDONLY), "rb", buffering=0) as file:
            if not is_same(os.fstat(file.fileno())):
                yield withdrawn
                return
            at = 0
            while at < size:
                begin, end = data_from(file.fileno(), at, size)
                if begin > at:
                    segment = Whole(u8(3) + u32(entry.number) + u64(at) + u64(begin - at))
                else:
                    piece = os.pread(file.fileno(), min(end - begin, 1 << 18), at)
                    segment, begin = Content(entry.number, at, piece), at + len(piece)
                if begin == at or begin >= size and not is_same(os.fstat(file.fileno())):
                    yield withdrawn
                    return
                yield segment
                at = begin
    except OSError:
        yield withdrawn


def data_from(fd, at, size):
    """Where the data at or after a place begin and end; a file system that cannot tell has no holes."""
    try:
        begin = os.lseek(fd, at, os.SEEK_DATA)
        return min(begin, size), min(os.lseek(fd, begin, os.SEEK_HOLE), size)
    except OSError as error:
        return (size, size) if error.errno == errno.ENXIO else (at, size)


# --- The node: membership (4), dispatch, admission (5.10), the commits of others (5.9) ----------------------------


@dataclass
class Member:
    node_id: bytes
    epoch: bytes
    address: tuple
    info: NodeInfo
    heard: float
    heard_group: float
    fingerprints: list = None
    left: float = 0

    @property
    def name(self):
        return self.info.host.decode()


@dataclass
class Candidate:
    node_id: bytes
    epoch: bytes
    address: tuple
    info: NodeInfo
    nonce: bytes
    missed: bool = False
    sent: int = 0


class Node:
    def __init__(self, options):
        self.now = time.monotonic()
        self.timers = []
        self.order_of_timers = itertools.count()
        self.tree = Tree(options.base)
        recover(self.tree)
        self.secret = read_secret(options.key)
        self.has_key = options.key is not None
        self.deaf_to = options.deaf
        self.state = options.state
        self.node_id = self.read_node_id() or self.draw_node_id()
        self.epoch = os.urandom(8)
        self.counter = 0
        self.control = control_key(self.secret, self.node_id, self.epoch)
        self.address = (options.address, options.port)
        self.group = (options.group, options.port)
        self.trace = open(os.environ["MAKUOSAN_TRACE"], "a", buffering=1) if "MAKUOSAN_TRACE" in os.environ else None
        self.open_sockets()
        shorter = f"+datagram{self.datagram_bytes}" if self.datagram_bytes < DATAGRAM_BYTES else ""
        self.info = NodeInfo(True, True, options.name.encode(), f"python{shorter}+wire3".encode(), [])
        self.keys = {}
        self.windows = {}
        self.members = {}
        self.candidates = {}
        self.inbound = {}
        self.memory = {}
        self.commits = {}
        self.outbound = {}
        self.waiting_jobs = []
        self.transfers = 0
        self.clock = self.rank_clock = 0
        self.admissions = self.worked = 0
        self.running = True

    def open_sockets(self):
        self.group_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.group_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.group_socket.bind(self.group)
        joined = socket.inet_aton(self.group[0]) + socket.inet_aton(self.address[0])
        self.group_socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
        self.own_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.own_socket.bind(self.address)
        self.own_socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(self.address[0]))
        self.own_socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        self.own_socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        for one in (self.group_socket, self.own_socket):
            set_buffer(one, 8 << 20)
        self.buffer_bytes = self.group_socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        self.datagram_bytes = max(LEAST_FULL_PAYLOAD + 32, min(DATAGRAM_BYTES, mtu_of(self.address[0]) - 28))

    def read_node_id(self):
        if self.state is None or not os.path.exists(self.state):
            return None
        with open(self.state) as file:
            return bytes.fromhex(file.read())

    def draw_node_id(self):
        """Draws a node id, and keeps it for later starts (4)."""
        node_id = os.urandom(16)
        if self.state is not None:
            with open(self.state, "w") as file:
                file.write(node_id.hex())
        return node_id

    # Time.

    def at(self, due, call):
        heapq.heappush(self.timers, (due, next(self.order_of_timers), call))

    def after(self, seconds, call):
        self.at(self.now + seconds, call)

    def run(self):
        self.tell("ready", epoch=self.epoch.hex(), node=self.node_id.hex())
        for seconds in (0, 0.3, 1, 3):
            self.after(seconds, lambda: self.say_here("HELLO"))
        self.after(15 * random.uniform(2 / 3, 4 / 3), self.say_alive)
        self.after(5, self.look_at_members)
        self.after(0.1, self.look_at_transfers)
        os.set_blocking(0, False)
        commands = b""
        inputs = [self.group_socket, self.own_socket, 0]
        while self.running:
            busy = any([transfer.pump() for transfer in list(self.outbound.values())])
            busy = any([transfer.prepare_some() for transfer in list(self.inbound.values())]) or busy
            wait = 0 if busy else max(0, self.timers[0][0] - time.monotonic())
            readable, _, _ = select.select(inputs, [], [], wait)
            self.look_at_clock()
            for one in readable:
                if one == 0:
                    more = os.read(0, 65536)
                    self.running = self.running and bool(more)
                    *lines, commands = (commands + more).split(b"\n")
                    for line in lines:
                        self.command(json.loads(line))
                else:
                    self.receive(one)
            while self.timers and self.timers[0][0] <= self.now:
                heapq.heappop(self.timers)[2]()
        self.send("EXIT", b"", times=3)

    def look_at_clock(self):
        """Time in which this node itself stood still is no silence of others (5.7)."""
        before, self.now = self.now, time.monotonic()
        gap = self.now - before
        if gap < 1:
            return
        for transfer in self.outbound.values():
            for target in transfer.targets.values():
                target.heard += gap
                target.moved += gap
                target.got_at += gap

    def tell(self, event, **what):
        print(json.dumps({"event": event, **what}), flush=True)

    def tell_members(self):
        self.tell("members", names=sorted(member.name for member in self.members.values()))

    # Sending and receiving datagrams.

    def send(self, name, body, address=None, times=1):
        plaintext = u8(NUMBERS[name]) + body
        for _ in range(times):
            self.counter += 1
            length = CONTROL_HEADER_BYTES + len(plaintext) + TAG_BYTES
            header = struct.pack("<BBBBHH8s", 0x4D, 2, 1, 0, length, 0, self.epoch) + self.node_id + u64(self.counter)
            sealed = self.control.encrypt(control_nonce(self.counter), plaintext, header)
            self.send_datagram(header + sealed, address)
        if self.trace:
            self.write_trace("to", address or self.group, decode_message(plaintext))

    def send_datagram(self, datagram, address=None):
        try:
            self.own_socket.sendto(datagram, address or self.group)
        except OSError as error:
            if error.errno not in (errno.ENETUNREACH, errno.ENOBUFS, errno.EPERM, errno.ECONNREFUSED):
                raise

    def write_trace(self, way, address, message):
        fields = {name: value for name, value in vars(message).items() if value not in ([], b"")}
        print(f"{self.now:.4f}", way, address[0], fields, file=self.trace)

    def receive(self, one):
        """Reads what has arrived, but not for ever."""
        for _ in range(500):
            try:
                data, address = one.recvfrom(65536, socket.MSG_DONTWAIT)
            except OSError:
                return
            if address[1] == self.address[1]:
                self.take_datagrams(memoryview(data), address)

    def take_datagrams(self, data, address):
        """Several datagrams may arrive in one piece (2)."""
        while len(data):
            if len(data) < HEADER_BYTES:
                return self.malformed("a datagram that is too short", address)
            magic, version, kind, zero, length, payload, epoch = struct.unpack_from("<BBBBHH8s", data)
            if magic != 0x4D or zero or not HEADER_BYTES <= length <= DATAGRAM_BYTES or length > len(data):
                return self.malformed("a header that breaks the protocol", address)
            if kind == 1 and payload:
                return self.malformed("a header that breaks the protocol", address)
            datagram, data = data[:length], data[length:]
            if version != 2 or epoch == self.epoch:
                continue
            if kind == 1:
                self.take_control(datagram, epoch, address)
            elif kind == 2:
                self.take_fragment(datagram, epoch, payload or FULL_PAYLOAD, address)
            else:
                self.malformed("a datagram of an unknown type", address)

    def malformed(self, what, address):
        self.tell("malformed", what=what, sender=address[0])

    def take_fragment(self, datagram, epoch, full, address):
        if len(datagram) <= FRAGMENT_HEADER_BYTES:
            return self.malformed("a fragment without a payload", address)
        number, block, stamp, sealed, index, kind = struct.unpack_from("<IIIHBB", datagram, HEADER_BYTES)
        payload = bytes(datagram[FRAGMENT_HEADER_BYTES:])
        count = -(-sealed // full)
        is_block = LEAST_FULL_PAYLOAD <= full <= FULL_PAYLOAD and sealed > TAG_BYTES and count <= BLOCK_FRAGMENTS
        is_part = index < count and len(payload) == min(full, sealed - index * full)
        if BLOCK_FRAGMENTS <= index < BLOCK_FRAGMENTS + PARITY_FRAGMENTS:
            is_part = count > 1 and len(payload) == full
        if not is_block or not is_part or kind not in (MANIFEST, DATA):
            return self.malformed("a fragment that contradicts itself", address)
        inbound = self.inbound.get((epoch, number))
        if inbound is not None and inbound.sender.address == address:
            inbound.fragment(block, stamp, sealed, index, kind, full, payload)

    def take_control(self, datagram, epoch, address):
        if len(datagram) < CONTROL_HEADER_BYTES + TAG_BYTES + 1:
            return self.malformed("a control message that is too short", address)
        header = bytes(datagram[:CONTROL_HEADER_BYTES])
        node_id, counter = header[16:32], struct.unpack_from("<Q", header, 32)[0]
        key = self.keys.get((node_id, epoch)) or control_key(self.secret, node_id, epoch)
        try:
            plaintext = key.decrypt(control_nonce(counter), bytes(datagram[CONTROL_HEADER_BYTES:]), header)
        except InvalidTag:
            return self.tell("foreign", sender=address[0])
        self.remember_key(node_id, epoch, key)
        if not self.windows[node_id, epoch].accept(counter):
            return None
        if plaintext[0] in LEFT_OUT:
            return None
        try:
            message = decode_message(plaintext)
        except Malformed as error:
            return self.malformed(f"{error} in message {plaintext[0]}", address)
        if self.trace:
            self.write_trace("from", address, message)
        return self.take_message(message, node_id, epoch, address)

    def remember_key(self, node_id, epoch, key):
        """The keys and the windows of the 8,192 senders heard last are kept (7.2)."""
        self.keys[node_id, epoch] = self.keys.pop((node_id, epoch), key)
        window = self.windows.pop((node_id, epoch), None) or ReplayWindow()
        self.windows[node_id, epoch] = window
        if len(self.keys) > 8192:
            oldest = next(iter(self.keys))
            del self.keys[oldest], self.windows[oldest]

    def take_message(self, message, node_id, epoch, address):
        member = self.members.get(epoch)
        if member is not None and (member.node_id, member.address) != (node_id, address):
            member = None
        name = message.name
        if name in self.deaf_to:
            return None
        if name in FROM_MEMBERS:
            if member is None:
                return None
            member.heard = self.now
        elif name in ("HELLO", "ALIVE"):
            return self.introduced(message.info, member, node_id, epoch, address)
        elif name in ("CHALLENGE", "RESPONSE"):
            return getattr(self, "take_" + name.lower())(message, member, node_id, epoch, address)
        elif member is None:
            return None
        return getattr(self, "take_" + name.lower())(message, member)

    # Membership (4).

    def say_here(self, name):
        self.send(name, self.info.encode())
        if self.has_key:
            self.send("KEYS", u8(1) + fingerprint(self.secret))

    def say_alive(self):
        self.say_here("ALIVE")
        self.after(15 * random.uniform(2 / 3, 4 / 3), self.say_alive)

    def introduced(self, info, member, node_id, epoch, address):
        if member is not None:
            member.info, member.heard, member.heard_group = info, self.now, self.now
        elif info.version >= 3:
            self.challenge_soon(node_id, epoch, address, info)

    def challenge_soon(self, node_id, epoch, address, info, missed=False):
        """Makes a node a candidate, and challenges it up to six times."""
        known = self.candidates.get((node_id, epoch))
        if known is not None and known.address == address:
            return known
        if known is None and len(self.candidates) >= 1024:
            return None
        candidate = Candidate(node_id, epoch, address, info, os.urandom(16), missed)
        self.candidates[node_id, epoch] = candidate
        delay = random.uniform(0, 0.02) + 0.0005 * len(self.members) * random.random()
        self.after(delay, lambda: self.challenge(candidate))
        return candidate

    def challenge(self, candidate):
        if self.candidates.get((candidate.node_id, candidate.epoch)) is not candidate:
            return
        if candidate.sent == 6:
            del self.candidates[candidate.node_id, candidate.epoch]
            member = self.members.get(candidate.epoch)
            # One that may have been restarted elsewhere, or that nothing is heard of (4).
            if member is not None and member.address == candidate.address and member.node_id == candidate.node_id:
                self.remove_member(member)
            return
        candidate.sent += 1
        to = route(candidate.epoch, self.address)
        self.send("CHALLENGE", candidate.nonce + to + u8(candidate.missed) + self.info.encode(), candidate.address)
        self.after(0.4, lambda: self.challenge(candidate))

    def is_for_me(self, message, address):
        return message.route == (self.epoch, address)

    def take_challenge(self, message, member, node_id, epoch, address):
        if not self.is_for_me(message, address) or message.info.version < 3:
            return
        nonce = bytes(16)
        if member is None:
            candidate = self.challenge_soon(node_id, epoch, address, message.info)
            nonce = candidate.nonce if candidate else nonce
        else:
            member.heard = self.now
        self.respond(message.nonce, nonce, epoch, address)

    def respond(self, answered, nonce, epoch, address):
        self.send("RESPONSE", answered + nonce + route(epoch, self.address) + self.info.encode(), address)

    def take_response(self, message, member, node_id, epoch, address):
        if not self.is_for_me(message, address) or message.info.version < 3:
            return
        candidate = self.candidates.get((node_id, epoch))
        if candidate is not None and candidate.nonce == message.answered:
            del self.candidates[node_id, epoch]
            self.admit_member(node_id, epoch, address, message.info)
        if message.nonce != bytes(16):
            self.respond(message.nonce, bytes(16), epoch, address)

    def admit_member(self, node_id, epoch, address, info):
        known = self.members.get(epoch)
        if known is not None:
            known.node_id, known.address, known.info, known.heard = node_id, address, info, self.now
        elif len(self.members) < 4096:
            for other in [one for one in self.members.values() if one.node_id == node_id]:
                if other.address == address:
                    self.remove_member(other)
                else:
                    self.challenge_soon(node_id, other.epoch, other.address, other.info)
            self.members[epoch] = Member(node_id, epoch, address, info, self.now, self.now)
            self.tell_members()
        if node_id == self.node_id and self.epoch < epoch:
            self.node_id = self.draw_node_id()
            self.control = control_key(self.secret, self.node_id, self.epoch)
            for seconds in (0, 0.3, 1, 3):
                self.after(seconds, lambda: self.say_here("HELLO"))

    def remove_member(self, member):
        member.left = self.now
        del self.members[member.epoch]
        self.tell_members()
        for transfer in list(self.inbound.values()):
            transfer.watch()
        for transfer in list(self.outbound.values()):
            transfer.drop_silent()
            transfer.tick()

    def take_exit(self, message, member):
        self.remove_member(member)

    def take_keys(self, message, member):
        member.fingerprints = message.fingerprints

    def look_at_members(self):
        for member in list(self.members.values()):
            if self.now - member.heard > 60:
                self.remove_member(member)
            elif self.now - member.heard_group > 45:
                self.challenge_soon(member.node_id, member.epoch, member.address, member.info, missed=True)
        self.after(5, self.look_at_members)

    def spread(self, members):
        """0.2 ms for each member beyond eight (5.4)."""
        return max(0, members - 8) * 0.0002

    # Transfers from others.

    def take_offer(self, message, member):
        self.rank_clock = max(self.rank_clock, message.rank)
        key = member.epoch, message.transfer
        if self.epoch not in message.targets:
            return
        if key in self.memory:
            return self.report_memory(key)
        transfer = self.inbound.get(key)
        if transfer is None:
            transfer = self.inbound[key] = Inbound(self, member, message)
            self.admit_next()
            if transfer.phase == WAITING:
                self.report_later_ones(transfer)
        transfer.heard = transfer.offered = self.now
        transfer.report_within(transfer.spread * random.random())

    def admit_next(self):
        """Admits the first transfers that wait, as long as there is room (5.10)."""
        waiting = sorted((one for one in self.inbound.values() if not one.is_admitted), key=lambda one: one.rank_turn)
        room = INBOUND - sum(1 for one in self.inbound.values() if one.is_admitted)
        for transfer in waiting[:room]:
            self.admissions += 1
            transfer.admit(self.admissions)

    def ahead_of(self, transfer):
        others = [one for one in self.inbound.values() if one is not transfer]
        waiting = sum(1 for one in others if not one.is_admitted and one.rank_turn < transfer.rank_turn)
        if transfer.is_admitted:
            return waiting
        return waiting + sum(1 for one in others if one.is_admitted)

    def report_later_ones(self, waiting):
        for one in self.inbound.values():
            if one.is_admitted and waiting.rank_turn < one.rank_turn:
                one.report_within(one.spread * random.random())

    def known_inbound(self, message, member):
        """The transfer that a message of its sender is about; one that has ended is answered from memory."""
        key = member.epoch, message.transfer
        if key in self.memory:
            if message.name == "PROGRESS" or message.name in ("ORDER", "COMMIT") and self.epoch in message.targets:
                self.report_memory(key)
            return None
        transfer = self.inbound.get(key)
        if transfer is not None:
            transfer.heard = self.now
            transfer.asked_at = None
        return transfer

    def take_progress(self, message, member):
        transfer = self.known_inbound(message, member)
        if transfer is not None:
            transfer.progress(message)

    def take_order(self, message, member):
        transfer = self.known_inbound(message, member)
        if transfer is not None and self.epoch in message.targets:
            transfer.ordered(message)
        else:
            self.move_clock(message.order)

    def take_commit(self, message, member):
        transfer = self.known_inbound(message, member)
        if transfer is not None:
            self.remember_commit(member.epoch, message.transfer, message.order, message.targets)
            if self.epoch in message.targets:
                transfer.committed(message.order, len(message.targets))
        self.move_clock(message.order)

    def take_abort(self, message, member):
        transfer = self.inbound.get((member.epoch, message.transfer))
        if transfer is not None and (not message.targets or self.epoch in message.targets):
            transfer.aborted(os.fsdecode(message.reason))

    def take_yield(self, message, member):
        transfer = self.known_inbound(message, member)
        if transfer is not None and message.epoch == self.epoch and message.admission == transfer.admission:
            if transfer.phase in (RECEIVING, READY):
                transfer.throw_back()
                self.admit_next()

    def take_inquiry(self, message, member):
        transfer = self.known_inbound(message, member)
        if transfer is not None:
            transfer.inquire(message.first)

    def report(self, transfer, phase, **fields):
        said = encode_status(transfer.sender.epoch, transfer.number, phase, **fields)
        self.send("STATUS", said, transfer.sender.address)

    def report_memory(self, key):
        phase, reason = self.memory[key]
        sender = self.members.get(key[0])
        if sender is not None:
            self.send("STATUS", encode_status(*key, phase, reason=reason), sender.address)

    def end_inbound(self, transfer, delay):
        key = transfer.sender.epoch, transfer.number
        if self.inbound.pop(key, None) is None:
            return
        self.memory[key] = transfer.phase, transfer.reason
        while len(self.memory) > REMEMBERED:
            del self.memory[next(iter(self.memory))]
        if delay is not None:
            self.after(delay, lambda: self.report_memory(key))
        what = dict(sender=transfer.sender.name, transfer=transfer.number, phase=PHASES[transfer.phase])
        self.tell("received", **what, reason=transfer.reason, order=transfer.order, payload=transfer.full,
                  restored=transfer.restored, reused=transfer.staging.reused_bytes if transfer.staging else 0)
        self.worked += 1
        for other in self.inbound.values():
            other.worked = (other.worked + 1) % U32
        self.admit_next()
        self.carry_out()

    def forget_inbound(self, transfer):
        del self.inbound[transfer.sender.epoch, transfer.number]

    def look_at_transfers(self):
        for transfer in list(self.inbound.values()):
            transfer.watch()
        self.admit_next()
        self.carry_out()
        self.after(0.1, self.look_at_transfers)

    # The order of the commits (5.6).

    def move_clock(self, order):
        self.clock = max(self.clock, order)

    def carry_out(self):
        """Carries out the first transfer that is decided, if none that is ordered comes before it."""
        placed = [one for one in self.inbound.values() if one.phase in (ORDERED, COMMITTING)]
        first = min(placed, key=lambda one: one.turn, default=None)
        if first is None or first.phase != COMMITTING:
            return
        if not any(own.comes_before(first) for own in self.outbound.values()):
            first.carry_out()

    def own_path_in(self, inbound):
        """A path of an own transfer that would be changed, though the own one comes later."""
        new, deleted = inbound.staging.changed_paths()
        later = [own for own in self.outbound.values() if own.comes_after(inbound)]
        return next((path for path in (own.clashes(new, deleted) for own in later) if path is not None), None)

    def before_change(self, transfer, path):
        for other in list(self.inbound.values()):
            if other is not transfer and other.is_admitted:
                other.staging.rely(path)
                if other.staging.failure is not None and other.phase < COMMITTING:
                    other.fail(other.staging.failure)

    # The commits of lost senders (5.9).

    def remember_commit(self, epoch, transfer, order, epochs):
        known = self.commits.setdefault((epoch, transfer), SimpleNamespace(order=order, epochs=set(), asked=set()))
        known.order = max(known.order, order)
        known.epochs.update(itertools.islice(epochs, 4096 - len(known.epochs)))
        while len(self.commits) > RELAYED:
            del self.commits[next(iter(self.commits))]

    def take_query(self, message, member):
        key = message.epoch, message.transfer
        known = self.commits.get(key)
        if known is not None and member.epoch in known.epochs:
            known.asked.add(member.epoch)
            self.after(self.spread(len(self.members)) * random.random(), lambda: self.relay(key))

    def relay(self, key):
        known = self.commits.get(key)
        if known is not None and known.asked:
            said = key[0] + u32(key[1]) + u32(known.order) + targets(sorted(known.asked)[:TARGETS])
            known.asked.clear()
            self.send("RELAY", said)

    def take_relay(self, message, member):
        key = message.epoch, message.transfer
        self.move_clock(message.order)
        self.remember_commit(*key, message.order, message.targets)
        self.commits[key].asked.difference_update(message.targets)
        transfer = self.inbound.get(key)
        if transfer is not None and transfer.phase == ORDERED and self.epoch in message.targets:
            transfer.committed(message.order, len(message.targets))

    # Own transfers.

    def command(self, given):
        if given.get("quit"):
            self.running = False
            return
        job = SimpleNamespace(push=given["push"], id=given.get("id"), to=given.get("to"))
        for name in ("delete", "dry", "checksum", "check", "force"):
            setattr(job, name, bool(given.get(name)))
        job.dry = job.dry or job.check
        self.waiting_jobs.append(job)
        self.begin_jobs()

    def begin_jobs(self):
        while self.waiting_jobs and len(self.outbound) < 8:
            job = self.waiting_jobs.pop(0)
            members = [one for one in self.members.values() if self.is_target(one, job)]
            self.transfers += 1
            self.rank_clock = min(self.rank_clock + 1, HIGHEST)
            self.outbound[self.transfers] = Outbound(self, self.transfers, self.rank_clock, job, members)

    def is_target(self, member, job):
        has_key = member.fingerprints is None or fingerprint(self.secret) in member.fingerprints
        return member.info.receives and has_key and (job.to is None or member.name in job.to)

    def take_status(self, message, member):
        if message.epoch == self.epoch and message.transfer in self.outbound:
            self.outbound[message.transfer].status(member, message)
            if message.transfer in self.outbound:
                self.outbound[message.transfer].step()

    def take_findings(self, message, member):
        if message.epoch == self.epoch and message.transfer in self.outbound:
            self.outbound[message.transfer].take_findings(member, message)

    def end_outbound(self, transfer):
        if self.outbound.pop(transfer.number, None) is None:
            return
        members = {}
        for target in transfer.targets.values():
            findings = [[kind, os.fsdecode(path), os.fsdecode(text)] for kind, path, text in target.findings]
            updated = transfer.updated.get(target.member.name, {})
            verdict = dict(verdict=target.verdict, reason=target.reason, findings=findings, updated=updated)
            members[target.member.name] = verdict
        numbers = dict(blocks=transfer.made, fragments=transfer.next_stamp, repaired=transfer.repaired)
        numbers.update(contents=transfer.contents, payload=transfer.full, order=transfer.place)
        numbers.update(seconds=round(self.now - transfer.began, 3))
        self.tell("pushed", id=transfer.job.id, members=members, **numbers)
        self.carry_out()
        self.begin_jobs()


def set_buffer(one, size):
    """Asks for a large buffer, as root beyond the limit of the host."""
    force = 33  # SO_RCVBUFFORCE
    try:
        one.setsockopt(socket.SOL_SOCKET, force, size)
    except PermissionError:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def mtu_of(address):
    """The MTU of the interface with an address; 65535 for loopback."""
    for _, name in socket.if_nameindex():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            try:
                found = fcntl_address(one, 0x8915, name)  # SIOCGIFADDR
                if socket.inet_ntoa(found[20:24]) == address:
                    return struct.unpack_from("i", fcntl_address(one, 0x8921, name), 16)[0]  # SIOCGIFMTU
            except OSError:
                continue
    return 65535


def fcntl_address(one, request, name):
    return fcntl.ioctl(one.fileno(), request, struct.pack("16s24x", name.encode()))


def main():
    parser = argparse.ArgumentParser(description="A member of a fleet of makuosan, as PROTOCOL.md describes it.")
    parser.add_argument("--base", required=True)
    parser.add_argument("--address", required=True)
    parser.add_argument("--key")
    parser.add_argument("--state")
    parser.add_argument("--name", default=socket.gethostname())
    parser.add_argument("--group", default="224.0.0.108")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--deaf", action="append", default=[], choices=NUMBERS)
    os.umask(0o077)
    node = Node(parser.parse_args())

    def stop(*_):
        node.running = False

    signal.signal(signal.SIGTERM, stop)
    node.run()


if __name__ == "__main__":
    sys.exit(main())
