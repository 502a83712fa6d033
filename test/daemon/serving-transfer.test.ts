import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import type { ServedTransfer, TransferServer } from "../../src/daemon/catch-up/publication-hearer.ts";
import { ServingTransfer } from "../../src/daemon/catch-up/serving-transfer.ts";
import type { NamedList, SourceTotals } from "../../src/daemon/disk/messages.ts";
import type { Log } from "../../src/daemon/service/log.ts";
import type { Kept } from "../../src/engine/catch-up/publication-log.ts";
import { member, publication } from "../engine/catching-node.ts";

/** What one host brings to others that lack several pushes, with parts that a test plays. */

const kept = (number: number, excludes: string[]): Kept => ({
  publication: publication(number, { paths: [`path${number}`], excludes }),
  here: { atMs: number, list: `list${number}`, reason: "" },
});

/** Two pushes that need transfers of their own, since their patterns differ. */
const LOG = [kept(1, ["*.o"]), kept(2, [])];

/**
 * @param withheld the lists of which an entry is not as published any more
 * @param torn lists that have such an entry, too, each with the one that it is in
 */
function serving(
  withheld: readonly string[],
  aborted?: string,
  torn: readonly (readonly [string, string])[] = [],
) {
  const lacked: (readonly string[])[] = [];
  const served: (readonly string[])[] = [];
  const superseded: [number, string][] = [];
  const silent = () => undefined;
  const log = { info: silent, warn: silent, debug: silent } as unknown as Log;
  const server: TransferServer = {
    serve: (_members, request, rules, onStart) => {
      served.push(request.paths);
      lacked.push(
        (rules.published ?? []).flatMap(({ name, isLacked }: NamedList) => (isLacked === true ? name : [])),
      );
      onStart(served.length);
      const names = (rules.published ?? []).flatMap(({ name, isServed }) => (isServed ? name : []));
      const pairs = torn.filter(([list]) => names.includes(list));
      const lists = [...names.filter((name) => withheld.includes(name)), ...pairs.map(([, later]) => later)];
      const found = lists.length === 0 ? undefined : { count: lists.length, sample: "x", lists, torn: pairs };
      const totals = { withheld: found } as unknown as SourceTotals;
      return Promise.resolve({ result: { aborted }, totals } as unknown as ServedTransfer);
    },
    supersede: (transfer, { name }) => superseded.push([transfer, name]),
  };
  const effect = { kind: "serve", members: [member], positions: [0, 1], digest: "d" } as const;
  const one = new ServingTransfer(effect, server, log);
  return { one, served, superseded, lacked, run: () => one.run(LOG, [], () => []) };
}

test("a push that cannot be handed on does not keep back those with other patterns", async () => {
  const { run, served } = serving(["list1"]);
  // They ask for the other one again; then nothing is left but that, and they hear the reason.
  assert.deepEqual(await run(), { transfer: 2, brought: [1], torn: [], reason: "" });
  assert.deepEqual(served, [["path1"], ["path2"]]);
});

test("those that could not be handed on are lacked in the next transfer, too, and what they have torn is said", async () => {
  const { run, lacked } = serving(["list1"], undefined, [["list2", "list1"]]);
  const { brought, torn } = await run();
  assert.deepEqual(lacked, [
    ["list1", "list2"],
    ["list1", "list2"],
  ]);
  assert.deepEqual({ brought, torn }, { brought: [1], torn: [[1, 0]] });
});

test("if none of them can be handed on, the reason is said", async () => {
  const { run, served } = serving(["list1", "list2"]);
  const { brought, reason } = await run();
  assert.deepEqual(brought, []);
  assert.match(reason, /^1 entry is not as published there any more/);
  assert.equal(served.length, 2);
});

test("what was brought is told before further pushes follow", async () => {
  const { run, served } = serving([]);
  assert.deepEqual(await run(), { transfer: 1, brought: [0], torn: [], reason: "" });
  assert.deepEqual(served, [["path1"]]);
});

test("a refusal serves nobody, and a mistake of the program is no refusal", async () => {
  const heard: string[] = [];
  const say = (level: string) => (text: string) => heard.push(`${level}: ${text}`);
  const log = { info: () => undefined, error: say("error"), debug: say("debug") } as unknown as Log;
  const failing = (error: Error) => {
    const server: TransferServer = { serve: () => Promise.reject(error), supersede: () => undefined };
    const effect = { kind: "serve", members: [member], positions: [0, 1], digest: "d" } as const;
    return new ServingTransfer(effect, server, log).run(LOG, [], () => []);
  };
  const nothing = { transfer: 0, brought: [], torn: [], reason: "" };
  assert.deepEqual(await failing(new UserError("makuosan is stopping")), nothing);
  await assert.rejects(failing(new TypeError("x is not a function")), TypeError);
  assert.equal(heard[0], "debug: serves nobody: makuosan is stopping");
  assert.match(heard[1] ?? "", /^error: .*TypeError: x is not a function\n +at /);
});

test("a transfer that was aborted is the last one", async () => {
  const { run, served } = serving([], "the disk is full");
  assert.deepEqual(await run(), { transfer: 1, brought: [], torn: [], reason: "the disk is full" });
  assert.equal(served.length, 1);
});

test("each transfer hears of the pushes that have taken effect since the first one began", async () => {
  const { one, run, superseded } = serving(["list1"]);
  const ended = run();
  one.noteEffect(publication(3), { atMs: 3, list: "list3", reason: "" });
  await ended;
  assert.deepEqual(superseded, [
    [1, "list3"],
    [2, "list3"],
  ]);
});
