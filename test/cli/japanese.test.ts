import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfText } from "../../src/base/display.ts";
import { MENDS, type ReasonCode, REASONS } from "../../src/base/reason-catalogue.ts";
import { reason } from "../../src/base/reason.ts";
import { JAPANESE_MENDS, JAPANESE_REASONS } from "../../src/cli/japanese.ts";
import { sentenceFor } from "../../src/cli/reasons.ts";

/** The Japanese catalogue is complete, and is used in a Japanese locale alone. */

const placesOf = (text: string) => [...text.matchAll(/\{\d\}/g)].map(([place]) => place).sort();
const isJapanese = (text: string) => /[\u3040-\u30ff\u4e00-\u9fff]/.test(text);

test("every reason has a Japanese sentence with the same places for arguments", () => {
  assert.deepEqual(Object.keys(JAPANESE_REASONS), Object.keys(REASONS));
  for (const code of Object.keys(REASONS) as ReasonCode[]) {
    assert.deepEqual(placesOf(JAPANESE_REASONS[code]), placesOf(REASONS[code]), code);
    if (code !== "other") assert.ok(isJapanese(JAPANESE_REASONS[code]), code);
  }
  // Command names and options are the same in every language.
  for (const code of Object.keys(REASONS) as ReasonCode[])
    for (const [option] of REASONS[code].matchAll(/--[a-z-]+|'[a-z]+ [^']+'/g))
      assert.ok(JAPANESE_REASONS[code].includes(option), `${code}: ${option}`);
});

test("every way to fix a cause is there in Japanese", () => {
  assert.deepEqual(Object.keys(JAPANESE_MENDS), Object.keys(MENDS));
  for (const mend of Object.values(JAPANESE_MENDS)) assert.ok(isJapanese(mend), mend);
});

test("the locale decides, in the order of its variables, and English is the default", () => {
  const cause = reason("ENOSPC", "caf\xe9");
  const say = (environment: NodeJS.ProcessEnv) => sentenceFor({ reason: "", cause }, environment);
  const english = "caf\xe9: no space left on the device (free some space on that host, and push again)";
  const japanese =
    "caf\xe9: " +
    bytesOfText("デバイスに空き容量がありません（そのホストの空き容量を増やし、もう一度送ってください）");
  for (const LANG of [undefined, "", "C", "C.UTF-8", "en_US.UTF-8", "jam_JM"]) {
    assert.equal(say({ LANG }), english, LANG);
  }
  for (const LANG of ["ja", "ja_JP", "ja_JP.UTF-8"]) assert.equal(say({ LANG }), japanese, LANG);
  assert.equal(say({ LC_ALL: "C", LANG: "ja_JP.UTF-8" }), english);
  assert.equal(say({ LC_MESSAGES: "ja_JP.UTF-8", LANG: "C" }), japanese);
  const during = { ...reason("delete-limit", "", 5, 10, 3), when: "during" as const, more: 2 };
  assert.equal(
    sentenceFor({ reason: "", cause: during }, { LANG: "ja_JP" }),
    bytesOfText(
      "次のものを除いて、すべて新しくなりました: ベースディレクトリ: 10 個のうち 5 個が削除されます。上限は 3 個です（delete-limit）。" +
        "それでよければ --force-delete を付けてください（ほか 2 件）",
    ),
  );
});
