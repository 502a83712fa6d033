import assert from "node:assert/strict";
import { test } from "node:test";
import { closingChains, hiddenFindings, whyNot } from "../../src/cli/firewall.ts";

/** Which chains of nftables may drop packets to this host. */

const RULES = `table inet filter {
\tset admins {
\t\ttype ipv4_addr
\t\telements = { 10.0.0.1 }
\t}

\tchain checks {
\t\tmeta l4proto udp drop
\t}

\tchain input {
\t\ttype filter hook input priority filter; policy accept;
\t\ttcp dport { 22, 80 } accept
\t\tjump checks
\t}

\tchain forward {
\t\ttype filter hook forward priority filter; policy accept;
\t}
}
table ip nat {
\tchain input {
\t\ttype nat hook input priority 100; policy accept;
\t}
}
table netdev early {
\tchain arrivals {
\t\ttype filter hook ingress device "eth0" priority filter; policy drop;
\t}
}
table ip out {
\tchain output {
\t\ttype filter hook output priority filter; policy accept;
\t\tudp dport 53 drop
\t}
}
`;

test("they are named with their tables, also if only a chain that they jump to drops", () => {
  assert.deepEqual(closingChains(RULES), ["inet filter input", "netdev early arrivals"]);
  assert.deepEqual(closingChains(""), []);
  assert.deepEqual(closingChains(RULES.replaceAll("drop", "accept")), []);
});

test("a firewall that does not show its rules is named, and one that is not there is not", () => {
  assert.equal(whyNot({ code: "ENOENT" }, false), undefined);
  assert.equal(whyNot({ code: 252 }, false), undefined, "firewalld does not run");
  assert.equal(whyNot({ code: 1 }, false), null);
  assert.equal(whyNot({ code: 1 }, true), undefined, "the kernel does not have it");
  assert.equal(whyNot({ code: null }, true), null, "it did not answer in time");
  assert.deepEqual(hiddenFindings([], { host: "web1", address: "" }), []);
  const [finding] = hiddenFindings(["nftables", "iptables"], { host: "web1", address: "" });
  assert.deepEqual([finding?.check, finding?.level], ["firewall", "hint"]);
  assert.match(finding?.text ?? "", /nftables, iptables/);
});
