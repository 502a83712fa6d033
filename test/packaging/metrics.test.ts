import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import prometheus from "prom-client";
import { Metrics } from "../../src/daemon/metrics/metrics.ts";
import { hasProgram, run } from "../support/processes.ts";
import { STATUS } from "../support/status-info.ts";

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

const promtoolProblem = (await hasProgram("promtool")) ? false : "there is no promtool";

test(
  "promtool finds nothing in the alert rules, and they say what they should",
  {
    skip: promtoolProblem,
  },
  async (context) => {
    // The rules are named there by a path that is relative to the test.
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-alerts-"));
    context.after(() => fs.rmSync(directory, { recursive: true }));
    for (const file of ["packaging/examples/makuosan-alerts.yaml", "test/packaging/alert-rules.yaml"])
      fs.copyFileSync(path.join(ROOT, file), path.join(directory, path.basename(file)));
    for (const [what, file] of [
      ["check", "makuosan-alerts.yaml"],
      ["test", "alert-rules.yaml"],
    ] as const) {
      const { status, stdout, stderr } = await run("promtool", [what, "rules", path.join(directory, file)]);
      assert.equal(status, 0, `${what}: ${stdout}${stderr}`);
    }
  },
);

test("promtool finds nothing in the metrics", { skip: promtoolProblem }, async () => {
  const input = await new Metrics(prometheus, () => STATUS).text();
  const { status, stdout, stderr } = await run("promtool", ["check", "metrics"], { input });
  assert.deepEqual([status, stdout + stderr], [0, ""]);
});
