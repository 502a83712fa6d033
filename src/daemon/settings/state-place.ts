/** The directory for data that outlives the daemon: the history of transfers. */
export const DEFAULT_STATE = "/var/lib/makuosan";

/** The directory of the history. */
export interface StatePlace {
  readonly directory: string;
  /** Whether the daemon does not start without it. */
  readonly isRequired: boolean;
  /** Whether the service manager has made it for the daemon. */
  readonly isManaged: boolean;
}
