import type { StatusInfo } from "../../src/console/protocol.ts";

/** The state of a daemon with a different number for each count. */
export const STATUS: StatusInfo = {
  ...{ process: 1, version: "2.1.0", protocol: 3, host: "web0", labels: [], base: "/srv", user: 0, group: 0 },
  ...{ multicast: { address: "224.0.0.108", port: 5000 }, nodeId: "00", copy: "" },
  ...{ interface: { name: "eth0", address: "10.0.0.1", away: "", isJoined: true }, socket: "/run/socket" },
  ...{ isSealed: true, key: "aaaaaaaa", acceptedKeys: ["aaaaaaaa"], members: 3 },
  lost: [{ host: "web9", address: "10.0.0.9" }],
  problems: [
    { kind: "foreign-key", host: "", address: "10.0.0.7", count: 5, reason: "" },
    { kind: "foreign-key", host: "", address: "10.0.0.8", count: 5, reason: "" },
  ],
  ...{
    sending: 1,
    waiting: 2,
    parallel: 4,
    compression: "auto",
    receives: true,
    sends: true,
    ownerMatch: false,
    rateMbps: 0,
  },
  ...{ receiveBufferBytes: 16, receiveBufferAskedBytes: 8, receiveBufferPackets: 0 },
  ...{ sendBufferBytes: 32, sendBufferAskedBytes: 16, offload: true, excludes: [], deleteLimit: "" },
  ...{ preCommit: "", postCommit: "", history: "", catchUp: "", publications: null, logLevel: "info" },
  ...{ foreignPackets: 10, lastForeignSource: "10.0.0.8", outsidePackets: 11, replayedPackets: 12 },
  ...{ malformedPackets: 13, lastMalformedSource: "10.0.0.6", otherVersionPackets: 14 },
  ...{ unexaminedPackets: 15, spoiledBlocks: 16, sendErrors: 17, droppedPackets: 18 },
  ...{ memoryBytes: 1_000_000, uptimeSeconds: 60 },
};
