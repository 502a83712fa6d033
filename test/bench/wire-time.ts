/** The time below which no program can be: the bytes themselves, once, in full Ethernet frames. */

/** What one frame carries for UDP, and what it takes on the link: with 8 bytes of UDP, 20 of IP and 14 of Ethernet. */
export const PAYLOAD_BYTES = 1472;
export const FRAME_BYTES = 1514;

/** How long a link is busy with so many bytes of content, in milliseconds. */
export function wireMs(contentBytes: number, speedMbps: number): number {
  const frames: number = contentBytes / PAYLOAD_BYTES;
  return (frames * FRAME_BYTES * 8) / (speedMbps * 1000);
}
