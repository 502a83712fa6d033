/** The transfers whose areas a start has kept, until they have an end. */
import { sentenceOf } from "../../base/reason.ts";
import type { Kept } from "../../engine/catch-up/publication-log.ts";
import { inboundName, type TransferName, transferOfName } from "../../engine/types.ts";
import type { Publication } from "../../wire/publication.ts";
import type { StageAnswer } from "../disk/messages.ts";
import type { Log } from "../service/log.ts";

export class KeptTransfers {
  private readonly log: Log;
  private readonly names = new Set<string>();

  constructor(log: Log) {
    this.log = log;
  }

  /** @returns the same transfers as the engine names them */
  note(names: readonly string[]): TransferName[] {
    return names.map((name) => {
      this.names.add(name);
      this.log.info(
        `transfer ${name} was ready when this host stopped: others tell whether it was committed`,
      );
      return transferOfName(name);
    });
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  /**
   * The disk has committed a transfer, or could not.
   *
   * @returns what has taken effect, if it is one of these; undefined if it is another one, or has failed
   */
  take(
    { inbound, failure }: Pick<Extract<StageAnswer, { kind: "committed" }>, "inbound" | "failure">,
    all: readonly Kept[],
  ): Publication | undefined {
    const name = inboundName(inbound);
    if (!this.names.delete(name)) return undefined;
    if (failure === undefined)
      this.log.info(`transfer ${name} was committed by others, and now here, without being sent again`);
    else this.log.info(`transfer ${name} is asked for again: ${sentenceOf(failure)}`);
    return failure === undefined ? all.find((kept) => nameOf(kept) === name)?.publication : undefined;
  }
}

function nameOf({ publication: { epoch, number } }: Kept): string {
  return inboundName({ epoch, transfer: number });
}
