/** Pino, as lines for a terminal, the journal or syslog. */
import fs from "node:fs";
import { pino, type Logger } from "pino";
import type { LogLevel } from "../settings/log-levels.ts";
import { UnixDatagram } from "../../sys/unix-datagram.ts";

/** A log: anything that pino logs to. */
export type Log = Logger;

/** Priorities of syslog by the level numbers of pino; the journal reads them at the start of a line. */
const PRIORITIES: Readonly<Record<number, number>> = { 60: 2, 50: 3, 40: 4, 30: 6, 20: 7, 10: 7 };

/** The facility "daemon" of syslog, as it is added to a priority (RFC 5424, section 6.2.1). */
const DAEMON_FACILITY = 3 << 3;

/** Fields of pino that are not printed behind the sentence: the journal and syslog have level and time themselves. */
const HIDDEN = new Set(["level", "time", "msg"]);

/**
 * The log: pino, with each line as a sentence followed by its facts.
 *
 * @param target "journal" puts the priority before each line, "terminal" does not, "syslog" sends it to /dev/log
 */
export function openLog(level: LogLevel, target: "journal" | "terminal" | "syslog"): Log {
  const write = target === "syslog" ? syslogWriter() : outputWriter(target === "journal");
  return pino({ level, base: null }, { write: (line: string) => writeLine(line, write) });
}

function writeLine(line: string, write: (priority: number, text: string) => void): void {
  const { level, msg, ...rest } = JSON.parse(line) as Record<string, unknown> & {
    level: number;
    msg?: string;
  };
  const facts = Object.entries(rest)
    .filter(([name]) => !HIDDEN.has(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  write(PRIORITIES[level] ?? 6, printable([msg ?? "", ...facts].join(" ")));
}

/** Names come from the network and from file systems; a line stays a line. */
function printable(text: string): string {
  return text.replace(
    /[\x00-\x1f\x7f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function outputWriter(hasPriority: boolean): (priority: number, text: string) => void {
  return (priority, text) => {
    try {
      fs.writeSync(1, hasPriority ? `<${priority}>${text}\n` : `${text}\n`);
    } catch {
      // The reader of the log is gone; the daemon goes on serving files.
    }
  };
}

function syslogWriter(): (priority: number, text: string) => void {
  const socket = UnixDatagram.open("/dev/log");
  return (priority, text) => {
    socket?.send(`<${DAEMON_FACILITY + priority}>makuosan[${process.pid}]: ${text}`);
  };
}
