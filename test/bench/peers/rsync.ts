import fs from "node:fs";
import path from "node:path";
import type { NamespaceFleet } from "../../support/namespaces.ts";
import type { Scenario } from "../scenario.ts";
import { type Peer, receivers, sender, succeed } from "./peer.ts";
import { Servers } from "./servers.ts";

/** A daemon on each receiver, and one client for each of them, all at the same time. */
export class Rsync implements Peer {
  readonly name: string;
  private readonly options: readonly string[];
  private readonly servers: Servers = new Servers();

  /** @param options how it sends; by default whole files as they are */
  constructor(name = "rsync in parallel", options: readonly string[] = ["-aW"]) {
    this.name = name;
    this.options = options;
  }

  problem(): undefined {
    return undefined;
  }

  async prepare(fleet: NamespaceFleet): Promise<void> {
    const file: string = path.join(fleet.directory, "rsyncd.conf");
    const settings: string[] = ["read only = no", "uid = root", "gid = root", "use chroot = no"];
    fs.writeFileSync(
      file,
      ["pid file = /run/rsyncd.pid", "[base]", "path = /var/www", ...settings, ""].join("\n"),
    );
    for (const host of receivers(fleet)) {
      fs.rmSync(path.join(fleet.directory, "rsyncd.pid"), { force: true });
      await host.run("rm", ["-f", "/run/rsyncd.pid"]);
      this.servers.start(host, "rsync", ["--daemon", "--no-detach", `--config=${file}`]);
    }
    await this.servers.listen("tcp", 873);
  }

  async push(fleet: NamespaceFleet, { content }: Scenario): Promise<void> {
    const from: string = `${sender(fleet).innerBase}/`;
    const deletes: string[] = content === "moved" ? ["--delete"] : [];
    await Promise.all(
      receivers(fleet).map((host) =>
        succeed(sender(fleet), "rsync", [...this.options, ...deletes, from, `rsync://${host.ip}/base/`]),
      ),
    );
  }

  end(): Promise<void> {
    this.servers.end();
    return Promise.resolve();
  }
}
