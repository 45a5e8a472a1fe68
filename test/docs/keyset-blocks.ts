/** The generated blocks of docs/keysets.md. */
import { decodeCbor } from '../../formats/cbor/decode.ts';
import type { CborValue } from '../../formats/cbor/value.ts';
import { signerStructure } from '../../formats/cose-sign.ts';
import { sha256Hex } from '../../files/index.ts';
import { KEYSET_REASONS } from '../../verifier/keyset/reasons.ts';
import { testKey } from '../../conformance/examples/keysets.ts';
import { diagnostic } from '../../conformance/examples/cbor-diagnostic.ts';
import { fenced, hexBlock } from './document-blocks.ts';
import {
  judgedKeysets,
  KEY_NAMES,
  textOf,
  workedChain,
  type JudgedKeyset,
} from '../../conformance/examples/keyset-examples.ts';

const HEADER_NAMES: ReadonlyMap<CborValue, string> = new Map<CborValue, string>([
  [1, 'alg'],
  [4, 'kid'],
  [16, 'typ'],
]);

/** Hex of more bytes than a line has, shortened: the whole is in keysets.json. */
function shortened(text: string): string {
  return text.replaceAll(/h'([0-9a-f]{24})[0-9a-f]{120,}([0-9a-f]{8})'/g, "h'$1…$2'");
}

function keyTable(): string {
  const seed = (text: string | undefined): string => (text === undefined ? '' : `\`${text}\``);
  return [
    '| key | seed of Ed25519, ASCII | seed of ML-DSA-65, ASCII | kid |',
    '|---|---|---|---|',
    ...KEY_NAMES.map(testKey).map(
      ({ name, ed25519Seed, mldsa65Seed, publicKey }) =>
        `| ${name} | ${seed(ed25519Seed)} | ${seed(mldsa65Seed)} | \`${publicKey.kid}\` |`,
    ),
  ].join('\n');
}

function reasonTable(): string {
  return [
    '| reason | | sentence | remedy |',
    '|---|---|---|---|',
    ...Object.entries(KEYSET_REASONS).map(
      ([reason, { layer, sentence, remedy }]) => `| \`${reason}\` | ${layer} | ${sentence} | ${remedy} |`,
    ),
  ].join('\n');
}

function chainTable(): string {
  const name = (kid: string): string => KEY_NAMES.find((one) => testKey(one).publicKey.kid === kid) ?? kid;
  return [
    '| version | signed by | payload, bytes | SHA-256 of the payload | COSE_Sign, bytes |',
    '|---|---|---|---|---|',
    ...workedChain.map(
      ({ number, bytes, cose }) =>
        `| ${number} | ${cose.signers.map(({ kid }) => name(kid)).join(', ')} | ${cose.payload.length} | \`${sha256Hex(cose.payload)}\` | ${bytes.length} |`,
    ),
  ].join('\n');
}

function judgedTable(): string {
  const sources = ({ notices }: JudgedKeyset['expected']): string =>
    notices.map(({ source, reason }) => `${source}: \`${reason}\``).join(', ');
  return [
    '| example | what | version that counts | from | notices |',
    '|---|---|---|---|---|',
    ...judgedKeysets.map(
      ({ id, what, expected }) =>
        `| ${id} | ${what} | ${expected.version} | ${expected.source} | ${sources(expected)} |`,
    ),
  ].join('\n');
}

/** Name → Markdown. */
export function keysetBlocks(): ReadonlyMap<string, string> {
  const [first] = workedChain;
  const signer = first?.cose.signers[0];
  if (first === undefined || signer === undefined) throw new Error('there is no worked keyset');
  const { cose } = first;
  return new Map([
    ['reasons', reasonTable()],
    ['keys', keyTable()],
    ['chain', chainTable()],
    ...workedChain.map((one): [string, string] => [
      `payload-${one.number}`,
      fenced('cbor-diag', shortened(diagnostic(decodeCbor(one.cose.payload)))),
    ]),
    ['payload-bytes', hexBlock(cose.payload)],
    ['body-protected', hexBlock(cose.protectedBytes)],
    ['signer-header', fenced('cbor-diag', diagnostic(decodeCbor(signer.protectedBytes), HEADER_NAMES))],
    ['signer-protected', hexBlock(signer.protectedBytes)],
    ['sig-structure', hexBlock(signerStructure(cose.protectedBytes, signer.protectedBytes, cose.payload))],
    ['signature', hexBlock(signer.signature)],
    ['cose', hexBlock(first.bytes)],
    ['block', fenced('text', textOf(first.block))],
    ['judged', judgedTable()],
  ]);
}
