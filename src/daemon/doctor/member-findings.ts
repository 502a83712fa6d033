/** Judges a member by what was measured of it. */
import type { DoctorFinding } from "../../console/protocol.ts";
import { deviceOf } from "../../net/interfaces.ts";
import { routedInterfaces } from "../../net/routes.ts";
import type { Condition } from "../../wire/examination-messages.ts";
import { openPort } from "../service/problem-sentences.ts";
import { judgeDisk } from "./disk-findings.ts";
import { FAST_PROBES, LAST_TRIES, type Measurement, SINGLE_PROBES, SLOW_PROBES } from "./examination.ts";
import { Findings, shareText } from "./findings.ts";
import { LEAST_RECEIVE_BUFFER } from "./host-findings.ts";

/** One packet in 80 may be lost by chance; a loss that slows pushes down is more. */
const LOST_BY_CHANCE = 1;

/** Of fast packets, so many may be lost without a word: senders find the rate that a host can take. */
const FAST_LOSS = 0.05;

/** Clocks that differ by less are as good as equal: files keep the times of their sender anyway. */
const CLOCK_MS = 2_000;

/** The version of the protocol that brought examinations (PROTOCOL.md 4.4). */
const EXAMINED_PROTOCOL = 3;

/** This host, as far as members are compared with it. */
export interface OwnFacts {
  readonly hostName: string;
  readonly port: number;
  readonly interfaceName: string;
  readonly version: string;
  readonly keepsOwner: boolean;
  /** The fingerprint of the key that it seals with; undefined without a key. */
  readonly key: string | undefined;
  readonly memberCount: number;
  readonly fastBitsPerSecond: number;
  readonly longBytes: number;
}

/**
 * Everything that can be in the way between this host and a member.
 *
 * @param host the name by which people see the member
 * @param isAlive whether it has been heard since the examination began
 */
export function judgeMember(
  host: string,
  measurement: Measurement,
  isAlive: boolean,
  own: OwnFacts,
): DoctorFinding[] {
  const { member, condition } = measurement;
  const findings = new Findings(host, member.address.ip);
  judgeRoute(findings, member.address.ip, own);
  if (condition === undefined) judgeSilence(findings, measurement, isAlive, own);
  else judgeAnswers(findings, measurement, condition, own);
  judgeIdentity(findings, measurement, own);
  return findings.list;
}

function judgeRoute(findings: Findings, ip: string, { interfaceName }: OwnFacts): void {
  const [routed] = routedInterfaces(ip);
  const values = { interface: interfaceName, routed: routed ?? "" };
  if (interfaceName === "lo" || routed === deviceOf(interfaceName)) {
    findings.ok("route", `packets to it go over ${interfaceName}`, values);
    return;
  }
  const over = routed === undefined ? "nowhere" : `over ${routed}, not over ${interfaceName}`;
  findings.problem(
    "route",
    `packets to it are routed ${over}`,
    `see 'ip route get ${ip}', and give this host a route over ${interfaceName}: with a strict rp_filter, its packets are dropped`,
    values,
  );
}

function judgeSilence(
  findings: Findings,
  { member, first }: Measurement,
  isAlive: boolean,
  { port }: OwnFacts,
): void {
  const { ip } = member.address;
  if (isAlive && first !== undefined)
    findings.problem(
      "loss",
      `it has answered, and then to none of ${LAST_TRIES} questions`,
      "look at the cable, the port of the switch, and 'ip -s link' there; was its daemon stopped meanwhile?",
      { answers: true },
    );
  else if (isAlive && member.info.protocol < EXAMINED_PROTOCOL)
    findings.hint(
      "unicast",
      "it answers, but cannot be examined: its makuosan is of an earlier version",
      "upgrade makuosan there",
      { answers: true },
    );
  else if (isAlive)
    // A firewall that lets nothing in still lets packets to the group out.
    findings.problem(
      "unicast",
      "it is heard, but does not answer",
      `is UDP ${port} let in there? ${openPort(port)}`,
      { answers: false },
    );
  else
    findings.problem(
      "unicast",
      "it does not answer any more",
      `is it up ('ping ${ip}'), does makuosan run there ('systemctl status makuosan'), is UDP ${port} let in there and here?`,
      { answers: false },
    );
}

function judgeAnswers(
  findings: Findings,
  measurement: Measurement,
  condition: Condition,
  own: OwnFacts,
): void {
  judgeRoundTrip(findings, measurement);
  judgeGroup(findings, measurement, condition, own);
  judgeLength(findings, condition, own);
  judgeLoss(findings, condition, own);
  judgeBuffer(findings, measurement, condition);
  judgeDisk(findings, condition.disk, "the base directory");
  const { clockAheadMs } = measurement;
  const seconds = (Math.abs(clockAheadMs) / 1000).toFixed(1);
  const clock = `its clock is ${seconds} s ${clockAheadMs < 0 ? "behind" : "ahead"}`;
  const ahead = { clockAheadMs: Math.round(clockAheadMs) };
  if (Math.abs(clockAheadMs) < CLOCK_MS) findings.ok("clock", clock, ahead);
  else findings.hint("clock", clock, "set the clocks by NTP: 'timedatectl set-ntp true'", ahead);
  if (condition.keepsOwner !== own.keepsOwner)
    findings.hint(
      "owners",
      condition.keepsOwner
        ? "it sets owners of files, and this host does not"
        : "it does not set owners of files, and this host does",
      "start makuosan on all hosts as the same user, and with the same 'keep-owner'",
      { keepsOwner: condition.keepsOwner },
    );
  const { members } = condition;
  if (members === own.memberCount) findings.ok("members", `it knows ${members} members, too`, { members });
  else
    findings.hint(
      "members",
      `it knows ${members} members, and this host ${own.memberCount}`,
      "run 'msync --doctor' there: it names the host that the other one does not hear",
      { members },
    );
}

function judgeRoundTrip(findings: Findings, { roundTripsMs }: Measurement): void {
  const sorted = [...roundTripsMs].sort((a, b) => a - b);
  const [least = 0] = sorted;
  const most = sorted.at(-1) ?? 0;
  findings.ok("unicast", "single packets arrive in both directions", { answers: true });
  findings.ok("round-trip", `${least.toFixed(1)} to ${most.toFixed(1)} ms there and back`, {
    leastMs: Number(least.toFixed(3)),
    mostMs: Number(most.toFixed(3)),
  });
}

function judgeGroup(
  findings: Findings,
  { answersSent, answersHeard }: Measurement,
  { arrived }: Condition,
  { hostName, port }: OwnFacts,
): void {
  const [short = 0, long = 0, fast = 0] = arrived;
  const mend =
    `let UDP ${port} to the group pass between the two: look for a firewall there, for IGMP snooping in the switches ` +
    "between them, and for client isolation in a wireless network";
  const out = { arrived: short, sent: SLOW_PROBES };
  const outText = `${short} of ${SLOW_PROBES} packets from ${hostName} to the group arrive there`;
  if (short + long + fast === 0) findings.problem("multicast-out", outText, mend, out);
  else findings.ok("multicast-out", outText, out);
  const back = { arrived: Math.min(answersHeard, answersSent), sent: answersSent };
  const inText = `${back.arrived} of ${answersSent} packets that it sends to the group arrive at ${hostName}`;
  if (answersHeard === 0) findings.problem("multicast-in", inText, mend, back);
  else findings.ok("multicast-in", inText, back);
}

/** A path that drops long packets, and says so to nobody. */
function judgeLength(findings: Findings, { arrived }: Condition, { longBytes }: OwnFacts): void {
  const [short = 0, long = 0, fast = 0, single = 0] = arrived;
  const values = { datagramBytes: longBytes, arrived: single, sent: SINGLE_PROBES };
  const isCutOff = (short > 0 && long + fast === 0) || single === 0;
  if (isCutOff)
    findings.problem(
      "long-datagrams",
      `no datagram of ${longBytes} bytes arrives there, and short ones do`,
      "something between the two takes only shorter packets: give the interfaces of all hosts the smallest MTU of the way " +
        "('ip link set DEV mtu 1400'), makuosan then sends shorter datagrams by itself",
      values,
    );
  else findings.ok("long-datagrams", `datagrams of ${longBytes} bytes arrive there`, values);
}

function judgeLoss(findings: Findings, { arrived }: Condition, { fastBitsPerSecond }: OwnFacts): void {
  const [short = 0, long = 0, fast = 0] = arrived;
  // What never arrives has been told already, and is no loss of single packets.
  const [slow, sent] = long === 0 ? [short, SLOW_PROBES] : [short + long, 2 * SLOW_PROBES];
  if (slow === 0) {
    findings.hint("loss", "not measured: no slow packet arrives there", "see multicast-out");
    return;
  }
  const megabits = Math.round(fastBitsPerSecond / 1e6);
  const rest = { slowLost: sent - slow, slowSent: sent, fastLost: FAST_PROBES - fast, fastSent: FAST_PROBES };
  const values = { ...rest, fastMbps: megabits };
  const text =
    `${shareText(sent - slow, sent)} of slow packets are lost, and ` +
    `${shareText(FAST_PROBES - fast, FAST_PROBES)} at ${megabits} Mbit/s`;
  if (sent - slow > LOST_BY_CHANCE)
    findings.problem(
      "loss",
      text,
      "look at the cable, the port of the switch, and 'ip -s link' there",
      values,
    );
  else if (long > 0 && FAST_PROBES - fast > FAST_PROBES * FAST_LOSS)
    findings.hint(
      "loss",
      text,
      "it has a slower line, or a small receive buffer: pushes find its rate, 'rate' bounds it",
      values,
    );
  else findings.ok("loss", text, values);
}

function judgeBuffer(findings: Findings, { first }: Measurement, condition: Condition): void {
  const { receiveBufferBytes, dropped } = condition;
  const droppedNow = dropped - (first?.dropped ?? dropped);
  const values = { receiveBufferBytes, dropped, droppedNow };
  const text = `its kernel granted ${receiveBufferBytes} bytes for received packets, and dropped ${dropped} packets so far`;
  const mend = "raise net.core.rmem_max there ('sysctl -w'), and restart its daemon";
  if (receiveBufferBytes < LEAST_RECEIVE_BUFFER || droppedNow > 0)
    findings.hint("receive-buffer", text, mend, values);
  else findings.ok("receive-buffer", text, values);
}

function judgeIdentity(findings: Findings, measurement: Measurement, own: OwnFacts): void {
  const { version, protocol, receives } = measurement.member.info;
  const values = { version, protocol };
  if (version === own.version) findings.ok("version", `makuosan ${version}, protocol ${protocol}`, values);
  else
    findings.hint(
      "version",
      `it runs makuosan ${version} (protocol ${protocol}), and this host ${own.version}`,
      "upgrade the older one",
      values,
    );
  if (!receives)
    findings.hint("receives", "it does not receive", "it was started with -r: leave that out to send to it");
  judgeKey(findings, measurement, own.key);
}

/** A member whose KEYS did not arrive yet has opened what it has answered. */
function judgeKey(findings: Findings, { member, first }: Measurement, own: string | undefined): void {
  const { keys, protocol } = member.info;
  if (own === undefined) {
    findings.ok("key", "it has no key either", { seals: "" });
    return;
  }
  if (keys === undefined) {
    const again =
      protocol < EXAMINED_PROTOCOL ? "upgrade makuosan there" : "run 'msync --doctor' again in 20 s";
    if (first === undefined)
      findings.hint("key", "it has not said which keys it accepts", again, { seals: "" });
    else findings.ok("key", `it opens packets under the key of this host, ${own}`, { seals: "" });
    return;
  }
  const text = `it seals with the key ${keys[0]}, accepts ${keys.join(", ")}`;
  if (keys.includes(own)) findings.ok("key", text, { seals: keys[0] ?? "" });
  else
    findings.problem(
      "key",
      `${text}, and not that of this host, ${own}`,
      "copy the key file of this host to it, and run 'systemctl reload makuosan' there",
      { seals: keys[0] ?? "" },
    );
}
