/** Connects the node again when its interface changes. */
import { type ChosenInterface, chooseInterface, preferredInterface } from "../../net/interfaces.ts";
import type { Transport } from "../../net/transports/transport.ts";
import type { Log } from "./log.ts";

/** Between two looks: a cable that is plugged in again is noticed soon, and a look costs under a millisecond. */
const LOOK_MS = 2_000;

/**
 * Looks in a row that find no interface before the members count as lost: one may fall into the second that a switch or
 * a driver takes, and transfers outlast that.
 */
const LOOKS_UNTIL_LOST = 2;

/** How the node stands to its interface, for people. */
export interface InterfaceState {
  /** The interface that is used, or was used last. */
  readonly chosen: ChosenInterface;
  /** Why it cannot be used now; undefined if it can. */
  readonly away: string | undefined;
}

/** The rest of the node, as far as the watch asks it and tells it. */
export interface WatchedNode {
  /** Whether other nodes answer on the interface that is used. */
  readonly hasMembers: () => boolean;
  /** Whether no transfer runs. */
  readonly isIdle: () => boolean;
  /** The node has to introduce itself again. */
  readonly onMoved: () => void;
  /** The interface takes packets of another length than before: its longest datagram. */
  readonly onLength: (datagramBytes: number) => void;
  /** The interface is gone for some time, and with it all members. */
  readonly onLost: () => void;
}

/**
 * Looks whether the interface still has the address that the transport was opened with, and the membership of the group. If
 * something has changed, the transport joins again.
 *
 * If the settings name no interface, it also looks for a better one than the present: at boot, another network may have
 * been up first. The node changes to it if nobody answers on the present one, or if that was a guess and the kernel has a
 * route to the group now.
 */
export class InterfaceWatch {
  private readonly wanted: string | undefined;
  private readonly transport: Transport;
  private readonly log: Log;
  private readonly node: WatchedNode;
  private timer: NodeJS.Timeout | undefined;
  private current: ChosenInterface;
  private isGuess: boolean;
  private away: string | undefined;
  private looksAway = 0;
  private longestBytes: number;
  private looking: Promise<void> | undefined;

  /**
   * @param wanted the interface as the settings name it
   * @param chosen the interface that the transport was opened with
   */
  constructor(
    wanted: string | undefined,
    chosen: ChosenInterface,
    transport: Transport,
    log: Log,
    node: WatchedNode,
  ) {
    this.wanted = wanted;
    this.current = chosen;
    this.transport = transport;
    this.log = log;
    this.node = node;
    this.isGuess = wanted === undefined && !this.isRouted(chosen);
    this.longestBytes = transport.datagramBytes;
  }

  /** The longest datagram that goes over the interface in one packet, as it was at the last look. */
  get datagramBytes(): number {
    return this.longestBytes;
  }

  get state(): InterfaceState {
    return { chosen: this.current, away: this.away };
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
      const now = this.find();
      const change = this.changeTo(now);
      if (change === undefined) {
        this.noteLength();
        return;
      }
      await this.transport.rejoin(now.ip);
      this.log.info(`joined the group again, on ${now.name} (${now.ip})${change}`);
      this.current = { name: now.name, ip: now.ip };
      this.isGuess = this.wanted === undefined && !this.isRouted(now);
      this.away = undefined;
      this.looksAway = 0;
      this.noteLength();
      this.node.onMoved();
    } catch (error) {
      // Nothing in a look ends the daemon: the next look may succeed.
      this.noteAway(error instanceof Error ? error.message : String(error));
    }
  }

  private noteLength(): void {
    const { datagramBytes } = this.transport;
    if (datagramBytes === this.longestBytes) return;
    this.longestBytes = datagramBytes;
    this.log.info(`the interface ${this.current.name} takes datagrams of up to ${datagramBytes} bytes now`);
    this.node.onLength(datagramBytes);
  }

  /** The interface that is to be used from now on. */
  private find(): ChosenInterface {
    const { group } = this.transport;
    if (this.wanted !== undefined) return chooseInterface(this.wanted, group.ip);
    const best = preferredOrNone(group.ip);
    const present = presentOf(this.current.name, group.ip);
    if (present instanceof Error) {
      // Not any other interface: a guess could be a network that nobody meant.
      if (best?.isRouted === true) return best;
      throw present;
    }
    return best !== undefined && best.name !== present.name && this.mayMove(best.isRouted) ? best : present;
  }

  private mayMove(isRouted: boolean): boolean {
    return this.node.isIdle() && (!this.node.hasMembers() || (this.isGuess && isRouted));
  }

  /** Why the transport has to join again, as the end of a sentence; undefined if all is as it was. */
  private changeTo(now: ChosenInterface): string | undefined {
    const { current, transport } = this;
    if (now.name !== current.name) return `, instead of ${current.name}`;
    if (this.away !== undefined || now.ip !== current.ip) return "";
    return transport.isJoined ? undefined : ": the interface was made again, or had lost the group";
  }

  private noteAway(reason: string): void {
    if (reason !== this.away) this.log.warn(`the interface is away: ${reason}`);
    this.away = reason;
    if (++this.looksAway === LOOKS_UNTIL_LOST) this.node.onLost();
  }

  private isRouted({ name }: ChosenInterface): boolean {
    const best = preferredOrNone(this.transport.group.ip);
    return best?.isRouted === true && best.name === name;
  }
}

function preferredOrNone(group: string): ReturnType<typeof preferredInterface> | undefined {
  try {
    return preferredInterface(group);
  } catch {
    return undefined;
  }
}

function presentOf(name: string, group: string): ChosenInterface | Error {
  try {
    return chooseInterface(name, group);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
