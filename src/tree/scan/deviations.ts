/** What is not as it was published. */

/** Entries that are not as they were published. */
export interface Deviations {
  readonly count: number;
  readonly sample: string;
  readonly lists: readonly string[];
}

/** Entries that were published and cannot be handed on. */
export interface Withheld extends Deviations {
  /** Each list that is served and has named such an entry as well, before the list that it is in. */
  readonly torn: readonly (readonly [string, string])[];
}
