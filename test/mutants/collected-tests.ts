/**
 * Takes the place of node:test in a process that judges mutants: it keeps the tests instead of running them, so that each
 * can be run again and again by itself.
 */

type Work = (context: Context) => unknown;

/** The hooks of one test file. */
interface Hooks {
  readonly before: Work[];
  readonly beforeEach: Work[];
  readonly afterEach: Work[];
  hasBegun: boolean;
}

export interface CollectedTest {
  readonly name: string;
  readonly work: Work;
  readonly hooks: Hooks;
}

/** What a test is handed. */
class Context {
  readonly name: string;
  readonly ends: Work[] = [];

  constructor(name: string) {
    this.name = name;
  }

  after(work: Work): void {
    this.ends.push(work);
  }

  skip(): void {}

  diagnostic(): void {}
}

const freshHooks = (): Hooks => ({ before: [], beforeEach: [], afterEach: [], hasBegun: false });

export const collected: CollectedTest[] = [];
let hooks = freshHooks();

/** The tests that follow are those of another file. */
export function beginFile(): void {
  hooks = freshHooks();
}

export function test(name: string, ...rest: [Work] | [{ skip?: unknown }, Work]): void {
  const work = rest.at(-1) as Work;
  if (rest.length === 2 && Boolean(rest[0].skip)) return;
  collected.push({ name, work, hooks });
}

export const it = test;

export function suite(_name: string, work: () => void): void {
  work();
}

export const describe = suite;

export const before = (work: Work) => hooks.before.push(work);
export const beforeEach = (work: Work) => hooks.beforeEach.push(work);
export const afterEach = (work: Work) => hooks.afterEach.push(work);

/** What files leave behind goes with the process. */
export function after(): void {}

export default test;

/** Runs one test. Throws what it throws. */
export async function run({ name, work, hooks: own }: CollectedTest): Promise<void> {
  const context = new Context(name);
  try {
    if (!own.hasBegun) for (const hook of own.before) await hook(context);
    own.hasBegun = true;
    for (const hook of own.beforeEach) await hook(context);
    await work(context);
  } finally {
    for (const hook of [...own.afterEach, ...context.ends]) await hook(context);
  }
}
