import type { NodeInfo } from "../../src/wire/membership-messages.ts";

/** What a node of today says of itself. */
export const nodeInfo = (hostName: string, more: Partial<NodeInfo> = {}): NodeInfo => ({
  hostName,
  version: "2.0.0",
  protocol: 3,
  receives: true,
  sends: true,
  labels: [],
  ...more,
});
