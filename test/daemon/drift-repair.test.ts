import assert from "node:assert/strict";
import { test } from "node:test";
import { type DriftRepairParts, forgetDrifted } from "../../src/daemon/catch-up/drift-repair.ts";
import { PublicationLog } from "../../src/engine/catch-up/publication-log.ts";
import type { Scope } from "../../src/wire/publication.ts";
import { member, publication } from "../engine/catching-node.ts";

/** Which publications a host forgets, so that it gets again what was changed by hand. */

function host(other: { behind?: number; digest?: string }, scope: Partial<Scope> = {}) {
  const log = new PublicationLog({ hostName: "host2", ip: "10.0.0.2", labels: [] });
  log.add(publication(1, scope), { atMs: 5, list: "one", reason: "" });
  const told = { behind: 0, digest: log.digest, ...other };
  const warnings: string[] = [];
  const parts = {
    engine: {
      catchUp: { log, tellings: { heard: () => told } },
      membership: { members: [{ ...member, nodeId: "77".repeat(16) }] },
    },
    settings: { drift: "repair" },
    log: { warn: (text: string) => void warnings.push(text) },
  } as unknown as DriftRepairParts;
  const look = (unloggedMs = 0) =>
    forgetDrifted(parts, { count: 1, sample: "a", lists: ["one", ""] }, unloggedMs).length;
  return { parts, log, look, warnings };
}

test("what another host has is got again", () => {
  const { log, look, warnings } = host({});
  assert.equal(look(4), 1);
  assert.deepEqual(log.missing, [0]);
  assert.deepEqual(warnings, ["1 entry is not as published here, such as a: this host gets them again"]);
});

test("nothing is forgotten that no other host has, or that another push may have changed", () => {
  const { info, address } = member;
  const left = [
    [host({ behind: 1 }), 0, /no other host is there/],
    [host({ digest: "0".repeat(16) }), 0, /no other host is there/],
    [host({}, { excepts: [info.hostName] }), 0, /no other host is there/],
    [host({}, { targets: ["host2"], excepts: [address.ip] }), 0, /no other host is there/],
    [host({}), 5, /a push that is not in the log may have changed them/],
  ] as const;
  for (const [one, unloggedMs, why] of left) {
    assert.equal(one.look(unloggedMs), 0);
    assert.deepEqual(one.log.missing, []);
    assert.equal(one.warnings.length, 1);
    assert.match(one.warnings[0] ?? "", why);
  }
});
