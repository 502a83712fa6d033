/** Connects the node again when its interface changes. */
import { type ChosenInterface, chooseInterface } from "../../net/interfaces.ts";
import type { Transport } from "../../net/transports/transport.ts";
import type { Log } from "./log.ts";

/** Between two looks: a cable that is plugged in again is noticed soon, and a look costs under a millisecond. */
const LOOK_MS = 2_000;

/**
 * Looks whether the interface still has the address that the transport was opened with. If the address has changed, or the
 * interface was away and is back, the transport joins again.
 */
export class InterfaceWatch {
  private readonly wanted: string;
  private readonly transport: Transport;
  private readonly log: Log;
  private readonly onMoved: () => void;
  private timer: NodeJS.Timeout | undefined;
  private current: ChosenInterface;
  private isAway = false;
  private looking: Promise<void> | undefined;

  /**
   * @param wanted the name or address from the settings. If there is none, the interface that was chosen at the start is
   *   kept, and no other takes its place.
   * @param chosen the interface that the transport was opened with
   * @param onMoved called when the node has to introduce itself again
   */
  constructor(
    wanted: string | undefined,
    chosen: ChosenInterface,
    transport: Transport,
    log: Log,
    onMoved: () => void,
  ) {
    this.wanted = wanted ?? chosen.name;
    this.current = chosen;
    this.transport = transport;
    this.log = log;
    this.onMoved = onMoved;
  }

  /** The interface that is used now. */
  get present(): ChosenInterface {
    return this.current;
  }

  /** Looks every few seconds from now on. */
  start(): void {
    this.timer = setInterval(() => {
      this.looking ??= this.look().finally(() => (this.looking = undefined));
    }, LOOK_MS).unref();
  }

  /** Ends the looks. Resolves when none is under way: the transport may be closed then. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async look(): Promise<void> {
    try {
      const now = chooseInterface(this.wanted);
      const { current } = this;
      if (!this.isAway && now.ip === current.ip && now.name === current.name) return;
      await this.transport.rejoin(now.ip);
      this.log.info(`joined the group again, on ${now.name} (${now.ip})`);
      this.current = now;
      this.isAway = false;
      this.onMoved();
    } catch (error) {
      // Nothing in a look ends the daemon: the next look may succeed.
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.isAway) this.log.warn(`the interface is away: ${reason}`);
      this.isAway = true;
    }
  }
}
