/** What the daemon does when another host has its node id, as a clone of a virtual machine has. */
import type { Member, NodeEvent } from "../../engine/types.ts";
import type { Log } from "./log.ts";
import { drawNodeId, type NodeIdentity } from "./node-identity.ts";
import type { Settings } from "../settings/settings.ts";

/** What the part is built with. */
export interface OwnCopiesParts {
  readonly settings: Settings;
  readonly identity: NodeIdentity;
  /** The directory that keeps the id of the node; undefined if nothing is kept. */
  readonly stateDirectory: string | undefined;
  readonly log: Log;
  /** Gives the node another id from now on. */
  readonly rename: (nodeId: string) => void;
}

/**
 * Answers the finding that a member is a copy of this host. One of the two draws a new node id and keeps it
 * (PROTOCOL.md 4.2). With one id for both, hosts with an older version would take each for a restart of the other.
 */
export class OwnCopies {
  private readonly parts: OwnCopiesParts;
  /** The node id of this host. */
  nodeId: string;
  /** The copy of this host that was found last, as an English phrase; empty if there was none. */
  found = "";

  constructor(parts: OwnCopiesParts) {
    this.parts = parts;
    this.nodeId = parts.identity.nodeId;
  }

  /** Something has happened to the node. */
  onEvent(event: NodeEvent): void {
    if (event.kind !== "own-copy") return;
    const { log } = this.parts;
    const other = nameOf(event.member);
    if (!event.drawsId) {
      this.found = `${other} was a copy of this host`;
      log.warn(`${other} is a copy of this host, with the same node id: it draws a new one`);
      return;
    }
    const { settings, stateDirectory, rename } = this.parts;
    this.nodeId = drawNodeId(settings, stateDirectory, log);
    this.found = `drawn again: ${other} is a copy of this host`;
    log.warn(`${other} is a copy of this host, with the same node id: this host has drawn a new one`);
    rename(this.nodeId);
  }
}

function nameOf({ info, address }: Member): string {
  return `${info.hostName} (${address.ip})`;
}
