import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { Turns } from "../../src/daemon/pushes/turns.ts";
import type { GivenSettings } from "../../src/daemon/settings/config.ts";
import { takeOver } from "../../src/daemon/settings/reload.ts";
import { resolveSettings } from "../../src/daemon/settings/settings.ts";
import { ALL_SETTINGS, type TableSetting } from "../../src/daemon/settings/settings-table.ts";

/** What a reload takes over, for each setting of the table. */

const NO_CONFIG = { values: {}, places: {} };
const base = os.tmpdir();
const resolve = (given: GivenSettings) => resolveSettings({ base, ...given }, NO_CONFIG);

/** A value that is valid on every host, and not the default. */
function otherValue({
  key,
  form,
  example,
  default: value,
}: TableSetting): GivenSettings[TableSetting["key"]] {
  if (key === "user" || key === "hook-user") return String(process.geteuid?.());
  if (key === "group") return String(process.getegid?.());
  if (key === "groups") return [String(process.getegid?.())];
  if (key === "base") return "/";
  if (key === "multicast") return "224.0.0.111";
  if (form.kind === "flag") return value !== true;
  if (form.kind === "list") return ["a"];
  if (form.range !== undefined) return form.range[0] + 1;
  if (key === "loglevel") return "debug";
  if (key === "compress") return "yes";
  if (key === "drift") return "repair";
  return key === "delete-limit" || key === "undo-size" ? "7" : (example ?? "/etc/hosts");
}

/** Settings of accounts get the one of this process, if it has one. */
const ACCOUNTS: readonly string[] = ["user", "group", "groups", "hook-user"];
const hasAccount = (file: string, id = -1) =>
  fs
    .readFileSync(file, "latin1")
    .split("\n")
    .some((line) => line.split(":")[2] === String(id));
const noAccount =
  !(hasAccount("/etc/passwd", process.geteuid?.()) && hasAccount("/etc/group", process.getegid?.())) &&
  "the user of this process has no account";

for (const setting of ALL_SETTINGS) {
  const { key, reload, form } = setting;
  const skip = ACCOUNTS.includes(key) && noAccount;
  test(`${key} ${reload ? "is taken over" : "stays, and is named, at each reload"}`, { skip }, () => {
    const value = otherValue(setting);
    const given = {
      [key]: typeof value !== "string" ? value : form.parse(value, key),
    };
    // A repair needs somebody to bring what is repaired.
    const needed = key === "drift" ? { "catch-up": true } : {};
    const [present, next] = [resolve(needed), resolve({ ...needed, ...given })];
    const before = { ...present };
    assert.notDeepEqual(next.asked, present.asked);
    for (let count = 0; count < 2; count++) {
      const changes = takeOver(present, next);
      assert.deepEqual(
        changes,
        reload ? { taken: count === 0 ? [key] : [], left: [] } : { taken: [], left: [key] },
      );
    }
    if (reload) assert.deepEqual(present, next);
    else assert.deepEqual(present, before);
  });
}

test("more turns let more requests begin, and fewer wait until enough are given back", async () => {
  const { signal } = new AbortController();
  const turns = new Turns(1);
  let begun = 0;
  const take = () => turns.take(signal).then(() => begun++);
  const settle = () => new Promise((done) => setImmediate(done));
  for (let count = 0; count < 5; count++) void take();
  await settle();
  assert.deepEqual([begun, turns.waitingCount], [1, 4]);
  turns.change(3);
  await settle();
  assert.deepEqual([begun, turns.waitingCount], [3, 2]);
  turns.change(1);
  turns.give();
  turns.give();
  await settle();
  assert.equal(begun, 3);
  turns.give();
  await settle();
  assert.equal(begun, 4);
  turns.give();
  await settle();
  assert.equal(begun, 5);
  turns.give();
  await Promise.all([take(), settle()]);
  void take();
  await settle();
  assert.deepEqual([begun, turns.waitingCount], [6, 1]);
});

test("a path of the documents names every setting that a reload takes", () => {
  const text = fs.readFileSync(path.join(import.meta.dirname, "../../docs/configuration.md"), "utf8");
  for (const { key, reload } of ALL_SETTINGS) {
    const row = /^\| SIGHUP \|.*$/m.exec(text)?.[0] ?? "";
    assert.equal(row.includes(`\`${key}\``), reload, key);
  }
});

const noRoot = process.geteuid?.() !== 0 && "only root can become another user";

test("a daemon that has become another user leaves a further one to the next start", { skip: noRoot }, () => {
  // The sources may lie where only root can look: they are read before.
  const folder = path.resolve(import.meta.dirname, "../../src/daemon/settings");
  const program = `
    const { resolveSettings } = await import("${folder}/settings.ts");
    const { takeOver } = await import("${folder}/reload.ts");
    const load = (user) => resolveSettings({ base: "/", user }, { values: {}, places: {} });
    const settings = load("nobody");
    process.setgroups([]); process.setgid(settings.identity.gid); process.setuid(settings.identity.uid);
    const next = load("daemon");
    console.log(JSON.stringify([next.identity.uid === process.getuid(), takeOver(settings, next)]));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  assert.deepEqual(JSON.parse(output), [true, { taken: [], left: ["user"] }]);
});
