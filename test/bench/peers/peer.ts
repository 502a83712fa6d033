import path from "node:path";
import type { Finished } from "../../support/processes.ts";
import type { Host } from "../../support/host.ts";
import type { NamespaceFleet } from "../../support/namespaces.ts";
import type { Scenario } from "../scenario.ts";

/** A way to bring what lies below the first host's base directory to all others. */
export interface Peer {
  readonly name: string;
  /** Why it cannot take part in this scenario; undefined where it can. */
  problem(scenario: Scenario): string | undefined;
  /** Starts what has to run on the hosts beforehand. */
  prepare(fleet: NamespaceFleet, scenario: Scenario): Promise<void>;
  /** Brings all over; the time of this is measured. */
  push(fleet: NamespaceFleet, scenario: Scenario): Promise<void>;
  /** The process at the sender and one at a receiver whose CPU time is of interest, while both run. */
  processes?(fleet: NamespaceFleet): [number, number];
  /** Ends what prepare has started. */
  end(fleet: NamespaceFleet): Promise<void>;
}

/** A line of the table: one program, in the ways of calling it among which its best is taken. */
export interface Contender {
  readonly name: string;
  readonly candidates: readonly Peer[];
}

/** No push may take longer; what does counts as failed. */
export const LONGEST_PUSH_MS = 120_000;

export function sender(fleet: NamespaceFleet): Host {
  const [first] = fleet.hosts;
  if (first === undefined) throw new Error("the fleet has no host");
  return first;
}

export function receivers(fleet: NamespaceFleet): Host[] {
  return fleet.hosts.slice(1);
}

/** Runs a program on a host to its good end. */
export async function succeed(
  host: Host,
  program: string,
  args: readonly string[],
  timeoutMs: number = LONGEST_PUSH_MS,
): Promise<void> {
  const beganMs: number = performance.now();
  const { status, stdout, stderr }: Finished = await host.run(program, args, { timeoutMs });
  if (status === 0) return;
  if (performance.now() - beganMs >= timeoutMs) throw new Error(`longer than ${timeoutMs / 1000} s`);
  const said: string = `${stderr}${stdout}`.trim().split("\n").at(-1) ?? "";
  throw new Error(`${path.basename(program)} ended with ${status}: ${said}`);
}
