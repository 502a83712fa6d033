/** The commands that let the packets of a fleet through the usual firewalls. */

/** The firewalls that servers with Linux have. */
export type FirewallName = "ufw" | "firewalld" | "nftables" | "iptables";

/** The chain for incoming packets in the usual rulesets of nftables, such as /etc/nftables.conf of Debian. */
const USUAL_CHAIN = "inet filter input";

/**
 * The command for one firewall. It holds at once. With nftables and iptables the rule comes before all others, because a rule
 * after one that drops the packets changes nothing.
 *
 * @param port the UDP port of the fleet
 * @param chain for nftables: family, table and name of the chain
 */
export function allowCommand(firewall: FirewallName, port: number, chain = USUAL_CHAIN): string {
  const opening = `--add-port=${port}/udp`;
  switch (firewall) {
    case "ufw":
      return `ufw allow ${port}/udp`;
    case "firewalld":
      // A reload would drop other rules that are not permanent.
      return `firewall-cmd ${opening} && firewall-cmd --permanent ${opening}`;
    case "nftables":
      return `nft insert rule ${chain} udp dport ${port} accept`;
    case "iptables":
      return `iptables -I INPUT -p udp --dport ${port} -j ACCEPT`;
  }
}

/** The commands for a host whose firewall is not known, as part of a sentence. */
export function allowCommands(port: number): string {
  const [ufw, firewalld] = [allowCommand("ufw", port), allowCommand("firewalld", port)];
  return `'${ufw}', '${firewalld}', or for nftables '${allowCommand("nftables", port)}'`;
}
