import assert from "node:assert/strict";
import { test } from "node:test";
import { MENDS } from "../../src/base/reason-catalogue.ts";
import { reason, sentence, sentenceOf } from "../../src/base/reason.ts";
import { chooseLanguage } from "../../src/cli/language.ts";
import { sentenceFor } from "../../src/cli/reasons.ts";
import { sentenceOfUndo } from "../../src/cli/undo-advice.ts";

/** After an undo that has failed, another push is no advice. */

const text = (bytes: string) => Buffer.from(bytes, "latin1").toString();

test("an undo that has failed is repeated, or has to be looked at", async () => {
  await chooseLanguage({ LANG: "C" });
  const overtaken = `nothing was changed anywhere: host1: ${sentence("overtaken")}`;
  assert.match(sentenceOfUndo(overtaken, false), /has replaced it: repeat the undo$/);
  const full = reason("ENOSPC", "d/f");
  const told = `host1: ${sentenceFor({ reason: sentenceOf(full), cause: full })}`;
  assert.match(MENDS.ENOSPC ?? "", /push again/);
  assert.match(sentenceOfUndo(told, true), /free some space on that host, and see 'msync --members -v'/);
});

test("the same in Japanese", async (context) => {
  await chooseLanguage({ LANG: "ja_JP.UTF-8" });
  context.after(() => chooseLanguage({ LANG: "C" }));
  const overtaken = `nothing was changed anywhere: host1: ${sentence("overtaken")}`;
  assert.match(text(sentenceOfUndo(overtaken, false)), /host1.*もう一度取り消してください/);
  assert.match(text(sentenceOfUndo(overtaken, true)), /'msync --members -v' で確認してください/);
});
