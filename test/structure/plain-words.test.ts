/** Code, messages and documents do without the phrases of `plain-words.ts`. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../docs/messages/syntax.ts';
import { UNCLEAR_PHRASES } from './plain-words.ts';

/** Two files name the phrases in order to refuse them; the page is written from the sources. */
const LISTS = ['test/structure/plain-words.ts', 'test/structure/plain-words.test.ts', 'docs/messages.md'];

/** Tracked and new files; `vectors/` is data with titles of its own. */
function texts(): readonly string[] {
  return execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.ts', '*.md', '*.py', '*.go', '*.rs', '*.java'],
    { cwd: ROOT, encoding: 'utf8' },
  )
    .split('\n')
    .filter((path) => path !== '' && !path.startsWith('vectors/') && !LISTS.includes(path));
}

function unclearIn(path: string, text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, i) =>
      UNCLEAR_PHRASES.filter(({ find }) => find.test(line)).map(
        ({ find, write }) => `${path}:${i + 1}: "${find.exec(line)?.[0]}"; write: ${write}`,
      ),
    );
}

describe('the words of code, messages and documents', () => {
  it('have none of the phrases that a reader had to read twice', () => {
    const files = texts();
    expect(files.length).toBeGreaterThan(500);
    expect(files.flatMap((path) => unclearIn(path, readFileSync(join(ROOT, path), 'utf8')))).toEqual([]);
  });

  it.each([
    ['a comma should stand here', 'should stand'],
    ['the key stands twice in it', 'stands twice'],
    ['it should lie between 1 and 5', 'should lie'],
    ['the anchor comes to lie elsewhere', 'comes to lie'],
    ['whom it names stays closed', 'whom it names'],
    ['by who follows the record', 'who follows the record'],
    ['a plan, held against the rules', 'held against'],
    ['at entry 4 it tells another history', 'tells another history'],
    ['"seatz" is not known here', 'not known here'],
    ['it holds nothing of worth', 'of worth'],
    ['the plan no longer stands', 'no longer stands'],
    ['the file may have gone with another hand', 'with another hand'],
    ['by way of a text', 'By way of'],
    ['this is done at a terminal alone', 'at a terminal alone'],
    ['not spelled in the one way that is allowed', 'in the one way that is allowed'],
    ['a truncated file is told from an altered one', 'is told from'],
    ['the clock is looked at again', 'looked at again'],
    ['the signature does not hold', 'does not hold'],
    ['the anchor stands there already', 'stands there'],
    ['the anchor lies beside the site', 'lies beside'],
    ['an anchor that vouches for a ledger', 'vouches'],
    ['a row that says otherwise than the record', 'says otherwise'],
    ['the customer that a document speaks of', 'speaks of'],
    ['the licenses in hand were finished', 'licenses in hand'],
    ['and it is not said which is meant', 'it is not said'],
    ['characters that nobody sees', 'nobody sees'],
    ['a kid has 64 hex digits, but "ab" came', 'came'],
    ['a retired key signs no more', 'signs no more'],
    ['the results say what became of every row', 'what became of'],
    ['2 license(s) to reissue', 'license(s)'],
    ['the rest of the lineage at hand', 'at hand'],
    ['a refused PIN says nothing of the ledger', 'says nothing of'],
    ['so many lines are kept', 'so many lines are kept'],
    ["counters come back on the officer's word", "officer's word"],
    ['a kid in the file is not believed', 'not believed'],
    ['it gives way to the keys of the override', 'gives way to'],
    ['the command leaves with the exit code of the run', 'leaves with the exit code'],
  ])('refuse "%s"', (line) => {
    expect(unclearIn('example.md', line)).toHaveLength(1);
  });
});
