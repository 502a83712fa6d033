import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { checkMap } from "../../scripts/check-map.ts";

/** Which faults of the map in ARCHITECTURE.md the check finds. */

const LAYERS = ["base", "tree", "main"];

const SOURCES = [
  "src/base/reason.ts",
  "src/tree/disk/disk.ts",
  "src/tree/disk/below.ts",
  "src/tree/apply/journal.ts",
  "src/tree/apply/steps/place.ts",
  "src/main.ts",
  "test/tree/races.test.ts",
];

const ROOMS = [
  "| `base` | reasons (`reason.ts`) | – |",
  "| `tree` | its rooms | base |",
  "| `tree/disk` | `disk.ts` | – |",
  "| `tree/apply` | the journal, and steps (`steps/`) | `tree/disk/below.ts` |",
  "| `main` | the entry | – |",
];

const QUESTIONS = [
  "| Where is the journal? | `tree/apply/journal.ts`; walks are in `tree/disk/disk.ts`, `below.ts` |",
];

interface Parts {
  readonly rooms?: readonly string[];
  readonly questions?: readonly string[];
  readonly prose?: string;
  readonly sources?: readonly string[];
}

/** What is wrong with a map, line by line; the rows of rooms begin with line 3. */
function faultsOf({ rooms = ROOMS, questions = QUESTIONS, prose = "", sources = SOURCES }: Parts): string[] {
  const text = [
    ...["| room | holds | may import |", "| --- | --- | --- |", ...rooms, ""],
    ...["| question | file |", "| --- | --- |", ...questions, "", prose, ""],
  ].join("\n");
  const files = [...sources.map((file) => ({ path: file, text: "" })), { path: "ARCHITECTURE.md", text }];
  return checkMap(files, LAYERS).map(({ line, sentence }) => `${line}: ${sentence}`);
}

void suite("the rooms of the map", () => {
  test("are right if each layer and each folder in one has a row, and folders further down have none", () => {
    assert.deepEqual(faultsOf({}), []);
  });

  test("lack a layer, or a folder that is new", () => {
    assert.deepEqual(faultsOf({ rooms: ROOMS.slice(1) }), ["3: the map has no row for base"]);
    const sources = [...SOURCES, "src/tree/scan/scan.ts"];
    assert.deepEqual(faultsOf({ sources }), ["3: the map has no row for tree/scan"]);
  });

  test("have a folder that is gone, or one that is further down", () => {
    const gone = "is neither a layer nor a folder in one";
    assert.deepEqual(faultsOf({ rooms: [...ROOMS, "| `tree/plan` | – | – |"] }), [`8: tree/plan ${gone}`]);
    const deep = faultsOf({ rooms: [...ROOMS, "| `tree/apply/steps` | – | – |"] });
    assert.deepEqual(deep, [`8: tree/apply/steps ${gone}`]);
  });

  test("have a folder twice", () => {
    assert.deepEqual(faultsOf({ rooms: [...ROOMS, "| `base` | – | – |"] }), [
      "8: the map has two rows for base",
    ]);
  });

  test("name a file that is in another room", () => {
    const rooms = ROOMS.with(0, "| `base` | `reason.ts`, `journal.ts` | – |");
    assert.deepEqual(faultsOf({ rooms }), ["3: there is no file src/base/journal.ts"]);
  });

  test("name a folder that is gone", () => {
    const rooms = ROOMS.with(3, "| `tree/apply` | `stairs/` | – |");
    const places = "src/stairs/ or stairs/ or src/tree/apply/stairs/";
    assert.deepEqual(faultsOf({ rooms }), [`6: there is no file ${places}`]);
  });

  test("are all missing if there is no map", () => {
    const found = checkMap([{ path: "src/base/reason.ts", text: "" }], ["base"]);
    assert.deepEqual(
      found.map(({ path, sentence }) => `${path}: ${sentence}`),
      ["ARCHITECTURE.md: the map has no row for base", "ARCHITECTURE.md: the map has no table of questions"],
    );
  });
});

void suite("the questions of the map", () => {
  test("name a file that is gone", () => {
    const questions = ["| Where? | `tree/apply/diary.ts` |"];
    const places = "src/tree/apply/diary.ts or tree/apply/diary.ts";
    assert.deepEqual(faultsOf({ questions }), [`11: there is no file ${places}`]);
  });

  test("name a second file that is not in the folder of the first", () => {
    const questions = ["| Where? | `tree/apply/journal.ts`, `disk.ts` |"];
    assert.deepEqual(faultsOf({ questions }), ["11: there is no file src/tree/apply/disk.ts"]);
  });

  test("name no file", () => {
    const sentence = "the question is answered without the name of a file";
    assert.deepEqual(faultsOf({ questions: ["| Where? | in the disk |"] }), [`11: ${sentence}`]);
  });
});

void suite("the other text of the map", () => {
  test("may name files of the program and of the project, and all else", () => {
    const prose =
      "`tree/disk/disk.ts`, `src/main.ts`, `test/tree/races.test.ts`, `disc.ts`, `peers/`, `a b.ts`";
    assert.deepEqual(faultsOf({ prose }), []);
  });

  test("names a file that is gone", () => {
    const prose = "See `tree/disk/disc.ts`.";
    assert.deepEqual(faultsOf({ prose }), [
      "13: there is no file src/tree/disk/disc.ts or tree/disk/disc.ts",
    ]);
  });
});
