/**
 * The generated blocks of docs/examples-of-format.md. Each is between two comments, `<!-- made: NAME -->` and `<!--
 * /made -->`; everything else in the document is written by hand. Values longer than 128 bytes are given by their
 * SHA-256: their bytes are in docs/examples/examples.json.
 */
import { toHex } from '../../formats/bytes.ts';
import { decodeCbor } from '../../formats/cbor/decode.ts';
import type { CborValue } from '../../formats/cbor/value.ts';
import { CLAIM_KEYS } from '../../formats/license/license.ts';
import { exportPublicKey } from '../../keys/public/encodings/public-key-file.ts';
import { nodeProvider } from '../../keys/public/provider-node.ts';
import { diagnostic } from '../../conformance/examples/cbor-diagnostic.ts';
import { exampleFiles } from '../../conformance/examples/example-files.ts';
import type { ExampleKey } from '../../conformance/examples/example-keys.ts';
import { compositeLicense, ed25519License, type ExampleLicense } from '../../conformance/examples/example-licenses.ts';
import { judgedExamples } from '../../conformance/examples/judged-examples.ts';
import { keyFileExamples } from '../../conformance/examples/key-file-examples.ts';
import { minimalPayload } from '../../conformance/examples/minimal-payload.ts';
import { overrideExamples } from '../../conformance/examples/override-examples.ts';
import type { Group, Input } from '../../conformance/examples/small-example.ts';
import { smallExamples } from '../../conformance/examples/small-examples.ts';
import { trustExamples } from '../../conformance/examples/trust-examples.ts';

const CLAIM_NAMES: ReadonlyMap<CborValue, string> = new Map(
  Object.entries(CLAIM_KEYS)
    .filter(([, key]) => typeof key === 'number')
    .map(([name, key]): [CborValue, string] => [key, name]),
);
const HEADER_NAMES: ReadonlyMap<CborValue, string> = new Map<CborValue, string>([
  [1, 'alg'],
  [4, 'kid'],
  [16, 'typ'],
]);

const HEX_DIGITS_A_LINE = 64;

export function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

export function hexBlock(bytes: Uint8Array): string {
  return fenced(
    'hex',
    toHex(bytes)
      .match(new RegExp(`.{1,${HEX_DIGITS_A_LINE}}`, 'g'))
      ?.join('\n') ?? '',
  );
}

function licenseBlocks(example: ExampleLicense): readonly (readonly [string, string])[] {
  const { name } = example.key;
  const { composite, ed25519 } = example;
  const blocks: (readonly [string, string])[] = [
    ['seeds', seedTable(example.key)],
    ['kid', hexBlock(nodeProvider.sha256(example.coseKey))],
    ['claims', fenced('cbor-diag', diagnostic(decodeCbor(example.payload), CLAIM_NAMES))],
    ['payload-sha256', hexBlock(example.payloadDigest)],
    ['header', fenced('cbor-diag', diagnostic(decodeCbor(example.protectedBytes), HEADER_NAMES))],
    ['protected', hexBlock(example.protectedBytes)],
    ['r', hexBlock(ed25519.r)],
    ['s', hexBlock(ed25519.s)],
    ['k', hexBlock(ed25519.k)],
    ['digests', digestTable(example)],
  ];
  if (composite === undefined) {
    blocks.push(['public-key', hexBlock(example.key.publicKey.bytes)], ['kid-input', hexBlock(example.coseKey)]);
    for (const form of ['pem', 'jwk', 'raw'] as const)
      blocks.push([
        form,
        fenced(
          form === 'jwk' ? 'json' : 'text',
          new TextDecoder().decode(exportPublicKey(example.key.publicKey, form)),
        ),
      ]);
    blocks.push(['der', hexBlock(exportPublicKey(example.key.publicKey, 'der'))]);
  } else {
    blocks.push(
      ['ed25519-half', hexBlock(example.key.publicKey.ed25519)],
      ['sha512', hexBlock(composite.sigStructureSha512)],
      ['message', hexBlock(composite.message)],
      ['tr', hexBlock(composite.tr)],
      ['mu', hexBlock(composite.mu)],
    );
  }
  return blocks.map(([key, block]) => [`${name}-${key}`, block] as const);
}

function seedTable({ ed25519Seed, mldsa65Seed }: ExampleKey): string {
  const rows = [
    ...(mldsa65Seed === undefined ? [] : [['ML-DSA-65', mldsa65Seed] as const]),
    ['Ed25519', ed25519Seed] as const,
  ];
  return [
    '| seed of | ASCII, 32 bytes | hex |',
    '|---|---|---|',
    ...rows.map(([component, seed]) => `| ${component} | \`${seed}\` | \`${Buffer.from(seed).toString('hex')}\` |`),
  ].join('\n');
}

const sha256 = (bytes: Uint8Array): string => toHex(nodeProvider.sha256(bytes));

function digestTable(example: ExampleLicense): string {
  const { composite, key } = example;
  const mldsa65 = key.publicKey.mldsa65;
  const values: readonly (readonly [string, Uint8Array | undefined])[] = [
    ['ML-DSA-65 public key', mldsa65],
    ['public key', mldsa65 && key.publicKey.bytes],
    ['kid input (COSE_Key)', mldsa65 && example.coseKey],
    ['payload', example.payload],
    ['Sig_structure', example.sigStructure],
    ['ML-DSA-65 signature', composite?.mldsa65Signature],
    ['signature', composite && example.signature],
    ['COSE_Sign1', example.cose],
  ];
  return [
    '| value | bytes | SHA-256 |',
    '|---|---|---|',
    ...values.flatMap(([what, bytes]) =>
      bytes === undefined ? [] : [`| ${what} | ${bytes.length} | \`${sha256(bytes)}\` |`],
    ),
  ].join('\n');
}

function fileTable(): string {
  return [
    '| file | bytes | SHA-256 |',
    '|---|---|---|',
    ...[...exampleFiles()].map(
      ([name, bytes]) => `| [${name}](examples/${name}) | ${bytes.length} | \`${sha256(bytes)}\` |`,
    ),
  ].join('\n');
}

function smallTable(group: Group, head: string): string {
  const rows = smallExamples.filter((example) => example.group === group);
  return [
    `| example | ${head} | what | result |`,
    '|---|---|---|---|',
    ...rows.map(
      (example) => `| ${example.id} | ${inputInWords(example.input)} | ${example.what} | \`${example.expected}\` |`,
    ),
  ].join('\n');
}

/** Line ends and everything that is not printable ASCII as JSON escapes. */
function escaped(text: string): string {
  const json = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return json === '' ? '' : `\`${json}\``;
}

function inputInWords(input: Input): string {
  switch (input.kind) {
    case 'text':
      return escaped(input.text);
    case 'fill':
      return `${input.count} × \`${input.byte.toString(16).padStart(2, '0')}\``;
    case 'decoded':
      return `\`${input.hex}\``;
    case 'bytes':
      return shown(input.hex);
    case 'payload':
      return input.hex === '' ? 'payload: no bytes' : `payload ${shown(input.hex)}`;
    case 'entries':
      break;
  }
  return input.entries
    .map(({ key, value }) => (value === undefined ? `without \`${key}\`` : `\`${key}\` → ${shown(value)}`))
    .join(', ');
}

const MOST_DIGITS_SHOWN = 320;

/** Hex; of what is too long for a table, the beginning and the length. */
function shown(digits: string): string {
  return digits.length <= MOST_DIGITS_SHOWN
    ? `\`${digits}\``
    : `\`${digits.slice(0, 32)}…\` (${digits.length / 2} bytes)`;
}

function judgedTable(): string {
  return [
    '| example | what | verdict |',
    '|---|---|---|',
    ...judgedExamples.map(({ id, what, expected }) => `| ${id} | ${what} | \`${expected}\` |`),
  ].join('\n');
}

function trustTable(): string {
  return [
    '| example | what | result |',
    '|---|---|---|',
    ...trustExamples.map(
      ({ id, what, expected }) => `| ${id} | ${what} | ${expected === 'taken' ? expected : `\`${expected}\``} |`,
    ),
  ].join('\n');
}

function keyFileTable(): string {
  const result = (kids: readonly string[] | undefined): string =>
    kids === undefined ? 'refused' : kids.length === 1 ? '1 key' : `${kids.length} keys`;
  return [
    '| example | what | result |',
    '|---|---|---|',
    ...keyFileExamples.map(({ id, what, kids }) => `| ${id} | ${what} | ${result(kids)} |`),
  ].join('\n');
}

function overrideTable(): string {
  return [
    '| example | what | result |',
    '|---|---|---|',
    ...overrideExamples.map(
      ({ id, what, expected }) =>
        `| ${id} | ${what} | ${expected === 'configuration_invalid' ? `\`${expected}\`` : 'taken'} |`,
    ),
  ].join('\n');
}

function minimalBlock(): string {
  return `${fenced('cbor-diag', diagnostic(decodeCbor(minimalPayload), CLAIM_NAMES))}\n\n${hexBlock(minimalPayload)}`;
}

/** Name → Markdown. */
export function documentBlocks(): ReadonlyMap<string, string> {
  return new Map([
    ...licenseBlocks(ed25519License),
    ...licenseBlocks(compositeLicense),
    ['files', fileTable()] as const,
    ['minimal', minimalBlock()] as const,
    ['small-file', smallTable('file', 'file')] as const,
    ['small-cbor', smallTable('cbor', 'bytes in the armor')] as const,
    ['small-cose', smallTable('cose', 'bytes in the armor')] as const,
    ['small-claims', smallTable('claims', 'payload, or entries of the minimal one')] as const,
    ['trusts', trustTable()] as const,
    ['key-files', keyFileTable()] as const,
    ['overrides', overrideTable()] as const,
    ['judged', judgedTable()] as const,
  ]);
}

const BLOCK = /(<!-- made: ([a-z0-9-]+) -->\n)[^]*?(<!-- \/made -->)/g;

/**
 * The document with every block made anew. @throws for a block in the document that nobody makes, or a made one that
 * it lacks
 */
export function withBlocks(document: string, blocks: ReadonlyMap<string, string> = documentBlocks()): string {
  const used = new Set<string>();
  const result = document.replace(BLOCK, (_, begin: string, name: string, end: string) => {
    const block = blocks.get(name);
    if (block === undefined) throw new Error(`the document has a block "${name}" that nobody makes`);
    used.add(name);
    return `${begin}\n${block}\n\n${end}`;
  });
  for (const name of blocks.keys()) if (!used.has(name)) throw new Error(`the document lacks the block "${name}"`);
  return result;
}
