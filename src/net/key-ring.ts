/** The keys that a node accepts, and those that it has given up but still needs. */
import { FleetKey } from "./sealing.ts";

/**
 * How long a key that was taken away still serves after the last transfer that began with it: a sender that has missed the last
 * word asks again, for as long as it counts the other as a member (PROTOCOL.md 4).
 */
const AFTER_LAST_TRANSFER_MS = 60_000;

/**
 * The keys of a node. The first one seals, all of them open. The keys can be replaced while the node is at work; a key that
 * a transfer began with goes on opening messages until that transfer is over.
 */
export class KeyRing {
  private accepted: readonly FleetKey[];
  /** When each key that was taken away is given up. */
  private readonly retired = new Map<FleetKey, number>();
  /** All keys that open messages; one list until the keys change, because each packet looks at it. */
  private openingNow: readonly FleetKey[];

  /** @param keys at least one */
  constructor(keys: readonly FleetKey[]) {
    this.accepted = keys;
    this.openingNow = keys;
  }

  /** The keys of a fleet; the one that everybody knows if there is none. */
  static of(secrets: readonly Buffer[]): KeyRing {
    return new KeyRing(
      secrets.length === 0 ? [new FleetKey(undefined)] : secrets.map((secret) => new FleetKey(secret)),
    );
  }

  get isSecret(): boolean {
    return this.sealing.isSecret;
  }

  /** The key of everything that begins now. */
  get sealing(): FleetKey {
    return this.accepted[0] as FleetKey;
  }

  /** The keys that may open a message: see isRetired() for what it may say. */
  get opening(): readonly FleetKey[] {
    return this.openingNow;
  }

  /** What node info says of the keys; undefined without a secret key. */
  get fingerprints(): readonly string[] | undefined {
    return this.isSecret ? this.accepted.map(({ fingerprint }) => fingerprint) : undefined;
  }

  /** Whether a key was taken away, and opens only messages about the transfers that began with it. */
  isRetired(key: FleetKey): boolean {
    return this.retired.has(key);
  }

  /**
   * The keys of these secrets. A key that is there already is the same object.
   *
   * @param secrets at least one, the one that seals first
   */
  keysOf(secrets: readonly Buffer[]): readonly FleetKey[] {
    return secrets.map(
      (secret) => this.openingNow.find((key) => key.hasSecret(secret)) ?? new FleetKey(secret),
    );
  }

  /**
   * Replaces the keys.
   *
   * @param keys of keysOf()
   * @param isInUse whether a transfer goes on that began with a key
   */
  replace(keys: readonly FleetKey[], isInUse: (key: FleetKey) => boolean, nowMs: number): void {
    for (const key of this.accepted) {
      if (!keys.includes(key) && isInUse(key)) this.retired.set(key, nowMs + AFTER_LAST_TRANSFER_MS);
    }
    for (const key of keys) this.retired.delete(key);
    this.accepted = keys;
    this.openingNow = [...keys, ...this.retired.keys()];
  }

  /**
   * Gives up the retired keys that no transfer has needed for a while.
   *
   * @returns whether any are left
   */
  dropRetired(isInUse: (key: FleetKey) => boolean, nowMs: number): boolean {
    for (const [key, untilMs] of this.retired) {
      if (isInUse(key)) this.retired.set(key, nowMs + AFTER_LAST_TRANSFER_MS);
      else if (nowMs >= untilMs) this.retired.delete(key);
    }
    this.openingNow = [...this.accepted, ...this.retired.keys()];
    return this.retired.size > 0;
  }
}
