/** Takes out of a staged transfer what later publications have brought since. */
import { type Step, StepKind } from "../decide/decision.ts";
import { below } from "../disk/below.ts";
import type { Directories } from "../disk/directories.ts";
import { removeEntry } from "../disk/remove.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import { EntryType } from "../../wire/entry.ts";
import type { Metadata } from "../../wire/metadata.ts";
import { StageError } from "../reasons/stage-error.ts";
import type { LaterPaths } from "./later-paths.ts";
import type { StagingArea } from "./staging-area.ts";

/** The tree that is to change, and what later publications say of it. */
export interface Leaving {
  readonly base: Directories;
  readonly later: LaterPaths;
  /** The present attributes of a directory. */
  readonly metadataOf: (path: string) => Metadata | undefined;
}

/**
 * The steps that are left.
 *
 * @throws StageError if a directory is to be deleted into which a later publication has put something
 */
export function* stepsLeft(steps: Iterable<Step>, leaving: Leaving): Generator<Step> {
  for (const step of steps) {
    const left = stepLeft(step, leaving);
    if (left !== undefined) yield left;
  }
}

function stepLeft(step: Step, { base, later, metadataOf }: Leaving): Step | undefined {
  const { kind, path, type } = step;
  if (kind === StepKind.goes) return step;
  const isDirectory = base.stat(path)?.isDirectory() === true;
  if (kind === StepKind.remove && !later.has(path)) {
    if (isDirectory)
      for (const { path: inside } of below(base, path))
        if (later.has(inside)) throw StageError.of("overtaken", inside);
    return step;
  }
  if (!later.has(path))
    return isDirectory && later.hasIn(path) ? withLaterTime(step, metadataOf(path)) : step;
  if (!isDirectory || kind === StepKind.remove) return undefined;
  // The later one has made the directory, too: the entries of this one go into it.
  if (kind === StepKind.place) return type === EntryType.directory ? step : undefined;
  const metadata = metadataOf(path);
  return metadata === undefined ? undefined : { ...step, metadata, attributes: undefined };
}

/**
 * A step that sets the attributes of a directory leaves it its time, if that is later: a push of something in it gives it the time
 * that it has on the sender. A push that has found everything right there has not.
 */
function withLaterTime(step: Step, present: Metadata | undefined): Step {
  if (present === undefined || present.mtimeNs <= step.metadata.mtimeNs) return step;
  return { ...step, metadata: { ...step.metadata, mtimeNs: present.mtimeNs } };
}

/** Removes what is staged for the paths of later publications in directories that are placed as a whole. */
export function removeStaged(area: StagingArea, steps: Iterable<Step>, later: LaterPaths): void {
  for (const { kind, path, type } of steps) {
    if (kind !== StepKind.place || type !== EntryType.directory) continue;
    const found: string[] = [];
    // What is below one that goes, goes with it.
    const enters = (one: { readonly path: string }) => found.at(-1) !== one.path;
    for (const { path: inside, stats } of below(area.tree, path, enters)) {
      if (later.has(inside) && !(stats.isDirectory() && later.isDirectory(inside))) found.push(inside);
    }
    for (const inside of found) {
      area.tree.forget(inside);
      removeEntry(area.tree.disk, area.tree.handle(directoryOf(inside)), nameOf(inside), inside);
    }
  }
}
