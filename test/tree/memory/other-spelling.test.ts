import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Entry, EntryType } from "../../../src/wire/entry.ts";
import { directory, entry, file, Member } from "./member.ts";

/** A member whose disk ignores the case of names, and a sender on which a name changes in its case alone. */

const texts = (member: Member): Record<string, string> =>
  Object.fromEntries(Object.entries(member.tree()).map(([path, text]) => [path.toLowerCase(), text]));

function pushed(here: Readonly<Record<string, string>>, entries: readonly Entry[], isComplete: boolean) {
  const member = new Member({ ignoresCase: true }).put(here);
  const push = member.push();
  push.plan({ terms: {} });
  push.bring("", entries, { isComplete }).prepare();
  push.commit();
  return { texts: texts(member), findings: push.findings };
}

describe("a name that only changes its case", () => {
  test("is not deleted by the old name, whether the contents change or not", () => {
    for (const size of [1, 3]) {
      const { texts: found, findings } = pushed({ readme: "R", old: "o" }, [file("README", size)], true);
      assert.deepEqual(found, { readme: "R".repeat(size) });
      assert.deepEqual(findings, ["old"]);
    }
  });

  test("of a directory keeps everything in it", () => {
    const { texts: found } = pushed({ "dir/a": "a" }, [directory("DIR")], true);
    assert.deepEqual(found, { "dir/": "", "dir/a": "a" });
  });

  test("is not deleted where the old name was asked for and is gone", () => {
    const gone = entry(EntryType.gone, "readme");
    for (const entries of [
      [gone, file("README", 3)],
      [file("README", 3), gone],
    ])
      assert.deepEqual(pushed({ readme: "R" }, entries, false).texts, { readme: "RRR" });
  });

  test("is another entry where case counts", () => {
    const member = new Member().put({ readme: "r" });
    const push = member.push();
    push.plan({ terms: {} });
    push.bring("", [file("README", 1)], { isComplete: true }).prepare();
    push.commit();
    assert.deepEqual(member.tree(), { README: "R" });
  });
});
