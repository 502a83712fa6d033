import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { checkFiles, JAPANESE_RULES, RULES, textForPeople } from "../../scripts/check-words.ts";

/** Which words the check of words finds, which it lets pass, and in which parts of a file it looks. */

const ROOT = path.resolve(import.meta.dirname, "..", "..");

/** The words that are found in a text, as a document. */
function foundIn(text: string, file = "docs/a.md"): string[] {
  return checkFiles([{ path: file, text }]).map(({ found }) => found);
}

/** For each rule, sentences that break it, and sentences with similar words that do not. */
const EXAMPLES: Readonly<
  Record<string, { readonly bad: readonly string[]; readonly good: readonly string[] }>
> = {
  "fit (a pattern)": {
    bad: [
      "Leave out what the pattern fits.",
      "A name that fits no member is named.",
      "Leave out what this fits.",
      "Whether a name fits a pattern.",
    ],
    good: [
      "The patterns fit into one block.",
      "It fits into a datagram.",
      "Names that fit in a page.",
      "The pattern matches.",
      "An outfit.",
    ],
  },
  "pass over": {
    bad: ["Such a file is passed over.", "It passes over sockets."],
    good: ["Files pass over the network once.", "The password."],
  },
  mend: { bad: ["Mend the file.", "This has to be mended."], good: ["We recommend it.", "An amended text."] },
  "get on": {
    bad: ["It does not get on for five minutes.", "A member that does not get on."],
    good: ["It gets only one.", "Get on-line help.", "It makes progress."],
  },
  "behind (for after)": {
    bad: ["It runs behind the switch of a host.", "A NUL behind each path."],
    good: [
      "A member falls behind.",
      "A host stays behind, and is not behind in everything.",
      "host3: behind 2 since yesterday",
      "It asks those furthest behind.",
      "The host is behind a firewall.",
      "It is never behind the clock.",
    ],
  },
  "anew, afresh": {
    bad: ["It is started anew.", "Without a new start."],
    good: ["A new name.", "Start again."],
  },
  whoever: {
    bad: ["Whoever asks gets it.", "It is for whoever reads."],
    good: ["Whatever it is.", "However it is."],
  },
  "of its own accord": { bad: ["It ends of its own accord."], good: ["The accord of all."] },
  "to be had": { bad: ["Those calls are not to be had."], good: ["They had to be there."] },
  "told of": { bad: ["It is told of each block."], good: ["We told it of late."] },
  "seen from (for paths)": {
    bad: ["Paths are seen from the base directory."],
    good: ["As seen from the network, it is one host."],
  },
  "further groups": { bad: ["Further groups of the daemon."], good: ["Further members."] },
  "but for": { bad: ["All of it but for the mode."], good: ["But forks are rare."] },
  "all the same (for anyway)": {
    bad: ["It is sent all the same."],
    good: ["They are all the same as before."],
  },
  "comes of": { bad: ["What came of it."], good: ["The result of it."] },
  "be it": { bad: ["A host, be it large or small."], good: ["Maybe it works."] },
  "for want of": { bad: ["It fails for want of space."], good: ["For wants of members."] },
  "see to it": { bad: ["The daemon sees to it."], good: ["The daemon ensures it."] },
  "whether it is that": { bad: ["Tell whether it is that host."], good: ["Tell whether it is the host."] },
  "here, there (for hosts)": {
    bad: ["Delete there what is not here.", "The path is gone here.", "It is deleted there."],
    good: ["There is no member.", "Here is the list.", "If nothing is missing there is no repair."],
  },
  "therein, whereof, hitherto": { bad: ["The names therein."], good: ["Therefore it is sent."] },
  "who … (as a subject)": {
    bad: ["Who can write in it decides about the start.", "All wait. Who has everything makes it durable."],
    good: ["Who can push?", "Who the daemon becomes.", "A user who can write decides."],
  },
  "what … (as a subject)": {
    bad: [
      "What exceeds its limit is dropped.",
      "What the sender does not have goes away.",
      "What two hosts have committed, they have in the same order.",
    ],
    good: [
      "What a push asks for, in its shortest form.",
      "What is missing of the blocks below a number.",
      "What is this?",
      "See what is left.",
    ],
  },
  "where (for if)": {
    bad: ["Where nothing differs, nothing is sent."],
    good: [
      "Where an open file has data, and where holes.",
      "If nothing differs, nothing is sent.",
      "Where is it?",
    ],
  },
};

void suite("words", () => {
  for (const { word, use } of RULES) {
    test(`${word}: ${use}`, () => {
      const { bad, good } = EXAMPLES[word] ?? assert.fail(`there is no example for ${word}`);
      for (const sentence of bad) assert.notDeepEqual(foundIn(sentence), [], sentence);
      for (const sentence of good) assert.deepEqual(foundIn(sentence), [], sentence);
    });
  }

  test("each example belongs to a rule", () => {
    assert.deepEqual(Object.keys(EXAMPLES).sort(), RULES.map(({ word }) => word).sort());
  });

  test("the glossary has every word of the rules", () => {
    const glossary = fs.readFileSync(path.join(ROOT, "docs", "glossary.md"), "utf8");
    const cells = glossary
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .flatMap((line) => line.split("|").slice(1, -1))
      .join("|");
    for (const { word } of [...RULES, ...JAPANESE_RULES]) assert.ok(cells.includes(word), word);
  });

  test("Japanese documents have rules of their own", () => {
    assert.deepEqual(foundIn("相手のディレクトリーを mend する。", "README.ja.md"), [
      "ディレクトリー",
      "相手",
    ]);
    assert.deepEqual(foundIn("受信側のディレクトリ。", "README.ja.md"), []);
  });
});

void suite("violations", () => {
  test("have the file, the line, the word and the advice", () => {
    const [violation] = checkFiles([{ path: "docs/a.md", text: "# Title\n\nOne line.\nThen mend it.\n" }]);
    const sentence = '"mend": use fix';
    assert.deepEqual(violation, { path: "docs/a.md", line: 4, found: "mend", sentence });
  });

  test("are found over the end of a line, and counted where they begin", () => {
    const text = "/**\n * Paths are seen\n * from the base directory.\n */\n// It is told\n// of all.\n";
    assert.deepEqual(
      checkFiles([{ path: "src/a.ts", text }]).map(({ line, found }) => [line, found]),
      [
        [2, "seen from the base directory"],
        [5, "told of"],
      ],
    );
  });

  test("are not found in the glossary and in the check itself", () => {
    assert.deepEqual(foundIn("mend", "docs/glossary.md"), []);
    assert.deepEqual(foundIn("// mend it", "scripts/check-words.ts"), []);
  });
});

void suite("text for people", () => {
  const isFound = (file: string, text: string) => foundIn(text, file).length > 0;

  test("in a document it is everything but code", () => {
    assert.ok(isFound("README.md", "- mend it"));
    assert.ok(isFound("README.md", "| mend | it |"));
    assert.ok(isFound("README.md", "[mend it](a.md)"));
    assert.ok(!isFound("README.md", "Run `mend`, and see [it](mend.md)."));
    assert.ok(!isFound("README.md", "Run\n\n    mend\n\nand see."));
    assert.ok(!isFound("README.md", "```\nmend\n```\n"));
    assert.ok(isFound("README.md", "1. Run it\n    and mend it."), "an indented line of a list is no code");
  });

  test("in a program it is comments and sentences", () => {
    assert.ok(isFound("src/a.ts", "const a = 1; // mend it"));
    assert.ok(isFound("src/a.ts", "/** Says how to mend it. */\nexport function a() {}"));
    assert.ok(isFound("src/a.ts", "function a() {\n  // mend it\n}"));
    assert.ok(isFound("src/a.ts", 'throw new Error("mend the file");'));
    assert.ok(isFound("src/a.ts", "throw new Error(`${name}: mend the file`);"));
    assert.ok(isFound("eslint.config.js", "// mend it"));
    assert.ok(!isFound("src/a.ts", 'const mend = "mend";'));
    assert.ok(!isFound("src/a.ts", "// see `mend()`"));
    assert.ok(!isFound("src/a.ts", 'import { it } from "./mend it.ts";'));
  });

  test("in a manual page it is prose without macros and examples", () => {
    assert.ok(isFound("packaging/man/msync.1", ".PP\nThen mend it.\n"));
    assert.ok(!isFound("packaging/man/msync.1", ".B mend\n.nf\nmend\n.fi\n"));
  });

  test("in config files, scripts and completions it is everything", () => {
    assert.ok(isFound("etc/makuosan.conf", "# Mend it.\n"));
    assert.ok(isFound("packaging/completions/fish/msync.fish", "complete -l a -d 'Mend it'\n"));
    assert.ok(isFound("packaging/examples/pre-commit", 'echo "mend it" >&2\n'));
  });

  test("its lines stay where they are", () => {
    for (const [file, text] of [
      ["a.md", "# A\n\n    code\n\n- b `c`\n"],
      ["a.ts", "import x from 'y';\n\n/** A\n * b */\nconst z = `q\n${1} r s`;\n"],
      ["a.1", ".TP\n\\fB\\-a\\fR\nText.\n"],
    ] as const) {
      assert.equal(textForPeople({ path: file, text })?.split("\n").length, text.split("\n").length, file);
    }
  });
});
