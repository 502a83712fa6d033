/** Says what is in the way of a node, as a sentence with the remedy. */
import { allowCommands } from "../../base/allow-commands.ts";
import type { Problem } from "../../engine/types.ts";
import { PROTOCOL_VERSION } from "../../wire/limits.ts";

/**
 * The sentence for a problem, with the commands that fix it if there are some.
 *
 * @param port the UDP port of the fleet
 */
export function sentenceOfProblem(problem: Problem, port: number): string {
  const statement = statementOfProblem(problem, port);
  if (problem.kind === "unanswered") return `${statement} ${openPort(port)}`;
  if (problem.kind !== "foreign-key") return statement;
  return `${statement} If not, copy the key file of this host to it, and run 'systemctl restart makuosan' there`;
}

/** What is in the way, without commands. */
export function statementOfProblem(problem: Problem, port: number): string {
  const { ip, count, claimedIp = "" } = problem;
  const who = hostOfProblem(problem);
  switch (problem.kind) {
    case "unanswered":
      return `${who} is heard but does not answer: is UDP ${port} let in there?`;
    case "other-version":
      return otherVersion(problem);
    case "foreign-key":
      return `${count} packets under another key from ${ip}: is its key file that of this fleet?`;
    case "elsewhere":
      return (
        `${who} says that it sends from ${claimedIp}: ` +
        "networks that translate addresses are not supported"
      );
    case "unheard":
      return `${who} does not get what this host sends to the group: does multicast pass from here to there?`;
    case "mute":
      return `${who} answers, but what it sends to the group does not arrive: does multicast pass from there to here?`;
  }
}

/** The commands that let the packets of the fleet in, for the usual firewalls. */
export function openPort(port: number): string {
  return `If not, run ${allowCommands(port)}`;
}

/** Host name and address of the node that a problem is about, or its address alone. */
export function hostOfProblem({ info, ip }: Pick<Problem, "info" | "ip">): string {
  return info === undefined ? ip : `${info.hostName} (${ip})`;
}

function otherVersion({ info, ip, version = 0, isProven }: Problem): string {
  const host = info?.hostName ?? "host";
  const remedy = version > PROTOCOL_VERSION ? "upgrade makuosan on this host" : "upgrade makuosan there";
  return isProven
    ? `${host} at ${ip} speaks version ${version} of the protocol; ${remedy}`
    : `${host} at ${ip} speaks version ${version} of the protocol, under another key; ${remedy}`;
}
