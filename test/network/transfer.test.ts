import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { acquainted, type Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";
import { must, sleep } from "../support/processes.ts";
import { FRAGMENT_PAYLOAD_BYTES } from "../../src/wire/datagram.ts";
import { makeFile, makeTree, sameTrees } from "../support/trees.ts";

/** Big files and big trees arrive whole, whatever the network loses. */

const skip = await namespaceProblem();
const BIG_BYTES = 256 * 1024 * 1024;

for (const mode of ["with offload", "with Node's calls alone"]) {
  const daemonArguments = mode === "with offload" ? [] : ["--no-offload"];
  let fleet: NamespaceFleet;
  let sender: Host;
  let receivers: Host[];

  const push = async (...args: string[]) => {
    const began = performance.now();
    const { status, stdout, stderr } = await sender.msync("-r", ...args);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
    return performance.now() - began;
  };

  const arrived = async () => {
    for (const receiver of receivers) assert.equal(await sameTrees(sender, receiver), "");
  };

  const start = async () => {
    await Promise.all(fleet.hosts.map((host) => host.start()));
    await acquainted(fleet.hosts);
    [sender, ...receivers] = fleet.hosts as [Host, ...Host[]];
  };

  test(`${mode}: files arrive whole`, { skip }, async (suite) => {
    fleet = await NamespaceFleet.create({ hosts: 5, daemonArguments });
    suite.after(() => fleet.destroy());
    await start();

    await suite.test("a file of 256 MB", async (context) => {
      makeFile(path.join(sender.base, "big"), BIG_BYTES);
      const ms = await push();
      context.diagnostic(`${Math.round(ms)} ms`);
      await arrived();
    });

    await suite.test("a tree of 5,000 files", async (context) => {
      makeTree(path.join(sender.base, "tree"), 50, 100, 8000);
      const ms = await push();
      context.diagnostic(`${Math.round(ms)} ms`);
      await arrived();
    });

    await suite.test("with nothing to do", async (context) => {
      const times = [await push(), await push(), await push()];
      context.diagnostic(times.map((ms) => `${Math.round(ms)} ms`).join(", "));
    });

    await suite.test("what arrives before a busy receiver has read the offer is not sent again", async () => {
      makeFile(path.join(sender.base, "small"), 1000);
      const [busy] = receivers as [Host];
      busy.kill("SIGSTOP");
      const pushing = sender.msync("-r", "--json", "small");
      try {
        await sleep(300);
      } finally {
        busy.kill("SIGCONT");
      }
      const { status, stdout } = await pushing;
      const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { repairedFragments: number };
      assert.deepEqual({ status, repaired: result.repairedFragments }, { status: 0, repaired: 0 });
    });

    // Four members that lose 1 % each miss 4 % of all fragments together, and 19 % with 5 %; parity takes 2.6 % and 9 %. With
    // offload, a packet is a whole train here, and nothing does for that but the block itself.
    for (const [percent, mostRepairs] of [
      [1, 0.035],
      [5, 0.14],
    ] as const) {
      await suite.test(`with ${percent} % of all packets lost at each receiver`, async (context) => {
        const loseNothing = () => Promise.all(receivers.map((receiver) => fleet.loseNothing(receiver)));
        context.after(loseNothing);
        for (const receiver of receivers) await fleet.lose(receiver, percent);
        makeFile(path.join(sender.base, "lossy"), BIG_BYTES / 8);
        const { status, stdout, stderr } = await sender.msync("-r", "--json", "lossy");
        assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
        const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { repairedFragments: number };
        const share = result.repairedFragments / (BIG_BYTES / 8 / FRAGMENT_PAYLOAD_BYTES);
        context.diagnostic(`${(100 * share).toFixed(1)} % sent again`);
        const isTrain = mode === "with offload";
        assert.ok(isTrain || share < mostRepairs, `${result.repairedFragments} fragments repaired`);
        await must("sh", [
          "-c",
          `cd ${sender.base} && rm -rf tree/d1? && cp -r tree/d1 tree/lost${percent} && touch big`,
        ]);
        makeFile(path.join(sender.base, "other"), BIG_BYTES / 4);
        context.diagnostic(`${Math.round(await push())} ms`);
        await loseNothing();
        await must("sh", [
          "-c",
          `cd ${sender.base} && for d in ${receivers.map((one) => one.base).join(" ")}; do rm -rf $d/tree/d1?; done`,
        ]);
        await push();
        await arrived();
      });
    }

    await suite.test("and no daemon has complained to anybody but its log", async () => {
      const ended = await Promise.all(fleet.hosts.map((host) => host.stop()));
      assert.deepEqual(
        ended.map(({ stderr }) => stderr.slice(0, 500)),
        fleet.hosts.map(() => ""),
      );
    });
  });
}
