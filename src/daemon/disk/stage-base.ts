/** The base directory of the writing thread, which may be replaced by another one between two transfers. */
import { bytesOfText } from "../../base/display.ts";
import { isStill, leadsElsewhere } from "../../tree/disk/base-directory.ts";
import { Directories } from "../../tree/disk/directories.ts";
import type { Disk } from "../../tree/disk/disk.ts";
import { StageError } from "../../tree/reasons/stage-error.ts";
import { joinPath } from "../../wire/path-rules.ts";
import type { WorkerSettings } from "./messages.ts";

/** Opens the base directory when it is needed. */
export class StageBase {
  private readonly settings: WorkerSettings;
  private readonly disk: Disk;
  private opened: Directories | undefined;

  constructor(settings: WorkerSettings, disk: Disk) {
    this.settings = settings;
    this.disk = disk;
  }

  get isOpen(): boolean {
    return this.opened !== undefined;
  }

  /** Its directories, which are opened if they are not. */
  get directories(): Directories {
    this.opened ??= Directories.at(this.disk, this.settings.base);
    return this.opened;
  }

  /** Its path, a byte string. */
  get path(): string {
    return bytesOfText(this.settings.base);
  }

  /** @param name a byte string; so is the answer */
  pathOf(name: string): string {
    return joinPath(this.path, name);
  }

  /**
   * A base directory that was replaced by another one since the last transfer is that other one now. A symbolic link that
   * was changed is not followed: the daemon has checked, locked and recovered the directory that it started with.
   *
   * @param isIdle whether no transfer uses it
   * @throws StageError if it was replaced while transfers use it, or if its link leads elsewhere
   */
  check(isIdle: boolean): void {
    const { base, givenBase } = this.settings;
    if (leadsElsewhere(givenBase, base)) throw StageError.of("base-moved", "", bytesOfText(givenBase));
    if (isIdle) {
      this.opened?.close();
      this.opened = undefined;
      return;
    }
    if (!isStill(base, this.directories.statDirectory(""))) throw StageError.of("base-replaced", "");
  }
}
