import path from "node:path";
import type { Host } from "../../support/host.ts";
import type { NamespaceFleet } from "../../support/namespaces.ts";
import { must } from "../../support/processes.ts";
import type { Scenario } from "../scenario.ts";
import { type Peer, receivers, sender, succeed } from "./peer.ts";

/** What is looked at of each file to find out whether it is the same. */
const STATS_FORMAT = "%s %T@ %m %U %G\n";

/**
 * What the hosts have to do in any case, whoever brings the files, and nothing else: tar writes them on all receivers at
 * the same time, out of memory and without a network; where they are there already, find looks at each on all hosts. Where
 * hosts share processors, nothing that brings files can be faster.
 */
export class FilesAlone implements Peer {
  readonly name: string;
  private archive = "";

  constructor(name: string) {
    this.name = name;
  }

  problem({ content, lossPercent, units }: Scenario): string | undefined {
    if (content === "moved") return "a rename takes no time";
    return lossPercent > 0 || units === "datagrams" ? "it uses no network" : undefined;
  }

  async prepare(fleet: NamespaceFleet): Promise<void> {
    this.archive = path.join(fleet.directory, "files.tar");
    await must("tar", ["-cf", this.archive, "-C", sender(fleet).base, "."]);
  }

  async push(fleet: NamespaceFleet, { content }: Scenario): Promise<void> {
    const hosts: Host[] = content === "unchanged" ? fleet.hosts.slice() : receivers(fleet);
    const [program, args]: [string, string[]] =
      content === "unchanged" ? ["find", ["-printf", STATS_FORMAT]] : ["tar", ["-xf", this.archive]];
    const command = `cd "$0" && exec "$@" > /dev/null`;
    await Promise.all(
      hosts.map((host) => succeed(host, "sh", ["-c", command, host.innerBase, program, ...args])),
    );
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}
