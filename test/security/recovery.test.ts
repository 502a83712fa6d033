import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { finish } from "../../src/base/steps.ts";
import { JournalWriter } from "../../src/tree/apply/journal.ts";
import type { Stage } from "../../src/tree/apply/stage.ts";
import { recover } from "../../src/tree/apply/recovery.ts";
import { StepKind } from "../../src/tree/decide/decision.ts";
import { Directories } from "../../src/tree/disk/directories.ts";
import { linuxDisk } from "../../src/tree/disk/linux-disk.ts";
import { EntryType } from "../../src/wire/entry.ts";
import { NO_METADATA } from "../../src/wire/metadata.ts";
import { NOBODY, whileRacing } from "../support/racer.ts";
import { StagingPair } from "../support/staging.ts";
import { asRoot, makeHome, race, Vault } from "./places.ts";

/** Nothing that another user puts into the tree or into the staging area leads a start out of the base directory. */

/** A journal that takes a file out of a directory, deletes another one, and opens the directory to everybody. */
function writeJournal(directory: string): string {
  const handle = linuxDisk.openRoot(directory);
  const journal = new JournalWriter(linuxDisk, handle, "commit");
  const type = EntryType.directory;
  journal.add(StepKind.place, EntryType.file, "secret");
  journal.add(StepKind.finish, type, "d", { metadata: { ...NO_METADATA, mode: 0o777 } });
  journal.finish();
  linuxDisk.closeDirectory(handle);
  const file = path.join(directory, "commit");
  fs.chmodSync(file, 0o644);
  return file;
}

/** Holds every directory that it has seen, and makes an area of each, wherever it has been moved to. */
const FILL_HELD = `
  const [own, vault, journal] = given;
  globalThis.held ??= [];
  for (const name of attempt(() => fs.readdirSync(own)) ?? []) {
    const opened = attempt(() => fs.openSync(own + "/" + name, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW));
    if (opened !== undefined) held.push(opened);
  }
  for (const one of held) {
    const at = "/proc/self/fd/" + one + "/";
    attempt(() => fs.symlinkSync(vault, at + "tree"));
    attempt(() => fs.mkdirSync(at + "x-1", 0o700));
    for (const area of ["", "x-1/"]) {
      attempt(() => fs.symlinkSync(vault, at + area + "tree"));
      attempt(() => fs.copyFileSync(journal, at + area + "commit", fs.constants.COPYFILE_EXCL));
    }
  }
  while (held.length > 50) fs.closeSync(held.shift());
  const names = fs.readdirSync(own);
  const name = names[number % Math.max(1, names.length)];
  attempt(() => fs.renameSync(own + "/" + name, own + "/x-1"));
  attempt(() => { fs.symlinkSync(vault, own + "/link"); fs.renameSync(own + "/link", own + "/" + name); });
  attempt(() => fs.mkdirSync(own + "/d"));`;

test("the owner of a part of the tree cannot lead a start out of it", asRoot, async (context) => {
  const pair = new StagingPair();
  context.after(() => pair.destroy());
  fs.chmodSync(pair.directory, 0o755);
  const vault = new Vault(context);
  const journal = writeJournal(makeHome(context, 0));
  const own = path.join(pair.to, "own");
  fs.mkdirSync(own);
  fs.chownSync(own, NOBODY, NOBODY);
  fs.mkdirSync(path.join(pair.from, "own"));
  fs.chownSync(path.join(pair.from, "own"), NOBODY, NOBODY);
  let recovered = 0;
  let turns = 0;
  await whileRacing(
    FILL_HELD,
    [own, vault.directory, journal],
    async () =>
      (turns = await race((number) => {
        // By turns, a directory of the user becomes a file and a file becomes a directory.
        for (const [index, name] of ["d", "e"].entries()) {
          const from = path.join(pair.from, "own", name);
          fs.rmSync(from, { recursive: true, force: true });
          if ((number + index) % 2 === 0) fs.writeFileSync(from, String(number));
          else fs.mkdirSync(from);
          fs.lchownSync(from, NOBODY, NOBODY);
        }
        let stage: Stage | undefined;
        try {
          stage = pair.stage();
          stage.prepare();
          stage.commit();
          // No end: the process was killed, and what it has replaced is still in the area.
          if (number % 2 === 0) finish(stage.clean());
        } catch {
          // The user is in the way.
        }
        const base = Directories.at(linuxDisk, pair.to);
        try {
          recovered += recover(base, pair.rules).length;
        } catch {
          // A directory changes while it is being removed.
        } finally {
          base.close();
        }
        try {
          // A killed process has no open files.
          if (stage !== undefined) finish(stage.clean());
        } catch {
          // The recovery has removed it.
        }
        pair.closeFiles();
        vault.check();
      })),
  );
  context.diagnostic(`${turns} starts, ${recovered} commits finished`);
  assert.ok(turns > 10, String(turns));
});

/** Puts areas of its own in the place of the staging area, by renames, again and again. */
const EXCHANGE_STAGING = `
  const [base, vault, journal] = given;
  const area = base + "/plan-" + number + "/x-1";
  fs.mkdirSync(area, { recursive: true, mode: 0o700 });
  fs.symlinkSync(vault, area + "/tree");
  fs.copyFileSync(journal, area + "/commit");
  fs.chmodSync(area + "/commit", 0o600);
  attempt(() => fs.renameSync(base + "/.makuosan", base + "/old-" + number));
  attempt(() => fs.renameSync(path.dirname(area), base + "/.makuosan"));
  for (const name of fs.readdirSync(base)) {
    if (/^(plan|old|[.]makuosan-foreign)-/.test(name)) attempt(() => fs.rmSync(base + "/" + name, { recursive: true, force: true }));
  }`;

test("the owner of the base directory cannot lead a start out of it", asRoot, async (context) => {
  const pair = new StagingPair();
  context.after(() => pair.destroy());
  fs.chmodSync(pair.directory, 0o755);
  fs.chownSync(pair.to, NOBODY, NOBODY);
  const vault = new Vault(context);
  const journal = writeJournal(makeHome(context, 0));
  let moved = 0;
  let turns = 0;
  await whileRacing(
    EXCHANGE_STAGING,
    [pair.to, vault.directory, journal],
    async () =>
      (turns = await race((number) => {
        fs.writeFileSync(path.join(pair.from, "f"), String(number));
        const base = Directories.at(linuxDisk, pair.to);
        try {
          recover(base, pair.rules, { onMoved: () => moved++ });
          pair.push();
        } catch {
          // The user is in the way.
        } finally {
          base.close();
        }
        vault.check();
      })),
  );
  context.diagnostic(`${turns} starts, ${moved} times somebody else's area was moved away`);
  assert.ok(turns > 10 && moved > 0, `${turns} ${moved}`);
});
