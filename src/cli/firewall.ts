/** Looks for firewalls on this host that may be in the way of the fleet's port. */
import { execFile, type ExecFileException } from "node:child_process";
import fs from "node:fs";
import { allowCommand, type FirewallName } from "../base/allow-commands.ts";
import type { DoctorFinding } from "../console/protocol.ts";

/** A firewall's own command answers in a moment, or is not waited for. */
const PATIENCE_MS = 3_000;

/** Where administrators' programs are: the PATH of a user may lack these. */
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** The name and the address of a host in its findings; the address is empty if nobody has told it. */
export type OwnHost = Pick<DoctorFinding, "host" | "address">;

/** The rules of a firewall as text; undefined if it is not there, null if it is there and does not show them. */
export type Rules = string | undefined | null;

/** What a firewall says of itself. */
interface Firewall {
  readonly name: FirewallName;
  readonly rules: Rules;
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
  const hidden = firewalls.filter(({ rules }) => rules === null).map(({ name }) => name);
  return [...firewalls.flatMap((firewall) => judge(firewall, port, own)), ...hiddenFindings(hidden, own)];
}

/**
 * Says that rules were not looked at: the check is not passed by that.
 *
 * @param names the firewalls that are there and do not show their rules
 */
export function hiddenFindings(names: readonly string[], { host, address }: OwnHost): DoctorFinding[] {
  if (names.length === 0) return [];
  const firewall = names.join(", ");
  const text = `the rules of ${firewall} are not shown to this user`;
  const values = { firewall };
  return [
    { host, address, check: "firewall", level: "hint", text, mend: "run 'msync --doctor' as root", values },
  ];
}

function judge({ name, rules, mend, closes }: Firewall, port: number, own: OwnHost): DoctorFinding[] {
  if (rules === undefined || rules === null || rules.trim() === "") return [];
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
function ufwRules(): Rules {
  if (!/^ENABLED=yes$/m.test(readText("/etc/ufw/ufw.conf") ?? "")) return undefined;
  const rules = readText("/etc/ufw/user.rules");
  return rules === undefined ? null : `enabled\n${rules}`;
}

/** @returns undefined for a file that cannot be read */
function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}

/** The exit status of firewall-cmd if firewalld does not run. */
const FIREWALLD_IS_OFF = 252;

function ask(program: string, args: readonly string[]): Promise<Rules> {
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE_MS, env: { ...process.env, PATH, LC_ALL: "C" } };
    execFile(program, args, options, (error, stdout) =>
      resolve(error === null ? stdout : whyNot(error, process.getuid?.() === 0)),
    );
  });
}

/**
 * Whether a firewall that has not answered is there.
 *
 * @param error that of its command
 */
export function whyNot({ code }: Pick<ExecFileException, "code">, isRoot: boolean): undefined | null {
  if (code === "ENOENT" || code === FIREWALLD_IS_OFF) return undefined;
  // Root is refused where the kernel does not have that firewall.
  return isRoot && typeof code === "number" ? undefined : null;
}
