import path from "node:path";
import type { Host } from "../../support/host.ts";
import type { NamespaceFleet } from "../../support/namespaces.ts";
import { eventually, must } from "../../support/processes.ts";
import { DIST } from "../../support/host.ts";
import fs from "node:fs";
import { LONGEST_PUSH_MS, type Peer, sender } from "./peer.ts";

export interface Variant {
  readonly key: boolean;
  readonly daemonArguments?: readonly string[];
  readonly environment?: Record<string, string>;
}

/** This program, in one of the ways in which it can be started. */
export class Makuosan implements Peer {
  readonly name: string;
  private readonly variant: Variant;

  constructor(name: string, variant: Variant) {
    this.name = name;
    this.variant = variant;
  }

  problem(): undefined {
    return undefined;
  }

  async prepare(fleet: NamespaceFleet): Promise<void> {
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
  }

  async push(fleet: NamespaceFleet): Promise<void> {
    const limited: string[] = [String(LONGEST_PUSH_MS / 1000), path.join(DIST, "msync"), "-r"];
    const { status, stderr, stdout } = await sender(fleet).run("timeout", limited, {
      timeoutMs: LONGEST_PUSH_MS + 5_000,
    });
    if (status !== 0) throw new Error(`msync ended with ${status}: ${stderr}${stdout}`.trim());
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
