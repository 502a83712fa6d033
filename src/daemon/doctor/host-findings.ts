/** Judges this host: its interface, its place in the group, its buffers, its key, its directories. */
import fs from "node:fs";
import type { DoctorFinding } from "../../console/protocol.ts";
import type { NodeEngine } from "../../engine/node.ts";
import { deviceOf } from "../../net/interfaces.ts";
import type { KeyRing } from "../../net/key-ring.ts";
import { routedInterfaces } from "../../net/routes.ts";
import type { Transport } from "../../net/transports/transport.ts";
import type { DiskCondition } from "../../wire/examination-messages.ts";
import { DATAGRAM_BYTES } from "../../wire/limits.ts";
import type { InterfaceState } from "../service/interface-watch.ts";
import type { Settings } from "../settings/settings.ts";
import { VERSION } from "../settings/version.ts";
import { judgeDisk } from "./disk-findings.ts";
import { Findings } from "./findings.ts";

/**
 * A receive buffer smaller than this loses packets while the disk is busy for a moment: the window that it allows is that of
 * some 350 packets (chosen without measurement).
 */
export const LEAST_RECEIVE_BUFFER = 1024 * 1024;

/** Groups that switches pass on to everybody, whether somebody asks for them or not (RFC 4541). */
const NEVER_PRUNED = /^224\.0\.0\./;

/** What is known of this host. */
export interface HostFacts {
  readonly settings: Settings;
  readonly transport: Transport;
  readonly watch: InterfaceState;
  readonly ring: Pick<KeyRing, "isSecret" | "fingerprints">;
  readonly membership: Pick<NodeEngine["membership"], "size" | "members">;
  readonly disk: DiskCondition;
  /** Where the history is, or why it is in memory only. */
  readonly historyPlace: string;
  /** The copy of this host that was found last, as an English phrase; empty if there was none. */
  readonly copy: string;
  readonly uptimeSeconds: number;
}

/** Everything that can be in the way within this host. */
export function judgeHost(facts: HostFacts): DoctorFinding[] {
  const { settings, transport, watch } = facts;
  const findings = new Findings(settings.hostName, transport.ownAddress.ip);
  findings.ok("service", `makuosan ${VERSION} runs for ${facts.uptimeSeconds} s, process ${process.pid}`, {
    version: VERSION,
    uptimeSeconds: facts.uptimeSeconds,
  });
  if (watch.away === undefined) judgeNetwork(findings, facts);
  else
    findings.problem(
      "interface",
      `the interface ${watch.chosen.name} is away: ${watch.away}`,
      "bring it up: the daemon joins the group again within two seconds",
      { interface: watch.chosen.name },
    );
  judgeBuffers(findings, transport, settings);
  judgeKey(findings, facts);
  judgeNames(findings, facts);
  judgeDisk(findings, facts.disk, settings.base);
  judgeState(findings, facts);
  judgeMembers(findings, facts);
  return findings.list;
}

function judgeNetwork(findings: Findings, facts: HostFacts): void {
  const { transport, watch } = facts;
  const { name, ip } = watch.chosen;
  const { group } = transport;
  findings.ok("interface", `${name} (${ip})`, { interface: name, address: ip });
  if (transport.isJoined) findings.ok("group", `a member of ${group.ip} on ${name}`, { group: group.ip });
  else
    findings.problem(
      "group",
      `the kernel is no member of ${group.ip} on ${name}`,
      "the daemon joins again within two seconds; if this stays, restart it: 'systemctl restart makuosan'",
      { group: group.ip },
    );
  judgeRoute(findings, facts);
  const { datagramBytes } = transport;
  const length = `datagrams of up to ${datagramBytes} bytes`;
  if (datagramBytes === DATAGRAM_BYTES) findings.ok("mtu", length, { datagramBytes });
  else findings.ok("mtu", `${length}: the MTU of ${name} is below 1468`, { datagramBytes });
  judgeQuerier(findings, group.ip, name);
}

function judgeRoute(findings: Findings, { transport, watch, settings, membership }: HostFacts): void {
  const { name } = watch.chosen;
  const [routed] = routedInterfaces(transport.group.ip);
  const values = { interface: name, routed: routed ?? "" };
  if (routed === undefined || routed === deviceOf(name)) {
    findings.ok("route", `packets to the group go over ${name}`, values);
    return;
  }
  const text = `the kernel routes packets to the group over ${routed}, and makuosan uses ${name}`;
  const mend = `if the other hosts are behind ${routed}, write 'interface = ${routed}' into /etc/makuosan.conf`;
  if (settings.interface !== undefined && membership.size > 0) findings.ok("route", text, values);
  else if (membership.size > 0) findings.hint("route", text, mend, values);
  else findings.problem("route", text, mend, values);
}

/** Bridges and switches pass groups on only where they are asked for, and need a querier to know that. */
function judgeQuerier(findings: Findings, group: string, name: string): void {
  if (NEVER_PRUNED.test(group)) {
    findings.ok("querier", `${group} needs no IGMP querier: switches pass it on to every port`);
    return;
  }
  const bridge = bridgeOf(name);
  const snoops = bridge === undefined ? "" : readText(`${bridge}/multicast_snooping`);
  const asks = bridge === undefined ? "" : readText(`${bridge}/multicast_querier`);
  if (snoops === "1" && asks === "0")
    findings.hint(
      "querier",
      `the bridge of ${name} watches IGMP and asks for no reports: it may stop to pass ${group} on after 260 s`,
      `let it ask: 'echo 1 >${bridge}/multicast_querier', or use the group 224.0.0.108`,
    );
  else
    findings.hint(
      "querier",
      `a switch that watches IGMP passes ${group} on only while some router or switch asks for reports`,
      "enable an IGMP querier in this network, or use the group 224.0.0.108, which needs none",
    );
}

/** The directory of the bridge that an interface is, or is a port of; undefined if there is none, or it cannot be seen. */
function bridgeOf(name: string): string | undefined {
  const device = `/sys/class/net/${deviceOf(name)}`;
  return [`${device}/bridge`, `${device}/brport/bridge/bridge`].find((directory) => fs.existsSync(directory));
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, "latin1").trim();
  } catch {
    return "";
  }
}

function judgeBuffers(findings: Findings, transport: Transport, settings: Settings): void {
  const { receiveBufferBytes, sendBufferBytes, droppedDatagrams, sendErrors } = transport;
  const asked = settings.receiveBufferBytes;
  const granted = { receiveBufferBytes, asked };
  const text = `the kernel granted ${receiveBufferBytes} bytes for received packets, and ${asked} were asked for`;
  // The kernel doubles what it is asked for, and shows the double.
  if (receiveBufferBytes >= asked) findings.ok("receive-buffer", text, granted);
  else {
    const mend = `'sysctl -w net.core.rmem_max=${asked}', keep it in /etc/sysctl.d, and restart the daemon`;
    if (receiveBufferBytes < LEAST_RECEIVE_BUFFER) findings.problem("receive-buffer", text, mend, granted);
    else findings.hint("receive-buffer", text, mend, granted);
  }
  findings.ok("send-buffer", `the kernel granted ${sendBufferBytes} bytes for sent packets`, {
    sendBufferBytes,
    asked: settings.sendBufferBytes,
  });
  if (droppedDatagrams === 0)
    findings.ok("drops", "the kernel dropped no packet for a full buffer", { droppedDatagrams });
  else
    findings.hint(
      "drops",
      `the kernel of this host dropped ${droppedDatagrams} UDP packets because a receive buffer was full`,
      "makuosan sends its own again; a larger receive-buffer, or a lower rate of the senders, avoids it",
      { droppedDatagrams },
    );
  if (sendErrors === 0) findings.ok("send-errors", "no send failed", { sendErrors });
  else
    findings.hint(
      "send-errors",
      `${sendErrors} sends failed since the start`,
      "look for the state and the MTU of the interface with 'ip link'",
      { sendErrors },
    );
}

function judgeKey(findings: Findings, { ring }: HostFacts): void {
  const keys = ring.fingerprints ?? [];
  const [seals = ""] = keys;
  if (ring.isSecret) findings.ok("key", `seals with the key ${seals}, accepts ${keys.join(", ")}`, { seals });
  else
    findings.hint(
      "key",
      "no key is set: anyone on this network can write to these servers",
      "make one with 'msync --keygen FILE', copy it to all hosts, and name it with -k",
      { seals: "" },
    );
}

/** Copies of a host, and hosts of one name. */
function judgeNames(findings: Findings, { copy, membership, settings }: HostFacts): void {
  if (copy === "") findings.ok("clone", "no other host has the node id of this one");
  else
    findings.hint(
      "clone",
      `${copy}, with the same machine-id: one of them is a clone`,
      "on one of the two: 'rm /etc/machine-id; systemd-machine-id-setup', and restart makuosan",
    );
  const names = new Map<string, string[]>([[settings.hostName, ["this host"]]]);
  for (const { info, address } of membership.members)
    names.set(info.hostName, [...(names.get(info.hostName) ?? []), address.ip]);
  for (const [name, owners] of names)
    if (owners.length > 1)
      findings.hint(
        "clone",
        `${owners.length} hosts are called ${name}: ${owners.join(", ")}`,
        "give each host a name for itself: 'hostnamectl set-hostname NAME', or the setting 'name'",
      );
}

function judgeState(findings: Findings, { historyPlace }: HostFacts): void {
  if (historyPlace.startsWith("/")) findings.ok("state-directory", `the history is kept in ${historyPlace}`);
  else
    findings.hint(
      "state-directory",
      `the history is kept ${historyPlace}`,
      "let the daemon's user write in the state directory, or name another one with --state",
    );
}

function judgeMembers(findings: Findings, { membership, settings, transport }: HostFacts): void {
  const { size } = membership;
  const values = { members: size };
  if (size > 0) findings.ok("members", `${size === 1 ? "1 member" : `${size} members`}`, values);
  else
    findings.problem(
      "members",
      "there is no other member",
      `on the other hosts: 'systemctl status makuosan'; they need the group ${transport.group.ip}, the port ` +
        `${settings.port} and the key of this host, and the same network`,
      values,
    );
}
