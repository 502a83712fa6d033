import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import prometheus from "prom-client";
import { Metrics } from "../../src/daemon/metrics/metrics.ts";

/** Alert rules, dashboard and documents name the metrics that the daemon has, and no others. */

const ROOT = path.resolve(import.meta.dirname, "..", "..");
const read = (name: string) => fs.readFileSync(path.join(ROOT, name), "utf8");

/** The names of all metrics; the state is not asked for. */
function knownNames(): Set<string> {
  const metrics = new Metrics(prometheus, () => {
    throw new Error("nobody asks for the state");
  });
  return new Set(metrics.names);
}

/** Names that stand in a text, without what a histogram adds to them. */
function namesIn(text: string): Set<string> {
  const found = text.match(/\b(?:makuosan_[a-z]+_?|process_(?:resident|cpu|start))[a-z_]*\b/g) ?? [];
  return new Set(found.map((name) => name.replace(/_(bucket|sum|count)$/, "")));
}

for (const file of [
  "packaging/examples/makuosan-alerts.yaml",
  "packaging/examples/makuosan-dashboard.json",
]) {
  test(`${path.basename(file)} names metrics that there are`, () => {
    const names = [...namesIn(read(file))];
    assert.ok(names.length > 3);
    const known = knownNames();
    assert.deepEqual(
      names.filter((name) => !known.has(name)),
      [],
    );
  });
}

test("the document of the metrics has all of them, and no other", () => {
  const [, section = ""] = read("docs/configuration.md").split("\n## Metrics\n");
  const documented = [...section.matchAll(/^\| (.*?) \| /gm)].flatMap(([, cell]) => [...namesIn(cell ?? "")]);
  assert.deepEqual(documented.sort(), [...knownNames()].sort());
});

test("the dashboard is JSON, and each panel has a place and a question", () => {
  const { panels } = JSON.parse(read("packaging/examples/makuosan-dashboard.json")) as {
    panels: { id: number; gridPos: object; targets: { expr: string }[] }[];
  };
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const { targets } of panels)
    assert.ok(targets.every(({ expr }) => expr.includes("makuosan_") || expr.includes("process_")));
});
