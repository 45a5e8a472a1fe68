import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { decodeContent, digestOf, encodeContent, readPasted } from '../../../../verifier/admin/pasted.ts';
import { licenseFile } from '../sample.ts';

let license: string;
beforeAll(async () => {
  license = new TextDecoder().decode(await licenseFile());
});

describe('what an operator gave to the page', () => {
  it('is one of a text and a file, not both and not neither', () => {
    expect(readPasted('', undefined)).toBe('fault_nothing');
    expect(readPasted(' \r\n\t', new Uint8Array())).toBe('fault_nothing');
    // A field that should be a file, and is a text.
    expect(readPasted('', license)).toBe('fault_nothing');
    expect(readPasted(license, utf8(license))).toBe('fault_both');
    expect(readPasted(' \n', utf8(license))).toEqual({ text: license, repairs: [] });
    expect(readPasted(license, new Uint8Array())).toEqual({ text: license, repairs: [] });
  });

  it('is repaired where it was pasted, and the line ends of a browser are no damage', () => {
    expect(readPasted(license.replaceAll('\n', '\r\n'), undefined)).toEqual({ text: license, repairs: [] });
    expect(readPasted(license.replaceAll(/^/gm, '> ').replaceAll('\n', '\r\n'), undefined)).toEqual({
      text: license,
      repairs: ['quote marks'],
    });
  });

  it('stays as it is where it cannot be repaired, with the reason', () => {
    expect(readPasted('Dear Acme,\r\n', undefined)).toEqual({
      text: 'Dear Acme,\n',
      repairs: [],
      unrepaired: 'no_block',
    });
  });

  it('is exactly the content of a file, and only text', () => {
    const file = `\ufeff${license.replaceAll('\n', '\r\n')}`;
    expect(readPasted('', utf8(file))).toEqual({ text: file, repairs: [] });
    expect(readPasted('', Uint8Array.of(0xff))).toBe('fault_file_text');
  });
});

describe('the content in a hidden field', () => {
  it.each(['a', 'a\r\nb\n', '\ufeff\u00e4', '\u0000'])('is the text again: %j', (text) => {
    expect(decodeContent(encodeContent(text))).toBe(text);
  });

  it.each([
    ['nothing', ''],
    ['no base64', '**'],
    ['base64 without its padding', 'YQ'],
    ['base64 for URLs', '-_-_'],
    ['base64 with bits behind its end', 'YR=='],
    ['base64 of what is not UTF-8', '//8='],
  ])('is not %s', (_what, content) => {
    expect(decodeContent(content)).toBeUndefined();
  });

  it('is confirmed by its SHA-256 in lower-case hex', () => {
    expect(digestOf(license)).toBe(createHash('sha256').update(license).digest('hex'));
    expect(digestOf('a')).toBe('ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb');
  });
});
