/** Takes over the keys of a key file that is read again. */
import type { KeyRing } from "../../net/key-ring.ts";
import type { ControlOpener } from "../../net/sealing.ts";
import type { Driver } from "../pump/driver.ts";
import type { TransferKeys } from "../pump/transfer-keys.ts";
import type { KeyReader } from "../service/key-reader.ts";
import type { Log } from "../service/log.ts";

/** Between two looks whether keys that were taken away are still needed. */
const LOOK_MS = 5_000;

/** What a change of the keys concerns. */
export interface KeyChangeParts {
  readonly ring: KeyRing;
  readonly transferKeys: TransferKeys;
  readonly opener: Pick<ControlOpener, "forgetOldKeys">;
  readonly driver: Pick<Driver, "tellKeys" | "reintroduce" | "nowMs">;
  /** Undefined for a fleet without a key. */
  readonly reader: KeyReader | undefined;
  readonly log: Pick<Log, "info">;
}

/** Replaces the keys of a daemon at work, and gives up those that were taken away when nothing needs them any more. */
export class KeyChanges {
  private readonly parts: KeyChangeParts;
  private timer: NodeJS.Timeout | undefined;

  constructor(parts: KeyChangeParts) {
    this.parts = parts;
  }

  /**
   * Reads the key file again and takes over its keys. The members are told.
   *
   * @throws UserError if the file is not as it should be; nothing has changed then
   */
  async reload(): Promise<void> {
    const { ring, transferKeys, opener, driver, reader, log } = this.parts;
    if (reader === undefined) return;
    const secrets = await reader.read();
    const keys = ring.keysOf(secrets);
    const before = ring.fingerprints?.join(", ") ?? "";
    // Under the old key: members that accept only that one must hear that it is given up.
    driver.tellKeys(keys.map(({ fingerprint }) => fingerprint));
    ring.replace(keys, (key) => transferKeys.isInUse(key), driver.nowMs());
    opener.forgetOldKeys();
    const now = ring.fingerprints?.join(", ") ?? "";
    if (now !== before) log.info(`the keys have changed from ${before} to ${now}; the first one seals`);
    // Under the new key: members that did not accept the old one hear of this node now.
    driver.reintroduce();
    this.watch();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private watch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), LOOK_MS).unref();
  }

  private look(): void {
    const { ring, transferKeys, opener, driver } = this.parts;
    const isAnyLeft = ring.dropRetired((key) => transferKeys.isInUse(key), driver.nowMs());
    opener.forgetOldKeys();
    if (isAnyLeft) this.watch();
  }
}
