/** The granularity of holes: that of ext4, XFS, btrfs and tmpfs. */
export const PAGE_BYTES = 4096;
const NO_BYTES = new Uint8Array(0);

/**
 * The bytes of a file. Pages never change after their creation, so that copies share them. Bytes beyond a short page
 * are zeros.
 */
export class SparseContents {
  sizeBytes = 0;
  private readonly pages: Map<number, Uint8Array>;

  constructor(pages = new Map<number, Uint8Array>()) {
    this.pages = pages;
  }

  copy(): SparseContents {
    const copy = new SparseContents(new Map(this.pages));
    copy.sizeBytes = this.sizeBytes;
    return copy;
  }

  get pageCount(): number {
    return this.pages.size;
  }

  /** Fills `bytes` from an offset on; returns how many bytes there are. */
  read(bytes: Uint8Array, offset: number): number {
    const end = Math.min(offset + bytes.length, this.sizeBytes);
    for (let place = offset; place < end;) {
      const page = Math.floor(place / PAGE_BYTES);
      const next = Math.min(end, (page + 1) * PAGE_BYTES);
      const from = place - page * PAGE_BYTES;
      const known = this.pages.get(page);
      const part = known?.subarray(from, from + next - place) ?? NO_BYTES;
      bytes.set(part, place - offset);
      bytes.fill(0, place - offset + part.length, next - offset);
      place = next;
    }
    return Math.max(0, end - offset);
  }

  /** @param bytes that nobody changes afterwards */
  write(bytes: Uint8Array, offset: number): void {
    const end = offset + bytes.length;
    for (let place = offset; place < end;) {
      const page = Math.floor(place / PAGE_BYTES);
      const next = Math.min(end, (page + 1) * PAGE_BYTES);
      this.putPage(page, place - page * PAGE_BYTES, bytes.subarray(place - offset, next - offset));
      place = next;
    }
    this.sizeBytes = Math.max(this.sizeBytes, end);
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.sizeBytes) this.cut(sizeBytes);
    this.sizeBytes = sizeBytes;
  }

  /** How many of the bytes could be written with this many new pages. */
  writableBytes(offset: number, countBytes: number, newPages: number): number {
    let left = newPages;
    const end = offset + countBytes;
    for (let page = Math.floor(offset / PAGE_BYTES); page * PAGE_BYTES < end; page++) {
      if (this.pages.has(page)) continue;
      if (left < 1) return Math.max(0, page * PAGE_BYTES - offset);
      left--;
    }
    return countBytes;
  }

  nextData(offset: number): number | undefined {
    if (offset >= this.sizeBytes) return undefined;
    const first = Math.floor(offset / PAGE_BYTES);
    if (this.pages.has(first)) return offset;
    let nearest = Infinity;
    for (const page of this.pages.keys()) if (page > first && page < nearest) nearest = page;
    return nearest * PAGE_BYTES < this.sizeBytes ? nearest * PAGE_BYTES : undefined;
  }

  nextHole(offset: number): number {
    if (offset >= this.sizeBytes) return offset;
    let page = Math.floor(offset / PAGE_BYTES);
    if (!this.pages.has(page)) return offset;
    while (this.pages.has(page)) page++;
    return Math.min(page * PAGE_BYTES, this.sizeBytes);
  }

  private putPage(page: number, from: number, bytes: Uint8Array): void {
    const known = this.pages.get(page) ?? NO_BYTES;
    if (from === 0 && bytes.length >= known.length) {
      this.pages.set(page, bytes);
      return;
    }
    const joined = new Uint8Array(Math.max(known.length, from + bytes.length));
    joined.set(known);
    joined.set(bytes, from);
    this.pages.set(page, joined);
  }

  private cut(sizeBytes: number): void {
    const kept = Math.ceil(sizeBytes / PAGE_BYTES);
    if (this.pages.size > 0) for (const page of this.pages.keys()) if (page >= kept) this.pages.delete(page);
    const rest = sizeBytes % PAGE_BYTES;
    const last = this.pages.get(kept - 1);
    if (rest === 0 || last === undefined) return;
    this.pages.set(kept - 1, last.subarray(0, rest));
  }
}
