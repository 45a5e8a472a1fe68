/**
 * docs/format.md and the code agree, and its examples are made anew, judged, and recomputed without the code that made
 * them.
 */
import { createHash, createPublicKey, verify as nodeVerify } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Point } from '@noble/ed25519';
import { Decoder } from 'cbor-x/index-no-eval';
import { describe, expect, it } from 'vitest';
import { LICENSE_LIMITS } from '../../../formats/armor.ts';
import { equalBytes, fromHex, toHex, utf8 } from '../../../formats/bytes.ts';
import { TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError, type ErrorCode } from '../../../formats/error.ts';
import { CLAIM_KEYS } from '../../../formats/license/license.ts';
import { parsePublicKeys } from '../../../keys/public/encodings/public-key-file.ts';
import { KEY_PURPOSES } from '../../../keys/public/key-purpose.ts';
import { nobleProvider } from '../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../keys/public/provider-node.ts';
import type { VerifyContext } from '../../../verifier/context.ts';
import { trustFromOverride } from '../../../verifier/override.ts';
import { REASONS, type Reason } from '../../../verifier/reasons.ts';
import { makeTrust, type Trust } from '../../../verifier/trust.ts';
import { verify } from '../../../verifier/verify.ts';
import { withBlocks } from '../../docs/document-blocks.ts';
import { exampleFiles } from '../../../conformance/examples/example-files.ts';
import { compositeKey, ed25519Key } from '../../../conformance/examples/example-keys.ts';
import { trustOf, type ExampleTrust } from '../../../conformance/examples/example-trust.ts';
import { judgedExamples } from '../../../conformance/examples/judged-examples.ts';
import { contextFrom } from '../../../conformance/examples/plain-values.ts';
import { keyFileExamples } from '../../../conformance/examples/key-file-examples.ts';
import { DOCS } from '../../docs/make-examples.ts';
import { overrideExamples } from '../../../conformance/examples/override-examples.ts';
import { padded } from '../../../conformance/examples/small-example.ts';
import { fileOf, smallExamples } from '../../../conformance/examples/small-examples.ts';
import { trustExamples } from '../../../conformance/examples/trust-examples.ts';
import { torsionPoints } from '../../../conformance/examples/torsion-points.ts';

const textOf = (name: string): string => readFileSync(join(DOCS, name), 'utf8');

const document = textOf('format.md');
const examplesDocument = textOf('examples-of-format.md');

/** The verifier's part of docs/format.md ends here, after at most so many lines. */
const END_OF_VERIFIER_PART = '<!-- end of what a verifier needs -->';
const MAX_VERIFIER_LINES = 500;

/** Documents that name sections of docs/format.md. */
const DOCUMENTS = ['format.md', 'examples-of-format.md', 'library-notes.md', 'keysets.md', 'runtime.md'];

/** The anchors of a document's headings, as GitHub makes them. */
const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    ),
  );

/** From one heading or other text of docs/format.md to another. */
function partOfDocument(from: string, to: string): string {
  const start = document.indexOf(from);
  const end = document.indexOf(to, start);
  if (start < 0 || end < 0) throw new Error(`docs/format.md has no part from "${from}" to "${to}"`);
  return document.slice(start, end);
}

const REMAKE = 'run: node test/docs/make-examples.ts';

function resultOf(file: Uint8Array, trust: Trust, context: VerifyContext): string {
  const verdict = verify(file, trust, context);
  return verdict.ok ? verdict.state : verdict.reason;
}

describe('docs/examples', () => {
  const made = exampleFiles();

  it('has exactly the files that are made', () => {
    expect(readdirSync(join(DOCS, 'examples')).sort(), REMAKE).toEqual([...made.keys()].sort());
  });

  it.each([...made])('%s is the one that is made', (name, bytes) => {
    expect(equalBytes(readFileSync(join(DOCS, 'examples', name)), bytes), REMAKE).toBe(true);
  });

  it.each(['pem', 'der', 'jwk', 'cose', 'b64'])('holds both keys as %s', (extension) => {
    for (const { name, publicKey } of [ed25519Key, compositeKey]) {
      const keys = parsePublicKeys(readFileSync(join(DOCS, 'examples', `${name}.pub.${extension}`)), { forSite: true });
      expect(keys.map(({ kid }) => kid)).toEqual([publicKey.kid]);
    }
  });
});

describe('docs/examples-of-format.md', () => {
  it('has the blocks that are made', () => {
    expect(withBlocks(examplesDocument) === examplesDocument, REMAKE).toBe(true);
  });
});

describe('docs/format.md', () => {
  it('says what a verifier needs in at most 500 lines', () => {
    const lines = document.split('\n');
    expect(lines.indexOf(END_OF_VERIFIER_PART)).toBeGreaterThan(MAX_VERIFIER_LINES / 2);
    expect(lines.indexOf(END_OF_VERIFIER_PART) + 1).toBeLessThanOrEqual(MAX_VERIFIER_LINES);
  });

  it.each(DOCUMENTS)('docs/format.md and its companions name only sections and files that exist (%s)', (name) => {
    const text = textOf(name);
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target.replaceAll(/\s/g, ''));
    expect(links.length).toBeGreaterThan(0);
    for (const target of links) {
      const [file = '', anchor] = target.split('#');
      expect(file === '' || existsSync(join(DOCS, file)), target).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(file === '' ? text : textOf(file)).has(anchor), target).toBe(true);
    }
    const numbers = new Set([...document.matchAll(/^#+ (\d+(?:\.\d+)?) /gm)].map(([, number]) => number));
    const named = [...text.matchAll(/\bsections? (\d+(?:\.\d+)?)/g)].filter(
      ({ index }) => !/(?:RFC|FIPS)\s+\d+\s+$/.test(text.slice(0, index)),
    );
    for (const [words, number] of named) expect(numbers.has(number), words).toBe(true);
    for (const id of text.match(/`(?:signature|composite)-[a-z]+-[a-z]+`/g) ?? [])
      expect(
        judgedExamples.some((example) => `\`${example.id}\`` === id),
        id,
      ).toBe(true);
  });

  it('names in its map and its checklist only sections that exist', () => {
    const numbers = new Set([...document.matchAll(/^#+ (\d+(?:\.\d+)?) /gm)].map(([, number]) => number));
    const parts = partOfDocument('### 1.2 ', '## 3 ').matchAll(/\((\d+(?:\.\d+)?(?:, \d+(?:\.\d+)?)*)\)/g);
    const named = [...parts].flatMap(([, list = '']) => list.split(', '));
    expect(named.length).toBeGreaterThan(25);
    for (const number of named) expect(numbers.has(number), number).toBe(true);
  });

  it('has in its map every reason of the verifier, with its layer, and every step, in their order', () => {
    const rows = [...partOfDocument('## 2 ', '## 3 ').matchAll(/^\| (\d+) \| (\S+) \| `?([^ `]+)`? \|/gm)].map(
      ([, step, layer, reason]) => ({ step: Number(step), entry: `${layer ?? ''} ${reason ?? ''}` }),
    );
    expect([...new Set(rows.map(({ entry }) => entry))]).toEqual([
      ...Object.entries(REASONS).map(([reason, { layer }]) => `${layer} ${reason}`),
      '— —',
    ]);
    expect([...new Set(rows.map(({ step }) => step))]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(rows.map(({ step }) => step)).toEqual(rows.map(({ step }) => step).toSorted((a, b) => a - b));
  });

  it('gives an example of every reason and every state', () => {
    const shown = new Set<string>([...smallExamples, ...judgedExamples].map(({ expected }) => expected));
    const reasons = Object.keys(REASONS) as Reason[];
    expect([...shown].sort()).toEqual([...reasons, 'not_yet_valid', 'active', 'grace', 'lapsed'].sort());
  });
});

describe.each([nodeProvider, nobleProvider])('the verifier ($name)', (provider) => {
  const trust = makeTrust({ keys: [{ key: ed25519Key.publicKey, purpose: 'license', status: 'active' }] });
  const context: VerifyContext = {
    issuer: 'example-vendor',
    product: 'vaultdesk',
    deployment: 'prod-eu',
    now: 1_814_400_000,
    defaultGrace: 0,
    provider,
  };

  it('gives each small example the verdict that the document lists', () => {
    const wrong = smallExamples.filter(({ input, expected }) => resultOf(fileOf(input), trust, context) !== expected);
    expect(wrong.map(({ id }) => id)).toEqual([]);
  });

  it('gives each judged example the verdict that the document lists', () => {
    const encoder = new TextEncoder();
    const wrong = judgedExamples.filter(
      (example) =>
        resultOf(encoder.encode(example.file), trustOf(example.trust), {
          ...contextFrom(example.context),
          provider,
        }) !== example.expected,
    );
    expect(wrong.map(({ id }) => id)).toEqual([]);
  });
});

/** What `make` gives, or that it throws one of these codes; any other error is thrown on. */
function madeOrRefused<T>(make: () => T, ...codes: readonly ErrorCode[]): T | 'refused' {
  try {
    return make();
  } catch (error) {
    if (error instanceof VtlicError && codes.includes(error.code)) return 'refused';
    throw error;
  }
}

describe('what comes before a license', () => {
  it('a trust value is taken or refused as each example says', () => {
    const wrong = trustExamples.filter(
      ({ trust, expected }) =>
        (madeOrRefused(() => trustOf(trust), 'key_invalid', 'configuration_invalid') === 'refused') !==
        (expected === 'configuration_invalid'),
    );
    expect(wrong.map(({ id }) => id)).toEqual([]);
  });

  it('a file of public keys gives the keys of each example, or is refused', () => {
    const found = keyFileExamples.map(({ id, file, pad }) => [
      id,
      madeOrRefused(() => parsePublicKeys(padded(file, pad)).map(({ kid }) => kid), 'key_invalid', 'json_malformed'),
    ]);
    expect(found).toEqual(keyFileExamples.map(({ id, kids }) => [id, kids ?? 'refused']));
  });

  it('the environment gives the trust of each example, or is refused', () => {
    const values = ({ keys, ...rest }: Trust): unknown => ({
      ...rest,
      keys: keys
        .map(({ key, ...entry }) => ({ kid: key.kid, ...entry }))
        .toSorted((a, b) => a.kid.localeCompare(b.kid)),
    });
    const trustValues = (trust: ExampleTrust): unknown => values(trustOf(trust));
    const found = overrideExamples.map(({ id, builtIn, variables, files }) => {
      const readFile = (path: string): Uint8Array => {
        const file = files?.[path];
        if (file === undefined) throw new Error(`no file ${path}`);
        return typeof file === 'string' ? utf8(file) : padded(utf8(file.file), file.pad);
      };
      const trust = madeOrRefused(
        () => trustFromOverride(variables, trustOf(builtIn), readFile),
        'configuration_invalid',
      );
      return [id, trust === 'refused' ? trust : values(trust)];
    });
    expect(found).toEqual(
      overrideExamples.map(({ id, expected }) => [
        id,
        expected === 'configuration_invalid' ? 'refused' : trustValues(expected),
      ]),
    );
  });
});

/** From here on nothing of the project's code but hex: the words of the document, and node:crypto. */
describe('the licenses of Appendix A, by the book,', () => {
  interface Values {
    readonly [name: string]: string;
  }
  const examples = JSON.parse(readFileSync(join(DOCS, 'examples/examples.json'), 'utf8')) as {
    keys: Record<string, Values>;
    licenses: Record<string, Values>;
  };
  const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });

  const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
  const sha = (algorithm: string, ...parts: readonly Uint8Array[]): Buffer =>
    createHash(algorithm).update(Buffer.concat(parts)).digest();
  const value = (of: Values | undefined, name: string): Buffer => bytes(of?.[name] ?? '');

  /** The hex of a block in the document. */
  function block(name: string): Buffer {
    const found = new RegExp(`<!-- made: ${name} -->\\n\\n\`\`\`hex\\n([0-9a-f\\n]+)\\n\`\`\``).exec(examplesDocument);
    if (found?.[1] === undefined) throw new Error(`no block ${name}`);
    return bytes(found[1]);
  }

  /** What stands in backquotes in a line of the document, without the blanks. */
  function quoted(line: RegExp): Buffer {
    const found = line.exec(document)?.[1];
    if (found === undefined) throw new Error(`the document has no line ${String(line)}`);
    return bytes(found);
  }

  const KID_PREFIX: Record<string, Buffer> = {
    ed25519: quoted(/^\| `ed25519` \| `([0-9a-f ]+)`, then the 32 bytes \|$/m),
    composite: quoted(/^\| `ed25519\+ml-dsa-65` \| `([0-9a-f ]+)`, then the 1984 bytes \|$/m),
  };
  const SPKI_ED25519 = quoted(/^\| SPKI, DER \| `([0-9a-f ]+)`, then 32 bytes/m);
  const SPKI_MLDSA65 = quoted(/one after the other: `([0-9a-f ]+)`, then the 1952 bytes/);
  const PREFIX = quoted(/^ {7}= (436f6d[0-9a-f]+)$/m);
  const LABEL = quoted(/^ {7}= (434f4d[0-9a-f]+)$/m);

  function ed25519Holds(publicKey: Buffer, message: Buffer, signature: Buffer): boolean {
    return nodeVerify(
      null,
      message,
      createPublicKey({ key: Buffer.concat([SPKI_ED25519, publicKey]), format: 'der', type: 'spki' }),
      signature,
    );
  }

  function mldsa65Holds(publicKey: Buffer, message: Buffer, signature: Buffer, context: Buffer): boolean {
    return nodeVerify(
      null,
      message,
      { key: createPublicKey({ key: Buffer.concat([SPKI_MLDSA65, publicKey]), format: 'der', type: 'spki' }), context },
      signature,
    );
  }

  const head = (length: number): Buffer =>
    length < 24
      ? Buffer.of(0x40 + length)
      : length < 256
        ? Buffer.of(0x58, length)
        : Buffer.of(0x59, length >> 8, length & 255);

  it.each(['ed25519', 'composite'])('%s: file, COSE_Sign1, kid and Sig_structure', (name) => {
    const license = examples.licenses[name];
    const body = readFileSync(join(DOCS, 'examples', `${name}.vtlic`), 'latin1').split('\n');
    expect([body[0], body.at(-2), body.at(-1)]).toEqual(['-----BEGIN VTLIC-----', '-----END VTLIC-----', '']);
    const cose = Buffer.from(body.slice(1, -2).join(''), 'base64');
    expect(cose.toString('hex')).toBe(license?.['cose']);

    const [protectedBytes, payload, signature] = ['protected', 'payload', 'signature'].map((part) =>
      value(license, part),
    ) as [Buffer, Buffer, Buffer];
    const items = [
      head(protectedBytes.length),
      protectedBytes,
      bytes('a0'),
      head(payload.length),
      payload,
      head(signature.length),
      signature,
    ];
    expect(Buffer.concat([bytes('d284'), ...items])).toEqual(cose);
    expect(block(`${name}-protected`)).toEqual(protectedBytes);
    expect(block(`${name}-payload-sha256`)).toEqual(sha('sha256', payload));

    const kid = sha('sha256', KID_PREFIX[name] ?? Buffer.of(), value(examples.keys[name], 'publicKey'));
    expect(block(`${name}-kid`)).toEqual(kid);
    expect(decoder.decode(protectedBytes)).toEqual(
      new Map<number, unknown>([
        [1, name === 'ed25519' ? -19 : 'ed25519+ml-dsa-65'],
        [4, kid],
        [16, 'application/vnd.vtlic.license+cose'],
      ]),
    );
    const toBeSigned = Buffer.concat([
      bytes('846a5369676e617475726531'),
      head(protectedBytes.length),
      protectedBytes,
      bytes('40'),
      head(payload.length),
      payload,
    ]);
    expect(value(license, 'sigStructure')).toEqual(toBeSigned);
    for (const long of [payload, toBeSigned, cose])
      expect(examplesDocument).toContain(`| ${long.length} | \`${sha('sha256', long).toString('hex')}\` |`);
  });

  it('ed25519: the signature', () => {
    const license = examples.licenses['ed25519'];
    const signature = value(license, 'signature');
    const publicKey = block('ed25519-public-key');
    expect(Buffer.concat([block('ed25519-r'), block('ed25519-s')])).toEqual(signature);
    expect(ed25519Holds(publicKey, value(license, 'sigStructure'), signature)).toBe(true);
    expect(publicKey).toEqual(value(examples.keys['ed25519'], 'publicKey'));
    expect(block('ed25519-kid-input')).toEqual(Buffer.concat([KID_PREFIX['ed25519'] ?? Buffer.of(), publicKey]));
  });

  it('composite: M′ and both components', () => {
    const license = examples.licenses['composite'];
    const publicKey = value(examples.keys['composite'], 'publicKey');
    const message = Buffer.concat([PREFIX, LABEL, Buffer.of(0), sha('sha512', value(license, 'sigStructure'))]);
    expect(message).toHaveLength(127);
    expect(PREFIX.toString()).toBe('CompositeAlgorithmSignatures2025');
    expect(LABEL.toString()).toBe('COMPSIG-MLDSA65-Ed25519-SHA512');
    expect(block('composite-message')).toEqual(message);
    const signature = value(license, 'signature');
    expect(signature).toHaveLength(3373);
    expect(mldsa65Holds(publicKey.subarray(0, 1952), message, signature.subarray(0, 3309), LABEL)).toBe(true);
    expect(mldsa65Holds(publicKey.subarray(0, 1952), message, signature.subarray(0, 3309), Buffer.of())).toBe(false);
    expect(ed25519Holds(publicKey.subarray(1952), message, signature.subarray(3309))).toBe(true);
    expect(block('composite-ed25519-half')).toEqual(publicKey.subarray(1952));
    expect(Buffer.concat([block('composite-r'), block('composite-s')])).toEqual(signature.subarray(3309));
    const shake = (...parts: readonly Buffer[]): Buffer =>
      createHash('shake256', { outputLength: 64 }).update(Buffer.concat(parts)).digest();
    expect(block('composite-tr')).toEqual(shake(publicKey.subarray(0, 1952)));
    expect(block('composite-mu')).toEqual(shake(block('composite-tr'), bytes('001e'), LABEL, message));
  });

  it('the seeds give the keys', () => {
    for (const { name, ed25519Seed, mldsa65Seed, publicKey } of [ed25519Key, compositeKey]) {
      expect(ed25519Seed).toHaveLength(32);
      expect(mldsa65Seed?.length ?? 32).toBe(32);
      expect(examples.keys[name]?.['ed25519Seed']).toBe(Buffer.from(ed25519Seed).toString('hex'));
      expect(examples.keys[name]?.['publicKey']).toBe(toHex(publicKey.bytes));
    }
  });
});

/** Section 6.4 of docs/format.md, criteria 1 to 3, by nothing but big integers. */
describe('the criteria of a public key, by the book,', () => {
  const P = 2n ** 255n - 19n;
  const power = (base: bigint, exponent: bigint): bigint => {
    let result = 1n;
    for (let square = base % P, left = exponent; left > 0n; square = (square * square) % P, left >>= 1n)
      if ((left & 1n) === 1n) result = (result * square) % P;
    return result;
  };
  const D = ((P - 121_665n) * power(121_666n, P - 2n)) % P;
  const small = new Set([...document.matchAll(/^\| `([0-9a-f]{64})` \| [1248] \|/gm)].map(([, encoding]) => encoding));

  function isTaken(encoding: string): boolean {
    if (encoding.length !== 64 || small.has(encoding)) return false;
    const number = BigInt(`0x${toHex((fromHex(encoding) ?? new Uint8Array()).toReversed())}`);
    const y = number & (2n ** 255n - 1n);
    if (y >= P || ['01' + '00'.repeat(30) + '80', 'ec' + 'ff'.repeat(31)].includes(encoding)) return false;
    const u = (y * y + P - 1n) % P;
    const v = (D * y * y + 1n) % P;
    return power(u * v, (P - 1n) / 2n) <= 1n;
  }

  it('are those of the examples of Appendix B.5', () => {
    expect(document).toContain(`d = ${D}`);
    let judged = 0;
    for (const { id, trust, expected } of trustExamples) {
      const [entry] = trust.keys;
      if (
        entry === undefined ||
        typeof entry.key === 'string' ||
        (entry.key.alg !== 'ed25519' && entry.key.publicKey.length !== 2 * 1984)
      )
        continue;
      expect(isTaken(entry.key.publicKey.slice(entry.key.alg === 'ed25519' ? 0 : 2 * 1952)), id).toBe(
        expected === 'taken',
      );
      judged++;
    }
    expect(judged).toBeGreaterThan(15);
    for (const { publicKey } of [ed25519Key, compositeKey]) expect(isTaken(toHex(publicKey.ed25519))).toBe(true);
  });
});

describe('the numbers in docs/format.md', () => {
  it('are the eight encodings of small order, and L', () => {
    const listed = [...document.matchAll(/^\| `([0-9a-f]{64})` \| [1248] \|/gm)].map(([, encoding]) => encoding);
    expect(listed.toSorted()).toEqual(
      torsionPoints()
        .map((point) => point.toHex())
        .sort(),
    );
    const order = toHex((fromHex(Point.CURVE().n.toString(16).padStart(64, '0')) ?? new Uint8Array()).toReversed());
    expect(document).toContain(`\nL = ${order} `);
    expect(Point.CURVE().n).toBe(2n ** 252n + 27742317777372353535851937790883648493n);
  });

  it('are those of the code: sizes, claims, kinds of signed things, purposes', () => {
    expect(document).toContain(`more than ${LICENSE_LIMITS.fileBytes.toLocaleString('en')} bytes (96 KiB) as read`);
    expect(document).toContain(`decoded bytes are more than ${LICENSE_LIMITS.decodedBytes.toLocaleString('en')}`);

    const claims = partOfDocument('### 7.2 ', '### 7.3 ');
    const rows = [...claims.matchAll(/^\| `(\w+)`(?: (\w+))? \| (.*?) \| (required|optional) \|/gm)].map(
      ([, key = '', name, , need]) => [name ?? key, /^\d+$/.test(key) ? Number(key) : key, need],
    );
    const REQUIRED = new Set<string>(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'cti', 'ctr', 'tier', 'seats']);
    expect(rows).toEqual(
      Object.entries(CLAIM_KEYS).map(([name, key]) => [name, key, REQUIRED.has(name) ? 'required' : 'optional']),
    );

    const typs = [...partOfDocument('### 12.1 ', '### 12.2 ').matchAll(/^\| \w.* \| `(application[^`]+)` \|$/gm)].map(
      ([, typ]) => typ,
    );
    expect(typs).toEqual(Object.values(TYP));
    expect(document.replaceAll(/\s+/g, ' ')).toContain(
      `The purposes are ${KEY_PURPOSES.slice(0, -1)
        .map((purpose) => `\`${purpose}\``)
        .join(', ')} and \`${KEY_PURPOSES.at(-1)}\`.`,
    );
  });
});
