/** The nodes that are asked for an answer, each with its nonce and the tries that are left. */
import { hexOf } from "../../base/hex.ts";
import { fraction, randomBytes, type Random } from "../../base/random.ts";
import { CANDIDATES } from "../../wire/limits.ts";
import type { NodeInfo } from "../../wire/membership-messages.ts";
import type { Address } from "../types.ts";
import * as times from "./times.ts";

/** The version that brought the handshake with addresses. */
const ROUTED_PROTOCOL = 3;

/** Whether a node knows the handshake with addresses. */
export function isRouted({ protocol }: NodeInfo): boolean {
  return protocol >= ROUTED_PROTOCOL;
}

/** A node that was heard and has not answered a challenge yet, or a member that is asked whether it is still alive. */
export interface Candidate {
  readonly nodeId: string;
  readonly epoch: string;
  address: Address;
  info: NodeInfo;
  readonly nonce: string;
  /** A member: its HELLO and ALIVE do not arrive. */
  readonly isMissed: boolean;
  /**
   * It is a member whose node id another node has as well, and without an answer counts as restarted; or it was lost with the
   * interface of this node, and nobody misses it.
   */
  isDoubtful: boolean;
  triesLeft: number;
  nextTryMs: number;
}

/** Draws the nonces, and the times of the first challenges, from one source of random numbers. */
export class Candidates {
  private readonly random: Random;
  private readonly byEpoch = new Map<string, Candidate>();

  constructor(random: Random) {
    this.random = random;
  }

  /** Whether no more nodes are asked for now. */
  get isFull(): boolean {
    return this.byEpoch.size >= CANDIDATES;
  }

  get size(): number {
    return this.byEpoch.size;
  }

  get all(): Iterable<Candidate> {
    return this.byEpoch.values();
  }

  of(epoch: string): Candidate | undefined {
    return this.byEpoch.get(epoch);
  }

  forget(epoch: string): void {
    this.byEpoch.delete(epoch);
  }

  clear(): void {
    this.byEpoch.clear();
  }

  /**
   * Begins to ask a node.
   *
   * @param nodes how many nodes ask it, or are asked, in the same moment: the more there are, the later the first challenge
   */
  ask(
    about: Pick<Candidate, "nodeId" | "epoch" | "address" | "info" | "isMissed" | "isDoubtful">,
    nodes: number,
    nowMs: number,
  ): Candidate {
    const { nodeId, epoch, address, info, isMissed, isDoubtful } = about;
    const nonce = hexOf(randomBytes(this.random, 16));
    const spreadMs = times.CHALLENGE_DELAY_MS + times.CHALLENGE_DELAY_PER_MEMBER_MS * nodes;
    const nextTryMs = nowMs + fraction(this.random) * spreadMs;
    const tries = { nonce, triesLeft: times.CHALLENGE_TRIES, nextTryMs };
    const candidate = { nodeId, epoch, address, info, isMissed, isDoubtful, ...tries };
    this.byEpoch.set(epoch, candidate);
    return candidate;
  }

  nextDeadlineMs(): number {
    let earliest = Infinity;
    for (const { nextTryMs } of this.byEpoch.values()) earliest = Math.min(earliest, nextTryMs);
    return earliest;
  }
}
