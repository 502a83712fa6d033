/** Finds the undos that have taken effect on this host although its log does not say so. */
import type { NodeEngine } from "../../engine/node.ts";
import type { Kept } from "../../engine/catch-up/publication-log.ts";
import { idOf } from "../../engine/catch-up/undo-choice.ts";
import type { FoundUndo } from "../disk/messages.ts";
import type { PublicationFile } from "./publication-file.ts";

/** The parts that it compares. */
export interface FinishedUndosParts {
  readonly engine: Pick<NodeEngine, "catchUp">;
  readonly file: PublicationFile | undefined;
}

/**
 * A host that was stopped between its switch and the record of that hears of the push from the others. It is none the worse for
 * getting a push again. But an undo has brought back its own former files, and would bring those of another host now. The area in
 * which this host keeps the replaced files shows that it has taken effect. It may become known before or after the undo.
 */
export class FinishedUndos {
  private readonly parts: FinishedUndosParts;
  private readonly onFound: () => void;
  private areas: readonly FoundUndo[] = [];

  /** @param onFound called when the log has changed, and is written */
  constructor(parts: FinishedUndosParts, onFound: () => void) {
    this.parts = parts;
    this.onFound = onFound;
  }

  /** The start has found these areas of undos that this host had staged itself. */
  noteAreas(areas: readonly FoundUndo[]): void {
    this.areas = areas;
    this.look();
  }

  /** Looks through the log. Without a log from before the start nothing is known of the tree, and all is missing. */
  look(): void {
    const { engine, file } = this.parts;
    const { log } = engine.catchUp ?? {};
    if (log === undefined || file?.found.isIntact !== true) return;
    const found: Kept[] = [];
    for (const one of log.all) {
      // One that is asked for again, because its files were changed by hand, has a reason.
      const isMissed = one.here.atMs === undefined && one.here.reason === "";
      if (one.publication.undoes === undefined || !isMissed) continue;
      const area = this.areas.find(({ name }) => name === idOf(one.publication));
      if (area === undefined) continue;
      log.add(one.publication, { atMs: area.atMs, list: area.list, reason: "" });
      found.push(one);
    }
    if (found.length > 0) void file.add(log, found).then(this.onFound);
  }
}
