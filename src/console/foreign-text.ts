/** Says who is heard under another key. */
import type { ForeignHost } from "./protocol.ts";

/** Most addresses in one line: more are counted. */
const SHOWN = 5;

/** Such as "5 packets under another key came from 10.0.0.7". */
export function foreignText(heard: readonly ForeignHost[]): string {
  const packets = heard.reduce((sum, host) => sum + host.packets, 0);
  const shown = heard.slice(0, SHOWN).map(({ address }) => address);
  const more = heard.length > SHOWN ? ` and ${heard.length - SHOWN} more` : "";
  return `${packets === 1 ? "1 packet" : `${packets} packets`} under another key came from ${shown.join(", ")}${more}`;
}
