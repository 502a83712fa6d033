/** Looks for firewalls on this host that may be in the way of the fleet's port. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import { allowCommand, type FirewallName } from "../base/allow-commands.ts";
import type { DoctorFinding } from "../console/protocol.ts";

/** A firewall's own command answers in a moment, or is not waited for. */
const PATIENCE_MS = 3_000;

/** Where administrators' programs are: the PATH of a user may lack these. */
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** The name and the address of a host in its findings; the address is empty if nobody has told it. */
export type OwnHost = Pick<DoctorFinding, "host" | "address">;

/** What a firewall says of itself. */
interface Firewall {
  readonly name: FirewallName;
  /** The rules as text; undefined if the program is missing, or may not be asked. */
  readonly rules: string | undefined;
  /** The command that lets the port in. */
  readonly mend: string;
  /** Whether these rules close a port that they do not name. */
  readonly closes: (rules: string) => boolean;
}

/**
 * Asks the firewalls of this host for their rules. Only root gets an answer from most of them.
 *
 * @param port the UDP port of the fleet
 * @param own this host as its other findings name it
 */
export async function firewallFindings(port: number, own: OwnHost): Promise<DoctorFinding[]> {
  const [nft, iptables, firewalld] = await Promise.all([
    ask("nft", ["list", "ruleset"]),
    ask("iptables", ["-S", "INPUT"]),
    ask("firewall-cmd", ["--list-all"]),
  ]);
  const closing = closingChains(nft ?? "");
  const firewalls: Firewall[] = [
    {
      name: "ufw",
      rules: ufwRules(),
      mend: allowCommand("ufw", port),
      closes: () => true,
    },
    {
      name: "firewalld",
      rules: firewalld,
      mend: allowCommand("firewalld", port),
      closes: () => true,
    },
    {
      name: "nftables",
      rules: nft,
      mend: (closing.length > 0 ? closing : [undefined])
        .map((chain) => allowCommand("nftables", port, chain))
        .join(" && "),
      closes: () => closing.length > 0,
    },
    {
      name: "iptables",
      rules: iptables,
      mend: allowCommand("iptables", port),
      closes: (rules) => /^-P INPUT DROP|-j (DROP|REJECT)/m.test(rules),
    },
  ];
  return firewalls.flatMap((firewall) => judge(firewall, port, own));
}

function judge({ name, rules, mend, closes }: Firewall, port: number, own: OwnHost): DoctorFinding[] {
  if (rules === undefined || rules.trim() === "") return [];
  const { host, address } = own;
  const common = { host, address, check: "firewall", values: { firewall: name } };
  const lines = rules.split("\n").filter((line) => new RegExp(`\\b${port}\\b`).test(line));
  const refusal = lines.find((line) => /\b(drop|reject|DROP|REJECT|DENY|deny)\b/.test(line));
  if (refusal !== undefined) {
    const text = `${name} on this host has a rule that refuses UDP ${port}: ${refusal.trim()}`;
    return [{ ...common, level: "problem", text, mend: `take that rule away, or: ${mend}` }];
  }
  if (lines.length > 0 || !closes(rules))
    return [{ ...common, level: "ok", text: `${name} on this host lets UDP ${port} in`, mend: "" }];
  const text = `${name} on this host has rules that drop packets, and none that names UDP ${port}`;
  return [{ ...common, level: "hint", text, mend }];
}

/**
 * The chains that packets to this host go through and that may drop some, as `nft insert rule` takes them. A packet has to get
 * through each of them.
 *
 * @param rules as `nft list ruleset` prints them
 */
export function closingChains(rules: string): string[] {
  return rules.split(/^(?=table )/m).flatMap((table) => {
    const [, name] = /^table (\S+ \S+) \{/.exec(table) ?? [];
    // A chain may jump to another one of its table, which drops.
    if (name === undefined || !/\b(drop|reject)\b/.test(table)) return [];
    const chains = table.matchAll(/^\tchain (\S+) \{[^}]*?hook (?:input|prerouting|ingress)\b/gm);
    return [...chains].map(([, chain]) => `${name} ${chain}`);
  });
}

/** The rules that ufw has, if it is enabled; its command tells them to root alone, its files as well. */
function ufwRules(): string | undefined {
  if (!/^ENABLED=yes$/m.test(readText("/etc/ufw/ufw.conf"))) return undefined;
  return `enabled\n${readText("/etc/ufw/user.rules")}`;
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

function ask(program: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE_MS, env: { ...process.env, PATH, LC_ALL: "C" } };
    execFile(program, args, options, (error, stdout) => resolve(error === null ? stdout : undefined));
  });
}
