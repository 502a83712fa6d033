/** Which tests judge the mutants of which files. */
export interface Suite {
  /** The files begin with this. */
  readonly prefix: string;
  /** Patterns of test files, from the project's root. */
  readonly tests: readonly string[];
  /** So many seeds of the simulation judge, too: what no unit test catches, faults of the network may bring out. */
  readonly seeds: number;
}

/** As many as `make test` runs every time. */
const SEEDS = 200;

export const SUITES: readonly Suite[] = [
  { prefix: "src/base/", tests: ["test/base/*.test.ts"], seeds: 0 },
  { prefix: "src/wire/", tests: ["test/wire/*.test.ts"], seeds: 0 },
  { prefix: "src/net/", tests: ["test/net/*.test.ts"], seeds: 0 },
  {
    prefix: "src/engine/",
    tests: ["test/engine/*.test.ts", "test/simulation/{order,scale,bottleneck}.test.ts"],
    seeds: SEEDS,
  },
  { prefix: "src/tree/", tests: ["test/tree/**/*.test.ts", "test/durability/*.test.ts"], seeds: 0 },
  { prefix: "test/mutants/fixture/", tests: ["test/mutants/fixture/*.checks.ts"], seeds: 0 },
];

/** The files that are judged where none are named. */
export const USUAL_FILES = [
  "src/base/**/*.ts",
  "src/wire/**/*.ts",
  "src/net/**/*.ts",
  "src/engine/**/*.ts",
  "src/tree/{decide,apply}/**/*.ts",
] as const;

/** The suite of a file; for those of other folders the tests of the folder's own name. */
export function suiteOf(file: string): Suite {
  const known = SUITES.find(({ prefix }) => file.startsWith(prefix));
  if (known !== undefined) return known;
  const folder = file.split("/")[1] ?? "";
  return { prefix: `src/${folder}/`, tests: [`test/${folder}/*.test.ts`], seeds: 0 };
}
