/** Inputs of one fault each, with what a verifier says of them: Appendix B of docs/format.md. */
import { armor } from '../../formats/armor.ts';
import { utf8 } from '../../formats/bytes.ts';
import { CBOR_ROWS } from './cbor-examples.ts';
import { CLAIMS_ROWS } from './claims-examples.ts';
import { COSE_ROWS } from './cose-examples.ts';
import { ed25519Key } from './example-keys.ts';
import { sealed } from './example-licenses.ts';
import { FILE_ROWS } from './file-examples.ts';
import { payloadOf } from './minimal-payload.ts';
import { bytesOf, type Group, type Input, type Row, type SmallExample } from './small-example.ts';

function examplesOf(group: Group, rows: readonly Row[]): readonly SmallExample[] {
  return rows.map(([id, input, what, expected]) => Object.freeze({ id, group, input, what, expected }));
}

export const smallExamples: readonly SmallExample[] = Object.freeze([
  ...examplesOf('file', FILE_ROWS),
  ...examplesOf('cbor', CBOR_ROWS),
  ...examplesOf('cose', COSE_ROWS),
  ...examplesOf('claims', CLAIMS_ROWS),
]);

function filled({ byte, count }: { readonly byte: number; readonly count: number }): Uint8Array {
  return new Uint8Array(count).fill(byte);
}

/** The file of an example, byte for byte. */
export function fileOf(input: Input): Uint8Array {
  switch (input.kind) {
    case 'text':
      return utf8(input.text);
    case 'bytes':
      return bytesOf(input.hex);
    case 'fill':
      return input.of === 'file' ? filled(input) : armor('VTLIC', filled(input));
    case 'decoded':
      return armor('VTLIC', bytesOf(input.hex));
    case 'payload':
      return utf8(sealed(ed25519Key, bytesOf(input.hex)).file);
    case 'entries':
      break;
  }
  return utf8(sealed(ed25519Key, payloadOf(input.entries)).file);
}
