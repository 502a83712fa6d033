/** Where the daemon keeps what is to outlive it: its history, and its node id. */
export const DEFAULT_STATE = "/var/lib/makuosan";

/** Where the history is kept. */
export interface StatePlace {
  readonly directory: string;
  /** Whether the daemon may not do without. */
  readonly isRequired: boolean;
  /** Whether the service manager has made it for the daemon. */
  readonly isManaged: boolean;
}
