/** Directories on the way to entries that may be given. */
import type { ScanItem } from "./scan.ts";

type Way = Extract<ScanItem, { kind: "entry" }>;

/** The ways in one directory. */
interface Level {
  readonly directory: string;
  readonly ways: Map<string, Way>;
}

/**
 * Each way is given before the first entry below it, and only if there is one. A scan gives all entries of a directory, and then
 * those of its directories, one after the other. So ways are kept only in the directories above the one that is read.
 */
export class Ways {
  private levels: Level[] = [];

  /** How many are kept. */
  get size(): number {
    return this.levels.reduce((sum, { ways }) => sum + ways.size, 0);
  }

  add(way: Way): void {
    this.levelOf(way.directory.path).ways.set(way.path, way);
  }

  /** Those that lead to a directory, or to the entries in it, and were not given yet. */
  *to(directory: string): Generator<ScanItem> {
    for (const { directory: above, ways } of this.levels) {
      if (ways.size === 0 || !isWithin(directory, above) || directory === above) continue;
      const end = directory.indexOf("/", above === "" ? 0 : above.length + 1);
      const path = end === -1 ? directory : directory.slice(0, end);
      const way = ways.get(path);
      ways.delete(path);
      if (way !== undefined) yield way;
    }
  }

  private levelOf(directory: string): Level {
    const found = this.levels.find((level) => level.directory === directory);
    if (found !== undefined) return found;
    // The scan has left the others for good.
    const isNear = ({ directory: other }: Level) => isWithin(directory, other) || isWithin(other, directory);
    const level = { directory, ways: new Map<string, Way>() };
    this.levels = [...this.levels.filter(isNear), level].sort(byDepth);
    return level;
  }
}

function byDepth(a: Level, b: Level): number {
  return a.directory.length - b.directory.length;
}

function isWithin(path: string, above: string): boolean {
  return above === "" || path === above || path.startsWith(`${above}/`);
}
