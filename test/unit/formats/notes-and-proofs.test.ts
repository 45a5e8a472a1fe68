import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex, utf8 } from '../../../formats/bytes.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../../formats/checkpoint.ts';
import { decodeNote, encodeNote, isNoteKeyName, noteMessage, type NoteSignature } from '../../../formats/note.ts';
import {
  decodeConsistencyProof,
  decodeInclusionProof,
  encodeConsistencyProof,
  encodeInclusionProof,
  isConsistencyProof,
  isInclusionProof,
} from '../../../formats/tlog-proof.ts';
import { verifySignature } from '../../../keys/public/verify-signature.ts';
import { sha256 } from '../../../signer/ledger/entries/chain.ts';
import { decodeLogKey } from '../../../signer/ledger/tree/log-key.ts';
import { thrown } from '../../support/thrown.ts';

function refusal(fn: () => unknown): string {
  const { code, message } = thrown(fn);
  expect(code).toBe('checks_failed');
  return message;
}

const SIGNATURE = { name: 'example.com/log', keyId: Uint8Array.of(1, 2, 3, 4), signature: new Uint8Array(64).fill(9) };

describe('a note', () => {
  it('comes back as it went, also with empty lines in its text and more signatures', () => {
    const text = 'first\n\n\nlast\n';
    const note = encodeNote(text, [SIGNATURE, { ...SIGNATURE, name: 'witness' }]);
    expect(decodeNote(utf8(note))).toEqual({ text, signatures: [SIGNATURE, { ...SIGNATURE, name: 'witness' }] });
  });

  it.each([
    ['no signature', 'text\n\n', 'not end with a signature line'],
    ['no empty line', 'text\n', 'no empty line'],
    ['no text', '\n\n\u2014 a AQIDBAU=\n', 'no empty line'],
    ['a signature line in another form', 'text\n\n\u2014 a\n', 'signature line'],
    ['a signature line of one word', 'text\n\n\u2014\n', 'signature line'],
    ['no name', 'text\n\n\u2014  AQIDBAU=\n', 'signature line'],
    ['an empty line between its signatures', 'text\n\n\u2014 a AQIDBAU=\n\n', 'signature line'],
    ['a unit separator', 'te\u001fxt\n\n\u2014 a AQIDBAU=\n', 'control characters'],
    ['a NUL', 'te\u0000xt\n\n\u2014 a AQIDBAU=\n', 'control characters'],
    ['nothing', '', 'no empty line'],
    ['no last newline', 'text\n\n\u2014 a AQIDBAU=', 'not end with a signature line'],
    ['a hyphen for the dash', 'text\n\n- a AQIDBAU=\n', 'signature line'],
    ['two blanks', 'text\n\n\u2014  a AQIDBAU=\n', 'signature line'],
    ['a plus in the name', 'text\n\n\u2014 a+b AQIDBAU=\n', 'signature line'],
    ['a no-break blank in the name', 'text\n\n\u2014 a\u00a0b AQIDBAU=\n', 'signature line'],
    ['an id without signature', 'text\n\n\u2014 a AQIDBA==\n', 'signature line'],
    ['base64 that is not canonical', 'text\n\n\u2014 a AQIDBAV=\n', 'signature line'],
    ['something behind it', 'text\n\n\u2014 a AQIDBAU= x\n', 'signature line'],
    ['a control character', 'te\txt\n\n\u2014 a AQIDBAU=\n', 'control characters'],
    ['a carriage return', 'text\r\n\n\u2014 a AQIDBAU=\n', 'control characters'],
    ['a byte order mark before it', '\ufefftext\n\n\u2014 a AQIDBAU=\n', 'byte order mark'],
  ])('a text with %s is not a note', (_name, text, words) => {
    expect(refusal(() => decodeNote(utf8(text)))).toContain(words);
  });

  it('a text in other bytes than UTF-8 is not a note', () => {
    expect(refusal(() => decodeNote(Uint8Array.of(0xff, 10, 10, 65)))).toBe(
      'this is not a signed note: it is not UTF-8',
    );
  });

  it('has at most 1 MiB', () => {
    const end = '\n\n\u2014 a AQIDBAU=\n';
    const text = 'x'.repeat(1_048_576 - utf8(end).length);
    expect(decodeNote(utf8(text + end)).text).toBe(`${text}\n`);
    expect(refusal(() => decodeNote(utf8(`x${text}${end}`)))).toBe(
      'this is not a signed note: it is longer than 1048576 bytes',
    );
  });

  it('has at most 64 signatures', () => {
    const signed = (count: number): Uint8Array =>
      utf8(
        encodeNote(
          't\n',
          Array.from({ length: count }, () => SIGNATURE),
        ),
      );
    expect(decodeNote(signed(64)).signatures).toHaveLength(64);
    expect(refusal(() => decodeNote(signed(65)))).toBe('this is not a signed note: it has more than 64 signatures');
  });

  it('may have a text of one line, and a signature of one byte', () => {
    const note = decodeNote(utf8('t\n\n\u2014 a AQIDBAU=\n'));
    expect(note).toEqual({
      text: 't\n',
      signatures: [{ name: 'a', keyId: Uint8Array.of(1, 2, 3, 4), signature: Uint8Array.of(5) }],
    });
    expect([note, note.signatures, ...note.signatures].every((part) => Object.isFrozen(part))).toBe(true);
    expect(noteMessage(note)).toEqual(utf8('t\n'));
  });

  it.each<[string, Partial<NoteSignature>]>([
    ['text without a newline at its end', {}],
    ['\n', {}],
    ['', {}],
    ['t\n', { name: 'a b' }],
    ['t\n', { keyId: new Uint8Array(3) }],
    ['t\n', { keyId: new Uint8Array(5) }],
  ])('is not written of the text %j with %j', (text, change) => {
    expect(thrown(() => encodeNote(text, [{ ...SIGNATURE, ...change }]))).toMatchObject({ code: 'internal' });
  });

  it('names keys without blanks and plus signs', () => {
    expect(['a', 'example.com/log42', 'ä'].every(isNoteKeyName)).toBe(true);
    expect(['', 'a b', 'a+b', ' a', 'a ', 'a\u2003b', 'a\nb', 'a\n', 'a\u0000', 'a\u007f'].some(isNoteKeyName)).toBe(
      false,
    );
  });

  it("is the example of Go's golang.org/x/mod/sumdb/note, with its key and signature", () => {
    const key = decodeLogKey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
    const note = decodeNote(
      utf8(
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
          '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
      ),
    );
    const [{ name, keyId, signature } = SIGNATURE] = note.signatures;
    expect([name, toHex(keyId)]).toEqual([key.name, 'c74f20a3']);
    expect(verifySignature(key.publicKey, noteMessage(note), signature)).toBe(true);
  });
});

describe('a checkpoint', () => {
  const root = new Uint8Array(32).fill(7);

  it('is the example of its specification', () => {
    const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
    const checkpoint = decodeCheckpoint(text);
    expect(checkpoint).toEqual({
      origin: 'example.com/behind-the-sofa',
      size: 20_852_163,
      root: fromHex('0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62'),
    });
    expect(encodeCheckpoint(checkpoint)).toBe(text);
  });

  it('may be of an empty tree, and may have lines that mean nothing here', () => {
    const empty = sha256(new Uint8Array());
    expect(decodeCheckpoint(`${encodeCheckpoint({ origin: 'o', size: 0, root: empty })}extension\nanother\n`)).toEqual({
      origin: 'o',
      size: 0,
      root: empty,
    });
  });

  it.each([
    ['zeros', new Uint8Array(32)],
    ['the root of another tree', root],
  ])('a checkpoint of an empty tree has the hash of nothing as its root, not %s', (_, wrong) => {
    expect(refusal(() => decodeCheckpoint(encodeCheckpoint({ origin: 'o', size: 0, root: wrong })))).toContain(
      'no leaves',
    );
  });

  it('may be of 2^53-1 leaves', () => {
    const size = Number.MAX_SAFE_INTEGER;
    const checkpoint = decodeCheckpoint(encodeCheckpoint({ origin: 'o', size, root }));
    expect(checkpoint).toEqual({ origin: 'o', size, root });
    expect(Object.isFrozen(checkpoint)).toBe(true);
  });

  it.each([
    ['o\n01\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n', 'size'],
    ['o\n-1\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n', 'size'],
    ['o\n1e3\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n', 'size'],
    ['o\n1 \nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n', 'size'],
    ['o\n\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n', 'size'],
    ['o\n9007199254740992\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n', 'size'],
    ['', 'origin'],
    ['\n', 'origin'],
    ['o\n', 'size'],
    ['\n1\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n', 'origin'],
    ['o\n1\nBwc=\n', 'root'],
    ['o\n1\n', 'root'],
    ['o\n1\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd=\n', 'root'],
    ['o\n1\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n', 'empty'],
    ['o\n1\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=', 'origin'],
  ])('%j is none', (text, words) => {
    expect(refusal(() => decodeCheckpoint(text))).toContain(words);
  });
});

describe('a proof', () => {
  const hashes = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const checkpoint = encodeNote(encodeCheckpoint({ origin: 'o', size: 9, root: new Uint8Array(32) }), [SIGNATURE]);

  it.each([
    [Uint8Array.of(1, 2), 73_894, hashes],
    [undefined, 0, []],
  ])('a proof that a leaf is in a log comes back as it went', (extra, index, list) => {
    const text = encodeInclusionProof({ extra, index, hashes: list, checkpoint });
    expect(text.startsWith('c2sp.org/tlog-proof@v1\n')).toBe(true);
    expect(decodeInclusionProof(utf8(text))).toEqual({ extra, index, hashes: list, checkpoint: utf8(checkpoint) });
  });

  it('a proof that a log only grew comes back as it went', () => {
    for (const list of [hashes, []])
      expect(decodeConsistencyProof(utf8(encodeConsistencyProof({ from: 5, hashes: list, checkpoint })))).toEqual({
        from: 5,
        hashes: list,
        checkpoint: utf8(checkpoint),
      });
  });

  it.each([
    ['c2sp.org/tlog-proof@v2\nindex 0\n\nx', 'first line'],
    ['\ufeffc2sp.org/tlog-proof@v1\nindex 0\n\nx', 'first line'],
    ['\u200bc2sp.org/tlog-proof@v1\nindex 0\n\nx', 'first line'],
    ['\n\nx', 'first line'],
    ['c2sp.org/tlog-proof@v1\n\nx', 'index'],
    ['c2sp.org/tlog-proof@v1\nindexes 0\n\nx', 'index'],
    ['c2sp.org/tlog-proof@v1\nextra AA==\n\nx', 'index'],
    ['c2sp.org/tlog-proof@v1\nindex 0', 'no empty line'],
    ['', 'no empty line'],
    ['c2sp.org/tlog-proof@v1\nindex 00\n\nx', 'index'],
    ['c2sp.org/tlog-proof@v1\nextra *\nindex 0\n\nx', 'base64'],
    ['c2sp.org/tlog-proof@v1\nindex 0\nextra AA==\n\nx', 'hash'],
    ['c2sp.org/tlog-proof@v1\nindex 0\nAA==\n\nx', 'hash'],
    ['c2sp.org/tlog-proof@v1\nindex 0\n', 'no empty line'],
    [
      `c2sp.org/tlog-proof@v1\nindex 0\n${'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n'.repeat(107)}\nx`,
      'more hashes',
    ],
  ])('%j is none', (text, words) => {
    expect(refusal(() => decodeInclusionProof(utf8(text)))).toContain(words);
  });

  it('a proof has at most 106 hashes', () => {
    const list = Array.from({ length: 106 }, (_, i) => new Uint8Array(32).fill(i));
    const encoded = encodeConsistencyProof({ from: 1, hashes: list, checkpoint });
    expect(decodeConsistencyProof(utf8(encoded)).hashes).toEqual(list);
  });

  it.each([
    ['c2sp.org/tlog-proof@v1\nindex 0\n\nx', true, false],
    ['c2sp.org/tlog-proof@v1', false, false],
    ['c2sp.org/tlog-proof@v2\nindex 0\n\nx', false, false],
    ['xc2sp.org/tlog-proof@v1\n', false, false],
    ['old 1\n\nx', false, true],
    ['old', false, false],
    ['bold 1\n\nx', false, false],
    ['', false, false],
  ])('knows which proof %j begins as', (text, inclusion, consistency) => {
    expect([isInclusionProof(utf8(text)), isConsistencyProof(utf8(text))]).toEqual([inclusion, consistency]);
  });

  it('keeps the bytes of the checkpoint, whatever they are', () => {
    const rest = Uint8Array.of(0xef, 0xbb, 0xbf, 10, 10, 0xff);
    const read = decodeInclusionProof(concatBytes(utf8('c2sp.org/tlog-proof@v1\nindex 0\n\n'), rest));
    expect(read).toEqual({ extra: undefined, index: 0, hashes: [], checkpoint: rest });
    expect(decodeConsistencyProof(utf8('old 1\n\n')).checkpoint).toEqual(new Uint8Array());
  });

  it('refuses a proof of another kind', () => {
    for (const text of ['old x\n\nc', '\ufeffold 1\n\nc'])
      expect(refusal(() => decodeConsistencyProof(utf8(text)))).toContain('size of the older tree');
    expect(
      refusal(() =>
        decodeConsistencyProof(utf8(encodeInclusionProof({ extra: undefined, index: 1, hashes, checkpoint }))),
      ),
    ).toContain('size of the older tree');
  });
});
