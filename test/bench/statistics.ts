/** The middle one, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted: number[] = values.toSorted((a, b) => a - b);
  const upper: number = sorted[sorted.length >> 1] ?? NaN;
  const lower: number = sorted[(sorted.length - 1) >> 1] ?? NaN;
  return (lower + upper) / 2;
}
