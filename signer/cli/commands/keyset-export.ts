/** `vtlic keyset export`: what product teams build in or configure, from the published chain. Needs no site. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { concatBytes } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { createDurably } from '../../../files/index.ts';
import { digestWordLines } from '../../plan/digest-words.ts';
import {
  coseKeySet,
  environmentLines,
  explainedPemBlocks,
  jwkSet,
  pemBlocks,
  productKeysOf,
  type ProductKeys,
} from '../../product-keys/product-keys.ts';
import { SOURCE_LANGUAGES, sourceFile, type SourceLanguage } from '../../product-keys/source-files.ts';
import { formatRows, type ViewRow } from '../../summary/license-summary.ts';
import { readPublishedChain } from '../chain-file.ts';
import type { Io } from '../io.ts';
import { newFilePath, oneOf } from '../options.ts';

type Form = 'chain' | 'env' | 'pem' | 'jwks' | 'cose' | SourceLanguage;

const FORMS: readonly Form[] = ['chain', 'env', 'pem', 'jwks', 'cose', ...SOURCE_LANGUAGES];

interface ExportOptions {
  readonly form: Form;
  readonly package?: string;
  readonly explain?: boolean;
  readonly out?: string;
}

const HELP = `
Forms:
  chain       the chain itself, as it is published
  env         LICENSE_PUBLIC_KEY and LICENSE_MLDSA_PUBLIC_KEY
  pem         SPKI, a composite key as two blocks; with --explain, version and
              thumbprints are before the blocks as text (RFC 7468), which
              OpenSSL skips, and a product with our own verifier refuses
  jwks, cose  a JWK Set, a COSE_KeySet
  the others  a source file with the chain and the keys built in
The command checks that every version of CHAIN follows from the one before.
Compare the version and the words that it shows with those of the vendor.

Examples:
  vtlic keyset export chain.keyset --form env
  vtlic keyset export chain.keyset --form go --package license --out keys.go`;

export function addKeysetExport(parent: Command, io: Io): void {
  const isForm = (text: string): text is Form => FORMS.some((form) => form === text);
  parent
    .command('export <chain>')
    .description('writes the keys of a chain for products')
    .requiredOption('--form <form>', FORMS.join(', '), oneOf(isForm, FORMS))
    .option('--package <name>', 'package of the Go or Java file, namespace of the C# file')
    .option('--explain', 'with pem: version and thumbprints as text before the blocks')
    .option('--out <file>', 'write it to this new file (default: standard output)')
    .addHelpText('after', HELP)
    .action(async (name: string, options: ExportOptions) => {
      const product = productKeysOf(readPublishedChain(resolve(io.cwd, name)));
      const bytes = encode(product, options);
      const path = options.out === undefined ? undefined : newFilePath(io, options.out);
      for (const line of view(product)) io.err(line);
      if (path === undefined) {
        io.out(bytes);
        return;
      }
      await createDurably(path, bytes, 0o644, { folderExists: true });
      io.err(`wrote ${cleanText(path, 1000)}`);
    });
}

function encode(product: ProductKeys, options: ExportOptions): Uint8Array {
  const { form } = options;
  if (options.explain === true && form !== 'pem')
    throw new VtlicError(
      'usage',
      '--explain is for the form pem: the other forms contain the version and the thumbprints',
      {
        hint: 'leave --explain out',
      },
    );
  if (SOURCE_LANGUAGES.some((language) => language === form))
    return sourceFile(product, form as SourceLanguage, options.package);
  if (options.package !== undefined)
    throw new VtlicError('usage', `the form ${form} has no package`, { hint: 'leave --package out' });
  switch (form) {
    case 'env':
      return environmentLines(product);
    case 'pem':
      return options.explain === true ? explainedPemBlocks(product) : pemBlocks(product);
    case 'jwks':
      return jwkSet(product);
    case 'cose':
      return coseKeySet(product);
    default:
      return concatBytes(product.chain);
  }
}

function view({ issuer, version, payloadDigest, keys }: ProductKeys): readonly string[] {
  const rows: ViewRow[] = [
    ['issuer', issuer],
    ['version', String(version)],
    ...keys.flatMap(({ publicKey, status }): ViewRow[] => [
      ['key', publicKey.kid],
      ['', `${publicKey.alg}, ${status}`],
    ]),
    ['payload SHA-256', payloadDigest],
  ];
  return [...formatRows(rows), ...digestWordLines(payloadDigest)];
}
