/** Which options of msync go together. */
import { UserError } from "../base/user-error.ts";

/** What a command line is about; every option goes with some of these. */
export type Action =
  | "send"
  | "watch"
  | "wait"
  | "members"
  | "status"
  | "keygen"
  | "loglevel"
  | "script"
  | "history"
  | "doctor"
  | "catch-up"
  | "undo"
  | "top";

/** A push, and a script, in which options hold for its pushes. */
const PUSHES: readonly Action[] = ["send", "script"];

/** The same, and the pushes of what changes. */
const WATCHES: readonly Action[] = [...PUSHES, "watch"];

/** Everything that is asked of a daemon. */
const ASKS: readonly Action[] = [
  "send",
  "script",
  "watch",
  "wait",
  "members",
  "status",
  "history",
  "loglevel",
  "doctor",
  "catch-up",
  "undo",
  "top",
];

/**
 * The actions with which each option means something, by its name as commander has it. An option that names an action is
 * not in this table: only one of those can be given.
 */
const GOES_WITH: Readonly<Record<string, readonly Action[]>> = {
  // Beside these two it asks for nothing, and scripts for the old program have it there.
  recursive: [...WATCHES, "members", "status"],
  dryRun: PUSHES,
  verbose: [...WATCHES, "members", "history", "doctor", "undo"],
  // They choose members to push to, or to wait for.
  target: [...WATCHES, "wait"],
  except: [...WATCHES, "wait"],
  wait: ASKS,
  exclude: WATCHES,
  excludeFrom: WATCHES,
  group: WATCHES,
  delete: WATCHES,
  sync: PUSHES,
  forceDelete: WATCHES,
  check: PUSHES,
  repair: PUSHES,
  checksum: WATCHES,
  xattrs: WATCHES,
  compress: WATCHES,
  wholeFile: WATCHES,
  stats: [...WATCHES, "undo"],
  allOrNothing: WATCHES,
  console: ASKS,
  keepGoing: ["script"],
  json: ASKS,
};

/** The options that name an action, and --add, which is for one of them alone. */
const ACTION_OPTIONS: readonly string[] = [
  ...[
    "watch",
    "members",
    "status",
    "keygen",
    "add",
    "loglevel",
    "script",
    "history",
    "doctor",
    "catchUp",
    "undo",
    "top",
  ],
  ...["version", "help"],
];

/** Options that mean something with any question, if another one is given, too. */
const GOES_WITH_OPTION: Readonly<Record<string, string>> = { target: "wait", except: "wait" };

/** As commander has an option of a command. */
interface KnownOption {
  readonly short?: string | undefined;
  readonly long?: string | undefined;
  readonly hidden?: boolean;
  /** Whether it begins with --no-, and gives a false value. */
  readonly negate?: boolean;
  attributeName(): string;
}

/**
 * Checks that every option of a command line means something beside the others.
 *
 * @param known all options of the command
 * @param given the values that were given, by name
 * @throws UserError that names two that do not go together
 */
export function checkTogether(
  action: Action,
  known: readonly KnownOption[],
  given: object,
  paths: readonly string[],
): void {
  const values = new Map<string, unknown>(Object.entries(given));
  if (values.get("keepGoing") === true && action !== "script") {
    throw new UserError("--keep-going is for scripts: give one with -f");
  }
  for (const option of known) {
    const name = option.attributeName();
    const actions = GOES_WITH[name];
    if (actions === undefined && !ACTION_OPTIONS.includes(name) && option.hidden !== true)
      throw new Error(`not listed: --${name}`);
    if (actions === undefined || actions.includes(action) || !isGiven(values.get(name), option)) continue;
    const other = GOES_WITH_OPTION[name];
    if (other !== undefined && ASKS.includes(action) && isGiven(values.get(other))) continue;
    throw apart(option.long ?? name, action);
  }
  const [path] = paths;
  // The words after --doctor and --catch-up are hosts.
  const takesWords: readonly Action[] = ["send", "watch", "doctor", "catch-up"];
  if (!takesWords.includes(action) && path !== undefined) {
    throw new UserError(`the path '${path}' does not go together with --${action}: leave one of them out`);
  }
}

/** Options that tell how contents are sent, or what is changed. */
const OF_CHANGES: readonly string[] = ["group", "forceDelete", "compress", "wholeFile", "allOrNothing"];

/**
 * Checks the options beside --check without --repair, which sends nothing.
 *
 * @throws UserError for one that means nothing there
 */
export function checkBesideCheck(known: readonly KnownOption[], given: object): void {
  const values = new Map<string, unknown>(Object.entries(given));
  const option = known.find(
    (one) => OF_CHANGES.includes(one.attributeName()) && isGiven(values.get(one.attributeName()), one),
  );
  if (option === undefined) return;
  throw new UserError(
    `${option.long ?? ""} does not go together with --check, which sends nothing: leave it out, or give --repair`,
  );
}

/** Numbers count how often an option is given, and lists collect its values. Only --no-compress gives a false one. */
function isGiven(value: unknown, { negate = false }: Pick<KnownOption, "negate"> = {}): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "boolean") return value !== negate;
  return value !== undefined && value !== 0;
}

/** Advice for an action, if the general advice would mislead. */
const MENDS: Partial<Record<Action, string>> = {
  wait: "leave it out, or name a path to send",
  undo: "leave it out; a push is taken back as a whole, on all hosts that it was for",
  loglevel: "leave one of them out; -l sets the level of the daemon's log, and -v makes msync say more",
};

function apart(option: string, action: Action): UserError {
  const mend = MENDS[action] ?? "leave one of them out";
  return new UserError(`${option} does not go together with --${action}: ${mend}`);
}
