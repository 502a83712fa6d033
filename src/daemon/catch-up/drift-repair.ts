/** Decides what this host does about entries that are not as published here. */
import { addresseeOf } from "../../engine/catch-up/able-members.ts";
import type { Kept } from "../../engine/catch-up/publication-log.ts";
import { isFor } from "../../engine/catch-up/scopes.ts";
import type { NodeEngine } from "../../engine/node.ts";
import type { Publication } from "../../wire/publication.ts";
import type { Log } from "../service/log.ts";
import type { Settings } from "../settings/settings.ts";
import { sentenceOfDrift } from "./catch-up-words.ts";

/** The parts that it decides by. */
export interface DriftRepairParts {
  readonly engine: Pick<NodeEngine, "catchUp" | "membership">;
  readonly settings: Pick<Settings, "drift">;
  readonly log: Log;
}

/** What a look has found. */
interface Found {
  readonly count: number;
  readonly sample: string;
  /** The names of the lists that these entries are in. */
  readonly lists: readonly string[];
}

/**
 * Forgets publications of which something was changed by hand, so that this host gets them again.
 *
 * It keeps those that a push came after which is not in the log: nobody can tell what that has changed from what was changed by hand,
 * and another host may have the entries of the time before it. It also keeps those that no other host has all of. If all hosts forgot
 * one, because each has another entry of it changed, none could hand on what it has.
 *
 * @param unloggedMs when the last push took effect that is not in the log
 * @returns those that are forgotten
 */
export function forgetDrifted(parts: DriftRepairParts, found: Found, unloggedMs: number): Kept[] {
  const { engine, settings, log } = parts;
  const { catchUp } = engine;
  const text = sentenceOfDrift(found);
  if (catchUp === undefined) return [];
  if (settings.drift === "report") {
    log.warn(`${text}: push them again, or set 'drift = repair'`);
    return [];
  }
  const drifted = catchUp.log.all.filter(({ here }) => here.list !== "" && found.lists.includes(here.list));
  const isAfter = ({ here }: Kept) => (here.atMs ?? 0) > unloggedMs;
  const isElsewhere = ({ publication }: Kept) => isAtOther(publication, catchUp, engine);
  const certain = drifted.filter(isAfter);
  const lists = new Set(certain.filter(isElsewhere).map(({ here }) => here.list));
  if (lists.size > 0) {
    log.warn(`${text}: this host gets them again`);
    return catchUp.log.forgetLists(lists, text);
  }
  const why =
    certain.length === 0
      ? "a push that is not in the log may have changed them"
      : "no other host is there that has all of that push";
  log.warn(`${text}, and this host does not get them again, because ${why}: push them again`);
  return [];
}

/** Whether another host that is there says that it lacks nothing, and this publication was for it, or comes from it. */
function isAtOther(
  { scope, nodeId }: Publication,
  { log, tellings }: NonNullable<NodeEngine["catchUp"]>,
  { membership }: Pick<NodeEngine, "membership">,
): boolean {
  return [...membership.members].some((member) => {
    const told = tellings.heard(member.epoch);
    if (told?.behind !== 0 || told.digest !== log.digest) return false;
    return member.nodeId === nodeId || isFor(scope, addresseeOf(member));
  });
}
