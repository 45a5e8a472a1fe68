/** Names of files that every file system takes and tells apart. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isId } from '../../../../formats/license/id.ts';
import { isReleasePath } from '../../../../signer/ledger/entries/entry-body.ts';
import { fileNameOfId } from '../../../../signer/issue/output-path.ts';

const ID_CHARACTERS = 'abcABC019._:-'.split('');
const ids = fc
  .array(fc.constantFrom(...ID_CHARACTERS), { minLength: 1, maxLength: 128 })
  .map((characters) => characters.join(''))
  .filter(isId);

describe('the name of a file for an id', () => {
  it.each(['acme-gmbh', 'acme.com', 'c1', '0', 'a_b', 'console', 'com10x', 'lpt'])(
    'is the plain id %s itself',
    (id) => {
      expect(fileNameOfId(id)).toBe(id);
    },
  );

  it.each([
    ['acme:eu', /^acme_eu~[0-9a-f]{12}$/],
    ['ACME', /^ACME~[0-9a-f]{12}$/],
    ['acme.', /^acme_~[0-9a-f]{12}$/],
    ['con', /^con~[0-9a-f]{12}$/],
    ['aux.eu', /^aux_eu~[0-9a-f]{12}$/],
    ['NUL', /^NUL~[0-9a-f]{12}$/],
    ['com1', /^com1~[0-9a-f]{12}$/],
    ['lpt9.x', /^lpt9_x~[0-9a-f]{12}$/],
  ])('is readable for %s and has no part that a file system refuses', (id, expected) => {
    expect(fileNameOfId(id)).toMatch(expected);
  });

  it('is one that Windows, exFAT and the ledger take, and no two ids share one when case does not count', () => {
    fc.assert(
      fc.property(ids, ids, (one, other) => {
        const name = fileNameOfId(one);
        expect(name).toMatch(/^[\w~.-]{1,150}$/);
        expect(name).not.toMatch(/\.$/);
        expect(name).not.toMatch(/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i);
        expect(isReleasePath(`out/${name}/1-x.vtlic`)).toBe(true);
        if (one !== other) expect(name.toLowerCase()).not.toBe(fileNameOfId(other).toLowerCase());
      }),
    );
    for (const [one, other] of [
      ['acme', 'ACME'],
      ['Acme', 'aCME'],
      ['a:b', 'a_b'],
      ['a.', 'a_'],
    ] as const)
      expect(fileNameOfId(one).toLowerCase()).not.toBe(fileNameOfId(other).toLowerCase());
  });
});
