/** Makes the engine of this node from its settings. */
import { randomBytes } from "node:crypto";
import type { Random } from "../base/random.ts";
import { NodeEngine } from "../engine/node.ts";
import type { EngineOptions } from "../engine/types.ts";
import type { Transport } from "../net/transports/transport.ts";
import { DATAGRAM_BYTES, PROTOCOL_VERSION, WINDOW_BLOCKS } from "../wire/limits.ts";
import type { NodeInfo } from "../wire/membership-messages.ts";
import type { NodeIdentity } from "./service/node-identity.ts";
import type { Settings } from "./settings/settings.ts";
import { VERSION } from "./settings/version.ts";

/** The kernel counts its own bookkeeping against the socket buffer, nearly as much again as a datagram. */
export const BUFFER_BYTES_PER_FRAGMENT = 2 * DATAGRAM_BYTES;

/** Headers that a datagram has on the wire: Ethernet, IP and UDP. */
const WIRE_HEADER_BYTES = 14 + 20 + 8;

/**
 * Makes the engine.
 *
 * @param transport its receive buffer bounds how far senders run ahead of this node; the node sends from its address
 * @param keys the fingerprints of the keys that this node accepts
 */
export function makeEngine(
  settings: Settings,
  identity: NodeIdentity,
  transport: Pick<Transport, "receiveBufferBytes" | "ownAddress" | "datagramBytes">,
  keys: NodeInfo["keys"],
): NodeEngine {
  const { hostName, receives, sends, labels } = settings;
  const { datagramBytes } = transport;
  const names = { hostName, version: VERSION, protocol: PROTOCOL_VERSION };
  const info = { ...names, receives, sends, labels, datagramBytes, keys };
  const { nodeId, epoch } = identity;
  const self = { nodeId, epoch, address: transport.ownAddress };
  return new NodeEngine(self, info, engineOptions(settings, transport), systemRandom());
}

function engineOptions(
  { rateMbps }: Settings,
  { receiveBufferBytes }: Pick<Transport, "receiveBufferBytes">,
): EngineOptions {
  return {
    windowBlocks: WINDOW_BLOCKS,
    socketFragments: Math.max(1, Math.floor(receiveBufferBytes / BUFFER_BYTES_PER_FRAGMENT)),
    fragmentsPerSecond: fragmentsPerSecond(rateMbps),
  };
}

/** A rate of the settings, in megabits a second on the wire, as a rate of fragments. */
export function fragmentsPerSecond(rateMbps: number): number {
  return (rateMbps * 1_000_000) / 8 / (DATAGRAM_BYTES + WIRE_HEADER_BYTES);
}

function systemRandom(): Random {
  return { u32: () => randomBytes(4).readUInt32LE() };
}
