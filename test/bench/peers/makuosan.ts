import fs from "node:fs";
import path from "node:path";
import { DIST, type Host } from "../../support/host.ts";
import type { NamespaceFleet } from "../../support/namespaces.ts";
import { eventually, must } from "../../support/processes.ts";
import { clear } from "../contents.ts";
import { fillWithEarlier } from "../measurement.ts";
import type { Scenario } from "../scenario.ts";
import { LONGEST_PUSH_MS, type Peer, receivers, sender, succeed } from "./peer.ts";

export interface Variant {
  readonly key: boolean;
  /** Pushes of the same files before the one that is measured; none where that is to be the first one of all. */
  readonly warmUps?: number;
  readonly daemonArguments?: readonly string[];
  /** Options of each push. */
  readonly options?: readonly string[];
  readonly environment?: Record<string, string>;
}

/** This program, in one of the ways in which it can be started. */
export class Makuosan implements Peer {
  readonly name: string;
  private readonly variant: Variant;
  private readonly longestPushMs: number;

  constructor(name: string, variant: Variant, longestPushMs: number = LONGEST_PUSH_MS) {
    this.name = name;
    this.variant = variant;
    this.longestPushMs = longestPushMs;
  }

  problem(): undefined {
    return undefined;
  }

  async prepare(fleet: NamespaceFleet, scenario?: Scenario): Promise<void> {
    const args: string[] = [...(this.variant.daemonArguments ?? [])];
    if (this.variant.key) args.push("-k", await keyFile(fleet));
    await Promise.all(
      fleet.hosts.map((host: Host) => {
        host.environment = this.variant.environment ?? {};
        return host.start(...args);
      }),
    );
    await eventually("all members are there", async () => {
      const { stdout } = await sender(fleet).msync("--members");
      return stdout.includes(`Total: ${fleet.hosts.length - 1} members`);
    });
    for (let times = 0; times < (this.variant.warmUps ?? 0); times++) {
      if (scenario !== undefined) fillWithEarlier(fleet, scenario);
      await this.push(fleet);
      if (scenario?.content === "unchanged") continue;
      for (const host of receivers(fleet)) await clear(host.base);
    }
  }

  async push(fleet: NamespaceFleet, scenario?: Scenario): Promise<void> {
    await this.pushPaths(fleet, scenario?.content === "moved" ? ["--delete", "--force-delete"] : []);
  }

  /** Pushes some paths only, or with other options. */
  async pushPaths(fleet: NamespaceFleet, paths: readonly string[]): Promise<void> {
    const host: Host = sender(fleet);
    const args: string[] = ["-c", `unix:${host.socket}`, "-r", ...(this.variant.options ?? []), ...paths];
    await succeed(host, path.join(DIST, "msync"), args, this.longestPushMs);
  }

  processes(fleet: NamespaceFleet): [number, number] {
    return [sender(fleet).pid, receivers(fleet)[0]?.pid ?? 0];
  }

  async end(fleet: NamespaceFleet): Promise<void> {
    await Promise.all(fleet.hosts.map((host: Host) => host.stop("SIGKILL")));
  }
}

async function keyFile(fleet: NamespaceFleet): Promise<string> {
  const file: string = path.join(fleet.directory, "key");
  if (!fs.existsSync(file)) await must(path.join(DIST, "msync"), ["--keygen", file]);
  return file;
}
