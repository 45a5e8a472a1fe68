/** docs/messages.md and the sources agree. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findMessages } from '../../docs/messages/find-messages.ts';
import { messagesPage } from '../../docs/messages/messages-page.ts';
import { ROOT } from '../../docs/messages/syntax.ts';

describe('docs/messages.md', () => {
  it('has every message of the sources', { timeout: 60_000 }, () => {
    const page = readFileSync(join(ROOT, 'docs/messages.md'), 'utf8');
    expect(page === messagesPage(), 'run: node test/docs/make-messages.ts').toBe(true);
  });

  it('says once what can be wrong with a member and with a whole document', () => {
    const rows = messagesPage().split('\n');
    const repeated = rows.filter(
      (row) => row.startsWith('| the document ') && rows.includes(row.replace('the document', '"{path}"')),
    );
    expect(repeated).toEqual([]);
    expect(rows.filter((row) => row.startsWith('| "{path}" ')).length).toBeGreaterThan(50);
  }, 60_000);

  it('gives the sentence that a caller hands to the function that makes the error', { timeout: 60_000 }, () => {
    const { messages } = findMessages(['formats', 'signer/anchor']);
    expect(messages).toContainEqual(
      expect.objectContaining({ code: 'checks_failed', sentence: expect.stringMatching(/checkpoint/) as string }),
    );
  });
});
