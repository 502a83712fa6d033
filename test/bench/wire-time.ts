import { contentBytes } from "./contents.ts";
import type { Scenario } from "./scenario.ts";

/** The time below which no program can be: the bytes themselves, once, in full Ethernet frames. */

/** What one frame carries for UDP, and what it takes on the link: with 8 bytes of UDP, 20 of IP and 14 of Ethernet. */
export const PAYLOAD_BYTES = 1472;
export const FRAME_BYTES = 1514;

/** How long a link is busy with so many bytes of content, in milliseconds. */
export function wireMs(totalBytes: number, speedMbps: number): number {
  const frames: number = totalBytes / PAYLOAD_BYTES;
  return (frames * FRAME_BYTES * 8) / (speedMbps * 1000);
}

/** The wire's time in a scenario; undefined where the link has no limit, or nothing has to go over it. */
export function wireMsOf({ content, speedMbps }: Scenario): number | undefined {
  const bytes: number = contentBytes(content);
  return speedMbps === undefined || bytes === 0 ? undefined : wireMs(bytes, speedMbps);
}
