/** A list of published paths, and its state on this host. */

/** One list of published paths. */
export interface PublishedPaths {
  readonly name: string;
  readonly bytes: Buffer;
  /** When they were as published on this host, in milliseconds since 1970. */
  readonly atMs: number;
  /** Whether it is to be handed on now. */
  readonly isServed: boolean;
  /** Whether those who ask lack it, so that its entries may come with those of earlier lists; as isServed by default. */
  readonly isLacked?: boolean;
}
