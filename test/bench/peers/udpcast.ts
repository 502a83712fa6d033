import { spawnSync } from "node:child_process";
import fs from "node:fs";
import type { NamespaceFleet } from "../../support/namespaces.ts";
import type { Host } from "../../support/host.ts";
import type { Scenario } from "../scenario.ts";
import { type Peer, receivers, sender, succeed } from "./peer.ts";
import { Servers } from "./servers.ts";

const PORT = 9000;

/** Sends one stream to receivers that were started for it: a file, or a tree packed by tar. */
export class Udpcast implements Peer {
  readonly name: string;
  private readonly servers: Servers = new Servers();
  private readonly rateMbps: number | undefined;
  private readonly isCompressed: boolean;

  /**
   * @param rateMbps the most that it sends; undefined for as fast as the interface takes it
   * @param isCompressed whether zstd packs the stream before it and unpacks it behind it
   */
  constructor(rateMbps: number | undefined, isCompressed = false) {
    this.rateMbps = rateMbps;
    this.isCompressed = isCompressed;
    const program: string = isCompressed ? "zstd | udpcast" : "udpcast";
    this.name = rateMbps === undefined ? `${program} at any rate` : `${program} at ${rateMbps} Mbit/s`;
  }

  problem(scenario: Scenario): string | undefined {
    const { content } = scenario;
    if (this.isCompressed && spawnSync("zstd", ["--version"]).error !== undefined)
      return "zstd is not installed";
    return content === "unchanged" || content === "moved" ? "it always sends everything" : undefined;
  }

  async prepare(fleet: NamespaceFleet, scenario: Scenario): Promise<void> {
    for (const host of receivers(fleet)) {
      const receive: string = "udp-receiver --nokbd --interface eth0 --exit-wait 50";
      const script: string = this.isAlone(scenario)
        ? `${receive} --file ${host.innerBase}/${onlyName(sender(fleet))}`
        : `${receive} |${this.isCompressed ? " zstd -dcq |" : ""} tar -xf - -C ${host.innerBase}`;
      this.servers.start(host, "sh", ["-c", script]);
    }
    await this.servers.listen("udp", PORT);
  }

  async push(fleet: NamespaceFleet, scenario: Scenario): Promise<void> {
    const host: Host = sender(fleet);
    const count: number = receivers(fleet).length;
    const limit: string = this.rateMbps === undefined ? "" : ` --max-bitrate ${this.rateMbps}m`;
    const start: string = `--nokbd --no-progress --min-receivers ${count} --min-wait 0`;
    const send: string = `udp-sender --interface eth0 --full-duplex ${start}${limit}`;
    const script: string = this.isAlone(scenario)
      ? `${send} --file ${host.innerBase}/${onlyName(host)}`
      : `tar -cf - -C ${host.innerBase} . |${this.isCompressed ? " zstd -cq |" : ""} ${send}`;
    await succeed(host, "sh", ["-c", script]);
    // What a receiver has acknowledged it may not have written yet.
    await this.servers.ended();
  }

  /** Whether the one file goes as it is; tar packs everything else. */
  private isAlone({ content }: Scenario): boolean {
    return content === "big" && !this.isCompressed;
  }

  async end(): Promise<void> {
    this.servers.end();
    return Promise.resolve();
  }
}

function onlyName(host: Host): string {
  const [name] = fs.readdirSync(host.base);
  if (name === undefined) throw new Error("there is nothing to send");
  return name;
}
