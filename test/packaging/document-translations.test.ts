import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";

/** The Japanese documents have the sections, commands, tables and names of the English ones. */

const ROOT = path.resolve(import.meta.dirname, "..", "..");
const TRANSLATIONS = ["", "docs"].flatMap((folder) =>
  fs
    .readdirSync(path.join(ROOT, folder))
    .filter((name) => name.endsWith(".ja.md"))
    .map((name) => path.join(folder, name)),
);

interface Section {
  /** The level of its heading. */
  readonly level: number;
  readonly items: number;
  readonly tableRows: number;
  /** The lines of its examples, without their comments. */
  readonly example: readonly string[];
  /** What is in backquotes. */
  readonly names: readonly string[];
}

function sectionsOf(file: string): Section[] {
  const text = fs.readFileSync(path.join(ROOT, file), "utf8");
  return text.split(/^(?=#)/m).map((section) => {
    const lines = section.split("\n");
    const prose = lines.filter((line) => !/^ {4}/.test(line)).join("\n");
    return {
      level: /^#*/.exec(section)?.[0].length ?? 0,
      items: lines.filter((line) => /^(?:- |\d\. )/.test(line)).length,
      tableRows: lines.filter((line) => line.startsWith("|")).length,
      example: lines
        .filter((line) => /^ {4,}\S/.test(line))
        .map((line) => line.replace(/\s+# .*$/, "").trim()),
      names: [...new Set([...prose.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name))].sort(),
    };
  });
}

test("there are Japanese documents", () => {
  assert.ok(TRANSLATIONS.includes("README.ja.md"));
});

for (const file of TRANSLATIONS) {
  void suite(file, () => {
    const english = sectionsOf(file.replace(".ja.md", ".md"));
    const japanese = sectionsOf(file);

    test("has the sections of the English document", () => {
      const levelsOf = (sections: readonly Section[]) => sections.map(({ level }) => level);
      assert.deepEqual(levelsOf(japanese), levelsOf(english));
    });

    test("has the items, tables and names of each section", () => {
      for (const [index, { items, tableRows, names }] of english.entries()) {
        const { [index]: other } = japanese;
        const actual = { items: other?.items, tableRows: other?.tableRows, names: other?.names };
        assert.deepEqual(actual, { items, tableRows, names }, `section ${index}`);
      }
    });

    test("has the same examples, with translated comments and answers", () => {
      for (const [index, { example }] of english.entries()) {
        const other = japanese[index]?.example ?? [];
        assert.equal(other.length, example.length, `section ${index}`);
        for (const [place, line] of other.entries()) {
          if (/^[\x20-\x7e]*$/.test(line)) assert.equal(line, example[place]);
        }
      }
    });
  });
}
