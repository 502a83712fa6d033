/** Reads the lines of a history file. */
import type { HistoryEntry, PushedBy } from "../../console/protocol.ts";

type HostOutcome = HistoryEntry["hosts"][number];

const DIRECTIONS = ["sent", "received"] as const;
const OUTCOMES = ["done", "failed", "unconfirmed"] as const;

/** As Date.toISOString() writes it for the years from 0 to 9999. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * Reads a line of a history file. Programs of the daemon's user can write there, too, so each field is looked at, and
 * nothing is kept that is no field: msync shows the entry, and an object nested without end ends the process that writes it.
 *
 * @returns undefined for a line that is no entry, such as half a line from the moment of a crash
 */
export function parseHistoryLine(line: string): HistoryEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const fields = fieldsOf(value);
  const { time, transfer, from, entries, bytes, savedBytes, durationMs, exitStatus, undoes } = fields;
  const direction = DIRECTIONS.find((one) => one === fields["direction"]);
  const by = fields["by"] === undefined ? undefined : pushedByOf(fields["by"]);
  const hosts = Array.isArray(fields["hosts"]) ? fields["hosts"].map(hostOf) : [undefined];
  if (typeof time !== "string" || !TIME.test(time) || direction === undefined) return undefined;
  if (typeof transfer !== "string" || typeof from !== "string") return undefined;
  if (typeof entries !== "number" || typeof bytes !== "number" || typeof durationMs !== "number")
    return undefined;
  if (savedBytes !== undefined && typeof savedBytes !== "number") return undefined;
  if (exitStatus !== undefined && typeof exitStatus !== "number") return undefined;
  if (!hosts.every((host) => host !== undefined)) return undefined;
  if (undoes !== undefined && typeof undoes !== "string") return undefined;
  const kind = {
    ...(fields["isCatchUp"] === true ? { isCatchUp: true } : {}),
    ...(undoes === undefined ? {} : { undoes }),
  };
  const asker = by === undefined ? {} : { by };
  const amount = savedBytes === undefined ? { entries, bytes } : { entries, bytes, savedBytes };
  return { time, direction, ...kind, transfer, from, ...asker, ...amount, durationMs, exitStatus, hosts };
}

function hostOf(value: unknown): HostOutcome | undefined {
  const fields = fieldsOf(value);
  const { host, reason } = fields;
  const outcome = OUTCOMES.find((one) => one === fields["outcome"]);
  if (typeof host !== "string" || typeof reason !== "string" || outcome === undefined) return undefined;
  return { host, outcome, reason };
}

function pushedByOf(value: unknown): PushedBy | undefined {
  const { user, uid, pid } = fieldsOf(value);
  if (typeof user !== "string" || typeof uid !== "number" || typeof pid !== "number") return undefined;
  return { user, uid, pid };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
