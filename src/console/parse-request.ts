/** Checks a request. */
import { UserError } from "../base/user-error.ts";
import type { Request, SendRequest } from "./protocol.ts";

/**
 * Reads a request line. Whoever may open the socket may be wrong all the same, so every field is looked at.
 *
 * @throws UserError for whatever is not a request
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
    case "wait":
      return {
        command: "wait",
        members: count(fields, "members"),
        seconds: count(fields, "seconds"),
        targets: byteStrings(fields, "targets"),
        excepts: byteStrings(fields, "excepts"),
      };
    case "status":
      return { command: "status" };
    case "history":
      return { command: "history", count: count(fields, "count") };
    case "members":
      return { command: "members" };
    case "loglevel":
      return { command: "loglevel", level: text(fields, "level") };
    default:
      throw new UserError(`the daemon does not know the command ${JSON.stringify(fields["command"])}`);
  }
}

const DELETES = ["nothing", "also", "only"] as const;
const DETAILS = ["none", "paths", "updates", "all"] as const;

function parseSend(fields: Record<string, unknown>): SendRequest {
  return {
    command: "send",
    paths: byteStrings(fields, "paths"),
    recursive: flag(fields, "recursive"),
    dryRun: flag(fields, "dryRun"),
    allOrNothing: flag(fields, "allOrNothing"),
    targets: byteStrings(fields, "targets"),
    excepts: byteStrings(fields, "excepts"),
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
  return value;
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
