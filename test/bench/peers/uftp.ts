import fs from "node:fs";
import type { NamespaceFleet } from "../../support/namespaces.ts";
import type { Scenario } from "../scenario.ts";
import { type Peer, receivers, sender, succeed } from "./peer.ts";
import { Servers } from "./servers.ts";

const PORT = 1044;
/** As large as the machine grants. */
const SOCKET_BUFFER_BYTES = "33554432";
/** The most that fits into a frame together with uftp's headers. */
const BLOCK_BYTES = "1400";
/** What it first takes for the round trip. It waits for multiples of that at the start; the default is 0.5 s. */
const ROUND_TRIP_SECONDS = "0.01";

/** It sends with the rate it is told, whatever the receivers can take, so several are tried. */
export class Uftp implements Peer {
  readonly name: string;
  private readonly servers: Servers = new Servers();
  private readonly rateMbps: number | undefined;

  /** @param rateMbps undefined for as fast as the interface takes it */
  constructor(rateMbps: number | undefined) {
    this.rateMbps = rateMbps;
    this.name = rateMbps === undefined ? "uftp at any rate" : `uftp at ${rateMbps} Mbit/s`;
  }

  problem({ content }: Scenario): string | undefined {
    return content === "moved" ? "it cannot delete" : undefined;
  }

  async prepare(fleet: NamespaceFleet): Promise<void> {
    for (const host of receivers(fleet)) {
      const where: string[] = ["-I", "eth0", "-D", host.innerBase];
      this.servers.start(host, "uftpd", ["-d", "-q", "-t", "-B", SOCKET_BUFFER_BYTES, ...where]);
    }
    await this.servers.listen("udp", PORT);
  }

  async push(fleet: NamespaceFleet, scenario: Scenario): Promise<void> {
    const host = sender(fleet);
    // Not with -E BASE: uftp then sends the rest of a path with its first slash, and every receiver refuses
    // that as an absolute path, which ends the session with status 10.
    const paths: string[] = fs.readdirSync(host.base).map((name) => `${host.innerBase}/${name}`);
    const rate: string = this.rateMbps === undefined ? "-1" : String(this.rateMbps * 1000);
    const sync: string[] = scenario.content === "unchanged" ? ["-z"] : [];
    const tuned: string[] = ["-B", SOCKET_BUFFER_BYTES, "-b", BLOCK_BYTES, "-r", ROUND_TRIP_SECONDS];
    await succeed(host, "uftp", ["-I", "eth0", "-R", rate, ...tuned, ...sync, ...paths]);
  }

  end(): Promise<void> {
    this.servers.end();
    return Promise.resolve();
  }
}
