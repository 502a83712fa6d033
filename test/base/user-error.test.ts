import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { ExitStatus, UserError } from "../../src/base/user-error.ts";

const MANUAL = readFileSync(path.join(import.meta.dirname, "../../packaging/man/msync.1"), "utf8");

test("the exit statuses are the ones that scripts go by, and the manual has each", () => {
  assert.deepEqual(ExitStatus, {
    ok: 0,
    usage: 1,
    unreachable: 2,
    partial: 3,
    noMembers: 4,
    difference: 5,
    aborted: 6,
    interrupted: 130,
  });
  const section = MANUAL.slice(MANUAL.indexOf(".SH EXIT STATUS"));
  const listed = [...section.slice(0, section.indexOf(".SH", 4)).matchAll(/^\.TP\n\.B (\d+)$/gm)];
  assert.deepEqual(
    listed.map(([, status]) => Number(status)),
    Object.values(ExitStatus),
  );
});

test("an error of the user has a sentence and an exit status, which is wrong use unless it is said", () => {
  const error = new UserError("do this instead");
  assert.deepEqual([error.name, error.message, error.exitStatus], ["UserError", "do this instead", 1]);
  assert.equal(new UserError("nobody is there", ExitStatus.noMembers).exitStatus, 4);
});
