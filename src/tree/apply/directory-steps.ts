/** The steps of a journal that give directories their attributes. */
import type { Reason } from "../../base/reason.ts";
import { directoryOf, nameOf } from "../../wire/path-rules.ts";
import { type Step, StepKind } from "../decide/decision.ts";
import type { Directories } from "../disk/directories.ts";
import { type AttributeRules, modeToSet } from "../entries/attributes.ts";
import { restoreDirectory, setDirectoryAttributes } from "./set-attributes.ts";

/** They come after everything in the directory has changed. */
const KINDS: readonly Step["kind"][] = [StepKind.adjust, StepKind.finish, StepKind.restore];

export class DirectorySteps {
  private readonly rules: AttributeRules;

  constructor(rules: AttributeRules) {
    this.rules = rules;
  }

  /** Those of all steps in the order of the commit: directories whose own mode would block changes in them come last, the deepest first. */
  *inOrder(steps: Iterable<Step>): Generator<Step> {
    const closing: Step[] = [];
    for (const step of steps) {
      if (!KINDS.includes(step.kind)) continue;
      if (this.shutsOut(step)) closing.push(step);
      else yield step;
    }
    yield* closing.reverse();
  }

  /**
   * Sets the attributes of a directory; does nothing if its parent directory is missing.
   *
   * @returns why an extended attribute could not be set
   * @throws an error with a code
   */
  carryOut(tree: Directories, step: Step): Reason | undefined {
    const { disk } = tree;
    const parent = tree.find(directoryOf(step.path));
    if (parent === undefined) return undefined;
    if (step.kind === StepKind.restore) {
      restoreDirectory(disk, parent, nameOf(step.path), step.metadata);
      return undefined;
    }
    return setDirectoryAttributes(disk, parent, nameOf(step.path), step, this.rules);
  }

  /** Whether a directory's final mode would keep its owner from renaming entries in it. */
  shutsOut(step: Step): boolean {
    return !this.rules.keepOwner && (modeToSet(step.metadata, this.rules) & 0o300) !== 0o300;
  }
}
