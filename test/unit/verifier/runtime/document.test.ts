import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NOTICES } from '../../../../verifier/runtime/index.ts';
import { ROOT } from '../../../support/run-cli.ts';

describe('the table of sentences in docs/runtime.md', () => {
  it('is that of the code, with one whole sentence and one remedy a code', () => {
    const text = readFileSync(join(ROOT, 'docs/runtime.md'), 'utf8');
    const rows = [...text.slice(text.indexOf('\n## Sentences\n')).matchAll(/^\| `(\w+)` \| (.+?) +\| (.+?) +\|$/gm)];
    expect(rows.map(([, code, sentence, remedy]) => [code, sentence, remedy])).toEqual(
      Object.entries(NOTICES).map(([code, { sentence, remedy }]) => [code, sentence, remedy]),
    );
    for (const { sentence, remedy } of Object.values(NOTICES))
      for (const words of [sentence, remedy]) expect(words).toMatch(/^[A-Z].*\.$/);
  });
});
