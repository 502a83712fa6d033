import type { SendRequest } from "../../src/console/protocol.ts";

/** A push of everything, without any option. */
export const PLAIN_PUSH: SendRequest = {
  command: "send",
  paths: [""],
  recursive: true,
  dryRun: false,
  allOrNothing: false,
  targets: [],
  excepts: [],
  group: "",
  excludes: [],
  detail: "none",
  progress: false,
  deletes: "nothing",
  syncs: false,
  isForced: false,
  comparesContents: false,
  isCheck: false,
  sendsAttributes: false,
};
