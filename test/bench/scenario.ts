/** What is measured: which files, over which network. */

/**
 * One file of 256 MiB of random bytes, or of source text; 5,000 small files; the same 5,000 where they are already; the same
 * where they are by the name that their directory had before, which is to be deleted; a file of 1 GiB where another version of it
 * is, of which 1 % has changed in 100 places; the same where a file of its name is that has nothing in common with it.
 */
export type Content = "big" | "text" | "tree" | "unchanged" | "moved" | "edited" | "unlike";

/**
 * What is on the links, and so what gets lost: whole trains of datagrams, as senders hand them to the kernel and
 * virtual links pass them on, or single datagrams and segments, as on a real cable.
 */
export type Units = "trains" | "datagrams";

export interface Scenario {
  readonly content: Content;
  readonly receivers: number;
  /** Speed of every host's link; undefined for as fast as the machine is. */
  readonly speedMbps: number | undefined;
  readonly units: Units;
  /** How many of these units get lost of all that arrive at a receiver. */
  readonly lossPercent: number;
}

/** A scenario without its content: the hosts and their links. */
export type Network = Omit<Scenario, "content">;

export interface ScenarioChoice {
  readonly contents: readonly Content[];
  readonly receivers: readonly number[];
  readonly speedsMbps: readonly (number | undefined)[];
  readonly lossPercents: readonly number[];
  readonly units: readonly Units[];
  /** Small files over links without a limit only; for short runs. */
  readonly smallUnlimitedOnly: boolean;
  /** Only those from which something follows: for the whole table, where nobody has chosen. */
  readonly tellingOnly: boolean;
}

/** Whether a content tells more with many receivers than with few; of the others, one number of them is enough. */
const WITH_MANY_RECEIVERS: readonly Content[] = ["big", "tree", "unchanged"];
/** Over a slow link it only tells something how much is sent, or that nothing is. */
const OVER_SLOW_LINKS: readonly Content[] = ["text", "moved", "unchanged"];
const SLOW_MBPS = 100;

/** All that the choice spans; loss and single datagrams only with the big file and the fewest receivers. */
export function scenarios(choice: ScenarioChoice): Scenario[] {
  const fewest: number = Math.min(...choice.receivers);
  return allScenarios(choice).filter((scenario) => {
    const { content, speedMbps } = scenario;
    if (choice.smallUnlimitedOnly && content !== "big" && speedMbps !== undefined) return false;
    return !choice.tellingOnly || isTelling(scenario, fewest);
  });
}

function isTelling({ content, receivers, speedMbps }: Scenario, fewest: number): boolean {
  if (receivers > fewest && !WITH_MANY_RECEIVERS.includes(content)) return false;
  return speedMbps !== SLOW_MBPS || (receivers === fewest && OVER_SLOW_LINKS.includes(content));
}

function allScenarios(choice: ScenarioChoice): Scenario[] {
  const fewest: number = Math.min(...choice.receivers);
  return choice.speedsMbps.flatMap((speedMbps) =>
    choice.contents.flatMap((content) =>
      choice.receivers.flatMap((receivers) => {
        const isForLoss: boolean = content === "big" && receivers === fewest;
        const units: readonly Units[] = isForLoss ? choice.units : ["trains"];
        const losses: readonly number[] = isForLoss ? choice.lossPercents : [0];
        return units.flatMap((unit) =>
          losses.map((lossPercent) => ({ content, receivers, speedMbps, units: unit, lossPercent })),
        );
      }),
    ),
  );
}

/** The same text for the same scenario; results are kept under it. */
export function title({ content, receivers, speedMbps, units, lossPercent }: Scenario): string {
  const parts: string[] = [content, `${receivers} receivers`, speedText(speedMbps)];
  if (units === "datagrams") parts.push("single datagrams");
  if (lossPercent > 0) parts.push(`${lossPercent} % lost`);
  return parts.join(", ");
}

export function speedText(speedMbps: number | undefined): string {
  if (speedMbps === undefined) return "unlimited";
  return speedMbps % 1000 === 0 ? `${speedMbps / 1000} Gbit/s` : `${speedMbps} Mbit/s`;
}
