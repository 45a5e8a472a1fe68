/**
 * In place of `vitest` where changes of a source are tried: collects the tests of a file, so that single ones run many
 * times in one process. `expect` and `vi` are Vitest's own.
 */
import { expect as vitestExpect, vi as vitestVi } from 'vitest';

export const expect: typeof vitestExpect = vitestExpect;
export const vi: typeof vitestVi = vitestVi;

type Act = (...args: readonly unknown[]) => unknown;

interface Block {
  readonly parent: Block | undefined;
  readonly hooks: Readonly<Record<'beforeAll' | 'beforeEach' | 'afterEach' | 'afterAll', Act[]>>;
}

export interface CollectedTest {
  readonly title: string;
  readonly block: Block;
  readonly act: Act;
}

const newBlock = (parent?: Block): Block => ({
  parent,
  hooks: { beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] },
});

let block: Block = newBlock();
let tests: CollectedTest[] = [];
let titles: readonly string[] = [];

/** The tests that `load` collects, by importing a file of tests. */
export async function collected(load: () => Promise<unknown>): Promise<readonly CollectedTest[]> {
  [block, tests, titles] = [newBlock(), [], []];
  await load();
  return tests;
}

const actOf = (args: readonly unknown[]): Act =>
  (args.find((arg) => typeof arg === 'function') as Act | undefined) ?? ((): void => undefined);

function addTest(title: string, ...args: readonly unknown[]): void {
  tests.push({ title: [...titles, title].join(' > '), block, act: actOf(args) });
}

function addBlock(title: string, ...args: readonly unknown[]): void {
  const [outer, outerTitles] = [block, titles];
  [block, titles] = [newBlock(outer), [...titles, title]];
  try {
    actOf(args)();
  } finally {
    [block, titles] = [outer, outerTitles];
  }
}

type Adder = typeof addTest;

const each =
  (add: Adder) =>
  (rows: readonly unknown[]) =>
  (title: string, ...args: readonly unknown[]): void => {
    // As Vitest does it: an array is one value where a row is none.
    const areLists = rows.every((row) => Array.isArray(row));
    for (const [i, row] of rows.entries()) {
      const values = areLists ? (row as readonly unknown[]) : [row];
      add(`${title} #${i + 1}`, () => actOf(args)(...values));
    }
  };

const withVariants = (add: Adder): Adder =>
  Object.assign((title: string, ...args: readonly unknown[]): void => add(title, ...args), {
    each: each(add),
    runIf: (condition: unknown) => (condition === true ? add : (): void => undefined),
    skipIf: (condition: unknown) => (condition === true ? (): void => undefined : add),
  });

export const it: Adder = withVariants(addTest);
export const describe: Adder = withVariants(addBlock);

export const beforeAll = (act: Act): void => void block.hooks.beforeAll.push(act);
export const beforeEach = (act: Act): void => void block.hooks.beforeEach.push(act);
export const afterEach = (act: Act): void => void block.hooks.afterEach.push(act);
export const afterAll = (act: Act): void => void block.hooks.afterAll.push(act);

/** Runs one test with all hooks around it. @throws what the test or a hook throws */
export async function runTest({ block: inner, act }: CollectedTest): Promise<void> {
  const blocks: Block[] = [];
  for (let at: Block | undefined = inner; at !== undefined; at = at.parent) blocks.unshift(at);
  try {
    for (const { hooks } of blocks) for (const hook of hooks.beforeAll) await hook();
    for (const { hooks } of blocks) for (const hook of hooks.beforeEach) await hook();
    await act();
  } finally {
    for (const { hooks } of blocks.toReversed()) for (const hook of hooks.afterEach.toReversed()) await hook();
    for (const { hooks } of blocks.toReversed()) for (const hook of hooks.afterAll.toReversed()) await hook();
  }
}
