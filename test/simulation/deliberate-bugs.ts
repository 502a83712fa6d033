import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/**
 * Proves that the simulation finds bugs: each of these is put into the real code, and some seed has to fail. Run it with
 * `node test/simulation/deliberate-bugs.ts [NAME]`; it prints after how many seeds each of them was found.
 */

const SEEDS = 500;
const ROOT = new URL("../../", import.meta.url);

interface Bug {
  readonly name: string;
  /** The file of src/ that it is put into, and what is replaced in it, once. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const BUGS: readonly Bug[] = [
  {
    name: "contents-not-synced",
    file: "tree/apply/staged-files.ts",
    from: "if (++this.completed <= SYNCED_ONE_BY_ONE) disk.syncContents(handle);",
    to: "++this.completed;",
  },
  {
    name: "staged-not-synced",
    file: "tree/apply/durability.ts",
    from: "if (hasUnsynced || !this.isOrdered) this.base.disk.syncFileSystem(this.base.root);",
    to: "",
  },
  {
    name: "journal-not-synced",
    file: "tree/apply/journal.ts",
    from: "this.disk.syncFile(this.file);",
    to: "",
  },
  {
    name: "area-not-synced",
    file: "tree/apply/staging-area.ts",
    from: "    this.disk.syncDirectory(this.directory);\n    this.disk.syncDirectory(this.root);",
    to: "",
  },
  {
    name: "beginning-not-synced",
    file: "tree/apply/durability.ts",
    from: "if (!this.isOrdered) area.sync();",
    to: "",
  },
  {
    name: "switch-not-synced",
    file: "tree/apply/durability.ts",
    from: "if (!this.isOrdered) this.base.disk.syncFileSystem(this.base.root);",
    to: "",
  },
  {
    name: "kept-not-synced",
    file: "tree/apply/stage.ts",
    from: "this.durability.syncStaged(staged.entries.needsSync);\n    this.staging.addSteps",
    to: "this.staging.addSteps",
  },
  {
    name: "given-up-not-synced",
    file: "tree/apply/lists-of-steps.ts",
    from: "if (mayHaveSteps && !disk",
    to: "if (!mayHaveSteps && !disk",
  },
  {
    name: "ready-before-journal",
    file: "tree/apply/staging.ts",
    from: 'journal.finish();\n    area.rename("journal", "ready");',
    to: 'area.rename("journal", "ready");\n    journal.finish();',
  },
  {
    name: "deletes-first",
    file: "tree/apply/commit.ts",
    from: "    this.base.forgetAll();\n    let number = 0;\n    for",
    to: `    this.base.forgetAll();
    let early = 0;
    for (const step of this.steps()) {
      early++;
      if (step.kind === StepKind.remove) this.attempt(step.path, () => this.remove(step.path, early));
    }
    let number = 0;
    for`,
  },
  {
    name: "commit-not-finished",
    file: "tree/apply/recovery.ts",
    from: 'if (area.has("ready") && committer.hasBegun()) committer.begin();\n  const isInterrupted = area.has("commit");',
    to: 'const isInterrupted = area.has("commit") && area.has("done");',
  },
  {
    name: "commit-of-others",
    file: "engine/receiver/transfer-receiver.ts",
    from: "if (!commit.targets.includes(this.context.selfEpoch)) return;",
    to: "",
  },
  {
    name: "silent-member-ignored",
    file: "engine/sender/transfer-sender.ts",
    from: "if (this.request.allOrNothing) this.abort(`${hostName}",
    to: "if (this.request.allOrNothing && progress.phase >= MemberPhase.failed) this.abort(`${hostName}",
  },
  {
    name: "commits-out-of-order",
    file: "engine/commit-order.ts",
    from: "if (isBefore(place, own)) return false;",
    to: "if (isBefore(place, place)) return false;",
  },
  {
    name: "forged-stamp-believed",
    file: "engine/receiver/reports.ts",
    from: "if (ahead <= most) this.stamp = stamp;",
    to: "this.stamp = stamp;",
  },
  {
    name: "wants-dropped",
    file: "engine/sender/wants.ts",
    from: "    contents.merge(differences",
    to: "    if (wants.length === 1 || entries !== wants.at(-1)?.entries) contents.merge(differences",
  },
  {
    name: "standstill-not-forgiven",
    file: "engine/sender/debts.ts",
    from: "this.parts.barrier.forgive(standstillMs);",
    to: "",
  },
  {
    name: "space-not-checked",
    file: "tree/decide/obstacles.ts",
    from: 'if (bytes > freeBytes + spareBytes) throw StageError.of("no-space", "", bytes, freeBytes);',
    to: "",
  },
  {
    name: "changed-while-copied",
    file: "tree/apply/staged-files.ts",
    from: "if (!isSameState(before, after) || before.size !== file.size) {",
    to: "if (before.size !== after.size && after.size === -1) {",
  },
  {
    name: "changed-while-sent",
    file: "tree/scan/file-reader.ts",
    from: 'this.failure = reason("changed-while-sent");',
    to: "",
  },
  {
    name: "not-durable-is-done",
    file: "tree/apply/commit.ts",
    from: 'return { ...reason("not-durable", undefined, sentenceOf(reasonFor(error))), when: "after" };',
    to: 'if (reason("not-durable", undefined, sentenceOf(reasonFor(error)))) return undefined;',
  },
  {
    name: "deleted-comes-back",
    file: "tree/decide/precedence.ts",
    from: "if (isGone || (",
    to: "if (isGone && (",
  },
  {
    name: "passage-set-back",
    file: "tree/decide/planner.ts",
    from: "if (entry.type === EntryType.passage) {\n        this.precedence.noteUsed(path);",
    to: "if (entry.type === EntryType.passage) {",
  },
  {
    name: "replaced-directory-not-seen",
    file: "tree/decide/planner.ts",
    from: "this.precedence.noteUsed(path);\n        yield",
    to: "yield",
  },
  {
    name: "commit-not-repeated",
    file: "engine/receiver/commit-relay.ts",
    from: "heard.asking.add(epoch);",
    to: "",
  },
  {
    name: "orphan-given-up-at-once",
    file: "engine/receiver/transfer-receiver.ts",
    from: 'if (this.life.state !== "ordered") {\n      this.discard(reason);',
    to: 'if (this.life.state !== "done") {\n      this.discard(reason);',
  },
  {
    name: "commit-repeated-to-others",
    file: "engine/receiver/commit-relay.ts",
    from: "if (heard?.targets.has(epoch) !== true) return;",
    to: "if (heard === undefined) return;",
  },
  {
    name: "own-push-replaced",
    file: "engine/commit-order.ts",
    from: "after.push(transfer);",
    to: "after.length = 0;",
  },
  {
    name: "own-place-not-drawn",
    file: "engine/sender/ordering.ts",
    from: "this.highest = this.places.place(this.key, this.highest);",
    to: "",
  },
  {
    name: "own-place-not-awaited",
    file: "engine/sender/transfer-sender.ts",
    from: "if (isOver && this.ordering.isItsTurn) this.finish",
    to: "if (isOver) this.finish",
  },
  {
    name: "complete-directory-filled",
    file: "tree/scan/cover.ts",
    from: "return isPlaced && this.complete.has(directoryOf(path)) && !this.kept.has(path);",
    to: "return false;",
  },
  {
    name: "kept-not-linked",
    file: "tree/apply/keeping.ts",
    from: "this.disk.link(to, nameOf(path), this.area.handle, kept);",
    to: "",
  },
  {
    name: "obstacle-unseen",
    file: "daemon/catch-up/undo-judge.ts",
    from: "if (obstacle !== undefined)",
    to: "if (obstacle !== undefined && log === undefined)",
  },
];

/** Runs seeds with one bug in the code; the number of the seed that fails. */
async function findBug(bug: Bug): Promise<{ seed: number; failure: string } | undefined> {
  const url = new URL(`src/${bug.file}`, ROOT).href;
  registerHooks({
    load(loaded, context, nextLoad) {
      if (loaded !== url) return nextLoad(loaded, context);
      const text = readFileSync(fileURLToPath(url), "utf8");
      if (text.split(bug.from).length !== 2)
        throw new Error(`${bug.name}: ${bug.file} has no such text, or more`);
      return {
        format: "module-typescript",
        source: text.replace(bug.from, () => bug.to),
        shortCircuit: true,
      };
    },
  });
  const { runSeed } = await import("./run.ts");
  for (let seed = 1; seed <= SEEDS; seed++) {
    const failure = runSeed(seed);
    if (failure !== undefined) return { seed, failure };
  }
  return undefined;
}

/** Each bug needs a process of its own: what was loaded once stays. */
async function main(): Promise<void> {
  const [only] = process.argv.slice(2);
  const bug = BUGS.find(({ name }) => name === only);
  if (only !== undefined && bug === undefined) {
    console.log(`there is no bug of that name: ${BUGS.map(({ name }) => name).join(", ")}`);
    process.exit(2);
  }
  if (bug !== undefined) {
    const found = await findBug(bug);
    const [sentence] = found?.failure.split("\n") ?? [];
    console.log(`${bug.name}: ${found === undefined ? `not found in ${SEEDS} seeds` : `found, ${sentence}`}`);
    process.exit(found === undefined ? 1 : 0);
  }
  let missed = 0;
  for (const { name } of BUGS) {
    const { status } = spawnSync(process.execPath, [process.argv[1] ?? "", name], { stdio: "inherit" });
    if (status !== 0) missed++;
  }
  console.log(`${BUGS.length - missed} of ${BUGS.length} bugs were found`);
  process.exit(missed === 0 ? 0 : 1);
}

if (import.meta.main) await main();
