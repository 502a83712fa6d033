/** Whether pushes wait for the network, as the ones before them have shown. */

/** Each piece counts for this share of what is known: the last 16 decide. */
const SHARE_OF_ONE = 1 / 16;

/**
 * Whether the transfers of this thread wait for the network. It is remembered from one to the next, because a transfer does not
 * know it of itself at first: the network takes its first megabytes at once, whatever its speed.
 */
export class NetworkPace {
  /** Of the last pieces, how many waited. A network that is not known is taken for a slow one. */
  private waitingShare = 1;

  /** @param isWaiting whether blocks waited for the network when a piece was made */
  note(isWaiting: boolean): void {
    this.waitingShare += (Number(isWaiting) - this.waitingShare) * SHARE_OF_ONE;
  }

  get isSlow(): boolean {
    return this.waitingShare > 0.5;
  }
}
