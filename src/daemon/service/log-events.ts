/** Writes node events to the log as sentences. */
import type { NodeEvent } from "../../engine/types.ts";
import type { Log } from "./log.ts";
import { sentenceOfProblem } from "./problem-sentences.ts";

/** How a member left, as the end of a sentence. */
const LEFT = {
  exit: "was stopped",
  silence: "fell silent",
  restart: "was restarted",
  "cut-off": "is out of reach: the interface of this host is away",
} as const;

/**
 * Writes an event to the log.
 *
 * @param hostOf the host name of a sender, by its epoch
 * @param port the UDP port of the fleet
 */
export function logEvent(log: Log, event: NodeEvent, hostOf: (epoch: string) => string, port: number): void {
  switch (event.kind) {
    case "member-joined":
      log.info(`${event.member.info.hostName} (${event.member.address.ip}) is a member now`);
      break;
    case "member-left":
      log.info(`${event.member.info.hostName} (${event.member.address.ip}) ${LEFT[event.reason]}`);
      break;
    case "copies": {
      const [one, other] = event.members.map(({ info, address }) => `${info.hostName} (${address.ip})`);
      log.warn(`${one} and ${other} have the same node id: one is a copy of the other, and draws a new id`);
      break;
    }
    case "problem-began":
      log.warn(sentenceOfProblem(event.problem, port));
      break;
    case "problem-ended":
      log.info(`no longer: ${sentenceOfProblem(event.problem, port)}`);
      break;
    case "member-failed":
      log.warn(`transfer ${event.transfer}: ${event.hostName} is left out: ${event.reason}`);
      break;
    case "inbound-began":
      log.debug(
        `${event.hostName} offers its transfer ${event.key.transfer}${event.dryRun ? " as a dry run" : ""}`,
      );
      break;
    case "inbound-ended": {
      const name = `transfer ${event.key.transfer} from ${hostOf(event.key.epoch)}`;
      if (event.outcome === "done") log.info(`${name} is done`);
      else if (event.outcome === "yielded") log.debug(`${name} waits: another one comes first`);
      else if (event.outcome === "discarded")
        log.info(`${name} was given up, nothing has changed: ${event.reason}`);
      else log.error(`${name} failed: ${event.reason}`);
      break;
    }
    case "own-copy":
    case "own-stage-began":
    case "own-stage-ended":
    case "findings":
    case "examination":
    case "transfer-finished":
      break;
  }
}
