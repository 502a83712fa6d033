import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";

/** The Japanese manual pages say all that the English ones say: block by block, and sentence by sentence. */

const FOLDER = path.resolve(import.meta.dirname, "..", "..", "packaging", "man");
const PAGES = ["msync.1", "makuosan.8", "makuosan.conf.5"];

/** A section, a tagged paragraph, an item, an example, or what follows one of them. */
interface Block {
  /** The macro that opens it, and the tag of a tagged paragraph. */
  readonly opening: string;
  readonly sentences: number;
  /** The lines of an example. */
  readonly example: readonly string[];
}

const OPENING = /^\.(?:SH|SS|TP|PP|IP|nf)\b/;

function blocksOf(page: string): Block[] {
  const lines = fs.readFileSync(path.join(FOLDER, page), "utf8").split("\n");
  const starts = lines.flatMap((line, index) => (OPENING.test(line) ? [index] : []));
  return starts.map((start, index) => {
    const [macro = "", tag = "", ...rest] = lines.slice(start, starts[index + 1]);
    const [name = ""] = macro.split(" ");
    if (name === ".nf") return { opening: name, sentences: 0, example: [tag, ...rest].filter(isExample) };
    const body = name === ".TP" ? rest : [tag, ...rest];
    return {
      opening: name === ".TP" ? `.TP ${withoutMarkup(tag)}` : name === ".IP" ? macro : name,
      sentences: body.filter(endsSentence).length,
      example: [],
    };
  });
}

/** Comments of examples are translated. */
function isExample(line: string): boolean {
  return !/^(?:#|\.fi$|\.RE$|$)/.test(line);
}

/** In both languages a line ends where a sentence ends; one that ends with a colon goes on in what follows. */
function endsSentence(line: string): boolean {
  return /[.。]$/.test(line) && !/^\.(?:RE|fi)/.test(line);
}

function withoutMarkup(tag: string): string {
  return tag.replace(/^\.[A-Z]+ /, "").replace(/\\f[A-Z]/g, "");
}

for (const page of PAGES) {
  void suite(page, () => {
    const english = blocksOf(page);
    const japanese = blocksOf(`ja/${page}`);

    test("has the same sections, entries, paragraphs and items in both languages, in the same order", () => {
      assert.ok(english.length > 50);
      assert.deepEqual(
        japanese.map(({ opening }) => opening),
        english.map(({ opening }) => opening),
      );
    });

    test("has as many sentences in each of them", () => {
      for (const [index, { opening, sentences }] of english.entries()) {
        assert.equal(japanese[index]?.sentences, sentences, `block ${index + 1}: ${opening}`);
      }
    });

    test("has the same examples", () => {
      const examplesOf = (blocks: readonly Block[]) => blocks.map(({ example }) => example);
      assert.deepEqual(examplesOf(japanese), examplesOf(english));
    });
  });
}
