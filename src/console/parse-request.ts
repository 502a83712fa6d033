/** Checks a request: any program may have written it. */
import { UserError } from "../base/user-error.ts";
import type { Request, SendRequest } from "./protocol.ts";

/**
 * Reads a request line. A client that may open the socket may still be wrong, so every field is looked at, and no
 * value is entered that can be nested without end.
 *
 * @throws UserError for a line that is not a request
 */
export function parseRequest(line: string): Request {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new UserError("the request is not JSON");
  }
  if (typeof value !== "object" || value === null) throw new UserError("the request is not an object");
  const fields = value as Record<string, unknown>;
  switch (fields["command"]) {
    case "send":
      return parseSend(fields);
    case "undo":
      return {
        command: "undo",
        id: text(fields, "id"),
        detail: oneOf(DETAILS, fields, "detail"),
        progress: flag(fields, "progress"),
      };
    case "wait":
      return {
        command: "wait",
        members: count(fields, "members"),
        seconds: count(fields, "seconds"),
        targets: names(fields, "targets"),
        excepts: names(fields, "excepts"),
      };
    case "status":
      return { command: "status" };
    case "activity":
      return { command: "activity" };
    case "doctor":
      return { command: "doctor", targets: names(fields, "targets") };
    case "history":
      return { command: "history", count: count(fields, "count") };
    case "catch-up":
      return { command: "catch-up", hosts: names(fields, "hosts") };
    case "members":
      return { command: "members" };
    case "loglevel":
      return { command: "loglevel", level: text(fields, "level") };
    default:
      throw unknownCommand(fields["command"]);
  }
}

/** A sentence may repeat so much of what a client has sent. */
const SHOWN_CHARACTERS = 40;

/** Names of groups and levels are shorter everywhere. */
const TEXT_CHARACTERS = 255;

/**
 * Names of hosts and patterns for them are shorter, and a pattern takes time for each of its bytes. All names of a list have
 * as many as a thousand usual ones.
 */
const NAME_BYTES = 4_096;
const NAMES_BYTES = 64 * 1024;

function unknownCommand(command: unknown): UserError {
  // Of a list or an object nothing is repeated: how deep it goes is up to the client.
  if (typeof command !== "string") return new UserError("the request's command is not text");
  const shown = JSON.stringify(command.slice(0, SHOWN_CHARACTERS));
  return new UserError(`the daemon does not know the command ${shown}`);
}

const DELETES = ["nothing", "also", "only"] as const;
const COMPRESSIONS = ["yes", "no"] as const;
const DETAILS = ["none", "paths", "updates", "all"] as const;

function parseSend(fields: Record<string, unknown>): SendRequest {
  return {
    command: "send",
    paths: byteStrings(fields, "paths"),
    recursive: flag(fields, "recursive"),
    dryRun: flag(fields, "dryRun"),
    allOrNothing: flag(fields, "allOrNothing"),
    targets: names(fields, "targets"),
    excepts: names(fields, "excepts"),
    excludes: byteStrings(fields, "excludes"),
    group: text(fields, "group"),
    deletes: oneOf(DELETES, fields, "deletes"),
    syncs: flag(fields, "syncs"),
    isForced: flag(fields, "isForced"),
    comparesContents: flag(fields, "comparesContents"),
    isCheck: flag(fields, "isCheck"),
    sendsAttributes: flag(fields, "sendsAttributes"),
    detail: oneOf(DETAILS, fields, "detail"),
    progress: flag(fields, "progress"),
    ...(fields["compression"] !== undefined && { compression: oneOf(COMPRESSIONS, fields, "compression") }),
    ...(fields["wholeFile"] !== undefined && { wholeFile: flag(fields, "wholeFile") }),
  };
}

function oneOf<T extends string>(all: readonly T[], fields: Record<string, unknown>, name: string): T {
  const value = all.find((one) => one === fields[name]);
  if (value === undefined) throw new UserError(`the request's ${name} is none of ${all.join(", ")}`);
  return value;
}

function flag(fields: Record<string, unknown>, name: string): boolean {
  const value = fields[name];
  if (typeof value !== "boolean") throw new UserError(`the request's ${name} is not true or false`);
  return value;
}

/** A whole number that a timer can wait for. */
function count(fields: Record<string, unknown>, name: string): number {
  const value = fields[name];
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 1_000_000) {
    throw new UserError(`the request's ${name} is not a whole number up to 1000000`);
  }
  return value;
}

function text(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw new UserError(`the request's ${name} is not text`);
  if (value.length > TEXT_CHARACTERS) {
    throw new UserError(`the request's ${name} is longer than ${TEXT_CHARACTERS} characters`);
  }
  return value;
}

function names(fields: Record<string, unknown>, name: string): string[] {
  const all = byteStrings(fields, name);
  if (all.some((one) => one.length > NAME_BYTES))
    throw new UserError(`one of the request's ${name} is longer than ${NAME_BYTES} bytes`);
  const bytes = all.reduce((sum, one) => sum + one.length, 0);
  if (bytes > NAMES_BYTES)
    throw new UserError(`the request's ${name} have ${bytes} bytes: give ${NAMES_BYTES} at the most`);
  return all;
}

function byteStrings(fields: Record<string, unknown>, name: string): string[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw new UserError(`the request's ${name} is not a list`);
  return value.map((item: unknown) => {
    if (typeof item !== "string" || !/^[\x01-\xff]*$/.test(item)) {
      throw new UserError(`the request's ${name} are not byte strings`);
    }
    return item;
  });
}
