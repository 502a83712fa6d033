import { ConsoleClient } from "../../src/console/client.ts";
import type { Event, SendRequest, SendResult } from "../../src/console/protocol.ts";
import type { Host } from "./host.ts";
import { PLAIN_PUSH } from "./plain-push.ts";

/** Pushes over the control socket of a daemon in a namespace, without a process of msync for each. */

/** Connects to a daemon that runs in the foreground; its socket is on a file system that only it sees. */
export function connectTo(host: Host): Promise<ConsoleClient> {
  return ConsoleClient.connect(`/proc/${host.pid}/root${host.socket}`);
}

/** Pushes paths below the base directory of a daemon, and returns its verdicts. */
export async function pushOver(
  client: ConsoleClient,
  paths: readonly string[],
  rules: Partial<SendRequest> = {},
  onEvent: (event: Event) => void = () => undefined,
): Promise<SendResult> {
  const result = await client.request({ ...PLAIN_PUSH, ...rules, paths }, onEvent);
  if (result.result !== "send") throw new Error(`no result of a push: ${JSON.stringify(result)}`);
  return result;
}
