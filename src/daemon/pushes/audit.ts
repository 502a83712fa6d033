/** What the log says of a request to push: who has asked for what. */
import { quoteWord } from "../../base/words.ts";
import type { PushedBy, SendRequest } from "../../console/protocol.ts";
import type { Log } from "../service/log.ts";

/** A line of the log names so many paths, patterns and hosts; the paths beyond them are in the log of the level debug. */
const NAMED = 3;

/** Lines of the level debug for one request: a script may name any number of paths. */
const LOGGED_PATHS = 1_000;

/** Writes a request to the log: the user, and the request as a command line; at the level debug its paths, a line for each. */
export function logRequest(
  log: Log,
  transfer: number,
  request: SendRequest,
  by: PushedBy | undefined,
  members: number,
  undoes?: string,
): void {
  const who = by === undefined ? "an unknown user" : `${by.user === "" ? "user" : by.user} (uid ${by.uid})`;
  log.info(`transfer ${transfer} to ${members} members, for ${who}: msync ${commandLine(request, undoes)}`);
  if (!log.isLevelEnabled("debug")) return;
  for (const path of request.paths.slice(0, LOGGED_PATHS)) log.debug({ path }, `transfer ${transfer} has`);
  const more = request.paths.length - LOGGED_PATHS;
  if (more > 0) log.debug(`transfer ${transfer} has ${more} more paths`);
}

/**
 * A request as it could have been given, without what only decides over the output.
 *
 * @param undoes the id of the push that it takes back; undefined for a push
 */
export function commandLine(request: SendRequest, undoes?: string): string {
  if (undoes !== undefined) return `--undo ${undoes}`;
  const flags: (readonly [boolean, string])[] = [
    [request.recursive, "-r"],
    [request.dryRun && !request.isCheck, "-n"],
    [request.deletes === "also", "--delete"],
    [request.deletes === "only", "--delete-only"],
    [request.syncs, "--sync"],
    [request.isForced, "--force-delete"],
    [request.isCheck, request.dryRun ? "--check" : "--repair"],
    [request.comparesContents && !request.isCheck, "--checksum"],
    [request.sendsAttributes, "--xattrs"],
    [request.allOrNothing, "--all-or-nothing"],
  ];
  const given = flags.filter(([isGiven]) => isGiven).map(([, flag]) => flag);
  const lists = [
    ...withOption("-t", request.targets),
    ...withOption("--except", request.excepts),
    ...withOption("--exclude", request.excludes),
    ...(request.group === "" ? [] : [`-g ${quoted(request.group)}`]),
  ];
  return [...given, ...lists, ...few(request.paths.map(quoted), "paths")].join(" ");
}

function withOption(option: string, values: readonly string[]): string[] {
  return few(
    values.map((value) => `${option} ${quoted(value)}`),
    option,
  );
}

function few(words: readonly string[], what: string): string[] {
  const more = words.length - NAMED;
  return more <= 0 ? [...words] : [...words.slice(0, NAMED), `(and ${more} more: ${what})`];
}

/** A word as a shell takes it. The base directory as a whole is a dot. */
function quoted(word: string): string {
  return word === "" ? "." : quoteWord(word);
}
