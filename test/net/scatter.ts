import { PAGE_BYTES, type PagePool } from "../../src/net/page-pool.ts";
import { FRAGMENT_HEADER_BYTES, FRAGMENT_PAYLOAD_BYTES } from "../../src/wire/datagram.ts";
import { DATAGRAM_BYTES } from "../../src/wire/limits.ts";

/** Lays bytes out as the kernel scatters a message: headers in one piece of memory, payloads in a page. */
export function scatter(bytes: Buffer, pool: PagePool, page: number) {
  const headers = Buffer.alloc(FRAGMENT_HEADER_BYTES * Math.ceil(bytes.length / DATAGRAM_BYTES));
  const pageStart = page * PAGE_BYTES;
  for (let datagram = 0, at = 0; at < bytes.length; datagram++, at += DATAGRAM_BYTES) {
    const payload = at + FRAGMENT_HEADER_BYTES;
    bytes.copy(headers, datagram * FRAGMENT_HEADER_BYTES, at, Math.min(payload, bytes.length));
    const end = Math.min(at + DATAGRAM_BYTES, bytes.length);
    if (payload < end) bytes.copy(pool.bytes, pageStart + datagram * FRAGMENT_PAYLOAD_BYTES, payload, end);
  }
  return { headers, headersStart: 0, page, sizeBytes: bytes.length };
}
