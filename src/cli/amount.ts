/** Says how much a transfer was. */

/** The part of a result, or of an entry of the history, that has amounts. */
interface Amounts {
  readonly entries: number;
  readonly bytes: number;
  /** Not there for what was received, or from an older version. */
  readonly savedBytes?: number | undefined;
}

/** How much was sent, and how much of that did not have to cross the network. */
export function amountText({ entries, bytes, savedBytes = 0 }: Amounts): string {
  const amount = `${entries} entries, ${bytes} bytes`;
  return savedBytes > 0 ? `${amount} (${savedBytes} saved)` : amount;
}
