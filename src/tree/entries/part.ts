/** A part of a file. */

/** A part of a file, in bytes from its beginning. */
export interface Part {
  readonly start: number;
  readonly end: number;
}
