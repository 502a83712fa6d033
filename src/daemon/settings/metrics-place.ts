/** The address that the metrics are served on. */
import net from "node:net";
import { UserError } from "../../base/user-error.ts";

/** An address of this host and a TCP port. */
export interface MetricsPlace {
  readonly ip: string;
  readonly port: number;
}

/** A port alone is served on this address: other hosts see the metrics only if the setting names an address. */
const LOOPBACK = "127.0.0.1";

/**
 * Reads 127.0.0.1:9708, [::1]:9708, or a port alone.
 *
 * @throws UserError for anything else
 */
export function parseMetricsPlace(text: string): MetricsPlace {
  const [, given = LOOPBACK, digits = ""] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  const ip = given.replace(/^\[(.*)\]$/, "$1");
  const port = Number(digits);
  if (net.isIP(ip) !== 0 && digits !== "" && port > 0 && port <= 65_535) return { ip, port };
  throw new UserError(
    `metrics is '${text}': give an address and a TCP port, such as 127.0.0.1:9708, or a port for this host alone`,
  );
}
