import type { NamespaceFleet } from "../support/namespaces.ts";
import { type Cost, fillSender, measure, type Outcome, withFleet } from "./measurement.ts";
import type { Contender, Peer } from "./peers/peer.ts";
import type { Scenario } from "./scenario.ts";
import { median } from "./statistics.ts";

/** What one contender showed in one scenario. */
export interface Figure {
  readonly contender: string;
  /** The way of calling it that was its best. */
  readonly best: string;
  /** One for each round in which it came to a good end. */
  readonly costs: readonly Cost[];
  /** Why a round has no time; the last one. */
  readonly problem?: string;
}

interface Record {
  readonly peer: Peer;
  readonly costs: Cost[];
  problem?: string;
}

/**
 * Measures a scenario: in each round every contender once, one after the other, so that what changes on the machine
 * meanwhile meets all of them. In the first round each tries all its ways; the fastest goes on.
 */
export async function measureScenario(
  scenario: Scenario,
  contenders: readonly Contender[],
  rounds: number,
): Promise<Figure[]> {
  return withFleet(scenario, async (fleet) => {
    if (contenders.length > 0) fillSender(fleet, scenario);
    const records: Record[][] = contenders.map(({ candidates }) =>
      candidates.map((peer) => ({ peer, costs: [] })),
    );
    for (let round = 0; round < rounds; round++) {
      for (const candidates of records) {
        for (const record of round === 0 ? candidates : [bestOf(candidates)]) {
          await measureOnce(fleet, record, scenario);
        }
      }
    }
    return contenders.map(({ name }, index) => figure(name, bestOf(records[index] ?? [])));
  });
}

async function measureOnce(fleet: NamespaceFleet, record: Record, scenario: Scenario): Promise<void> {
  const outcome: Outcome = await measure(fleet, record.peer, scenario);
  const said: string = "ms" in outcome ? `${(outcome.ms / 1000).toFixed(2)} s` : outcome.problem;
  process.stderr.write(`    ${record.peer.name}: ${said}\n`);
  if ("ms" in outcome) record.costs.push(outcome);
  else record.problem = outcome.problem;
}

function bestOf(candidates: readonly Record[]): Record {
  const [first] = candidates.toSorted((a, b) => timeOf(a) - timeOf(b));
  if (first === undefined) throw new Error("a contender has no way of calling it");
  return first;
}

function timeOf({ costs }: Record): number {
  return costs.length === 0 ? Number.MAX_VALUE : medianMs(costs);
}

function figure(contender: string, { peer, costs, problem }: Record): Figure {
  return { contender, best: peer.name, costs, ...(problem === undefined ? {} : { problem }) };
}

/** The median time; NaN where there is none. */
export function medianMs(costs: readonly Cost[]): number {
  return median(costs.map(({ ms }) => ms));
}
