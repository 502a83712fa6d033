import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { must } from "../support/processes.ts";
import { contentOf, type Findings } from "../support/switch-watcher.ts";

/** All hosts switch together, and nobody who reads meanwhile sees anything but the old file or the new one. */

const skip = await namespaceProblem();
const PUSHES = 100;
const TOGETHER_MS = 20;

test(
  "over a hundred pushes no reader sees a missing or partial file, and all switch together",
  { skip },
  async (context) => {
    const fleet = await NamespaceFleet.create({ hosts: 4 });
    context.after(() => fleet.destroy());
    await Promise.all(fleet.hosts.map((host) => host.start()));
    await acquainted(fleet.hosts);
    const [sender, ...receivers] = fleet.hosts as [Host, ...Host[]];
    const push = async (version: number) => {
      for (const name of ["first", "second"])
        fs.writeFileSync(path.join(sender.base, name), contentOf(version));
      const { status, stderr } = await sender.msync("-r");
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    };
    await push(0);
    const watcher = path.join(import.meta.dirname, "../support/switch-watcher.ts");
    const watching = must(process.execPath, [watcher, String(PUSHES), ...receivers.map((host) => host.base)]);
    for (let version = 1; version <= PUSHES; version++) await push(version);
    const findings = JSON.parse(await watching) as Findings;
    assert.deepEqual(findings.wrong, []);
    const spreads = Object.values(findings.switchedMs)
      .filter(
        (moments) => moments.length === receivers.length && !moments.includes(null as unknown as number),
      )
      .map((moments) => Math.max(...moments) - Math.min(...moments))
      .sort((a, b) => a - b);
    const [median, worst] = [spreads[spreads.length >> 1] ?? Infinity, spreads.at(-1) ?? Infinity];
    context.diagnostic(
      `${spreads.length} pushes, apart by ${median.toFixed(1)} ms in the median, ${worst.toFixed(1)} ms at worst`,
    );
    assert.ok(spreads.length > PUSHES * 0.9, "nearly every push was seen on every host");
    // A machine that is busy with other things delays a process now and then; the median says what the program does.
    assert.ok(median < TOGETHER_MS, `${median} ms`);
  },
);
