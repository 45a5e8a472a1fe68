/** Keys as a person names them in a command that drafts a keyset: by name, by kid, or as a public key in a file. */
import { resolve } from 'node:path';
import { cleanText } from '../../formats/clean-text.ts';
import type { CoseKey } from '../../formats/cose-key.ts';
import { VtlicError } from '../../formats/error.ts';
import { ISSUING_PURPOSES, type IssuingPurpose, type Keyset } from '../../formats/keyset/keyset.ts';
import type { KeyPurpose } from '../../keys/public/key-purpose.ts';
import { kidOfKey } from '../keyset/changes.ts';
import type { PublishedVersion } from '../keyset/published.ts';
import type { NameOfKey } from '../keyset/view.ts';
import type { LedgerView } from '../ledger/index.ts';
import type { Site } from '../site/site.ts';
import type { Io } from './io.ts';
import { readTrustFile } from './options.ts';

export interface DraftingContext {
  readonly io: Io;
  readonly site: Site;
  readonly ledger: LedgerView;
  readonly versions: readonly PublishedVersion[];
  /** What the changes are made to: the draft of `--onto`, else the newest published version. */
  readonly current: Keyset | undefined;
  /** Seconds since 1970. */
  readonly now: number;
}

export function nameOfSite({ config }: Site): NameOfKey {
  return (kid) => config.keys.find(({ publicKey }) => publicKey.kid === kid)?.name;
}

/** A key that a person named, and its purpose, where this site or a published keyset says one. */
export interface NamedKey extends CoseKey {
  readonly purpose?: KeyPurpose;
}

/**
 * A key as a person names it: a key of the site by its name, a key of a published keyset by its kid, or `file:PATH`.
 *
 * @throws VtlicError `key_not_found`, or `usage` for a key that this site or a published keyset has for another purpose
 */
export function findKey(context: DraftingContext, text: string, role: 'root' | 'issuing'): NamedKey {
  const key = text.startsWith('file:') ? keyOfFile(context, text.slice('file:'.length)) : keyByName(context, text);
  const { site, versions } = context;
  const kid = kidOfKey(key);
  const own = site.config.keys.find(({ publicKey }) => publicKey.kid === kid);
  const isRoot = versions.some(({ keyset }) => keyset.roots.some((root) => kidOfKey(root) === kid));
  const issuing = versions.flatMap(({ keyset }) => keyset.keys).find((other) => kidOfKey(other) === kid);
  const purpose = own?.purpose ?? (isRoot ? 'root' : issuing?.purpose);
  if (purpose === undefined) return key;
  const fits = role === 'root' ? purpose === 'root' : purpose === 'license' || purpose === 'license-key';
  if (fits) return { ...key, purpose };
  throw new VtlicError(
    'usage',
    `the key ${own?.name ?? kid} has the purpose ${purpose}, but ${ROLE_WORDS[role]} is needed here`,
    { hint: 'one key has one purpose: name another key, see: vtlic key list' },
  );
}

/**
 * A key that signs, with the purpose that it has or gets. A public key in a file does not say its purpose, and a keyset
 * gives a purpose for ever: so the person who names the file has to say it.
 *
 * @param wanted what `--purpose` says of the key
 */
export function findIssuingKey(
  context: DraftingContext,
  text: string,
  wanted?: IssuingPurpose,
): { readonly key: CoseKey; readonly purpose: IssuingPurpose } {
  const key = findKey(context, text, 'issuing');
  const purpose = key.purpose === 'license' || key.purpose === 'license-key' ? key.purpose : wanted;
  if (purpose === undefined)
    throw new VtlicError(
      'usage',
      `the file of the key ${cleanText(text, 200)} does not say whether it signs licenses or license keys`,
      {
        hint: `say it with --purpose ${cleanText(text, 200)}=license, or with =license-key`,
      },
    );
  if (wanted === undefined || wanted === purpose) return { key, purpose };
  throw new VtlicError('usage', `the key ${cleanText(text, 200)} has the purpose ${purpose}, not ${wanted}`, {
    hint: 'leave --purpose out: the site or a published keyset knows the purpose',
  });
}

/** `KEY=license` or `KEY=license-key`; KEY may contain `=` in a path. */
export function purposesOf(texts: readonly string[]): Map<string, IssuingPurpose> {
  return new Map(
    texts.map((text) => {
      const at = text.lastIndexOf('=');
      const purpose = ISSUING_PURPOSES.find((known) => known === text.slice(at + 1));
      if (at > 0 && purpose !== undefined) return [text.slice(0, at), purpose];
      throw new VtlicError('usage', `--purpose takes KEY=license or KEY=license-key, not ${cleanText(text, 200)}`);
    }),
  );
}

function keyOfFile({ io }: DraftingContext, path: string): CoseKey {
  const keys = readTrustFile(io, path);
  const [key] = keys;
  if (key !== undefined && keys.length === 1) return { alg: key.alg, publicBytes: key.bytes };
  throw new VtlicError('key_invalid', `the file has ${keys.length} public keys, but exactly one is expected`, {
    file: resolve(io.cwd, path),
    hint: 'export each key into a file of its own: vtlic key export NAME --out FILE',
  });
}

function keyByName({ site, versions }: DraftingContext, text: string): CoseKey {
  const own = site.config.keys.find(({ name, publicKey }) => name === text || publicKey.kid === text);
  if (own !== undefined) return { alg: own.algorithm, publicBytes: own.publicKey.bytes };
  const published = versions
    .flatMap(({ keyset }): readonly CoseKey[] => [...keyset.roots, ...keyset.keys])
    .findLast((key) => kidOfKey(key) === text);
  if (published !== undefined) return { alg: published.alg, publicBytes: published.publicBytes };
  throw new VtlicError('key_not_found', `neither this site nor a published keyset has a key ${cleanText(text, 80)}`, {
    file: site.paths.site,
    hint: 'name a key of vtlic key list, a kid of vtlic keyset show, or file:PATH of a public key',
  });
}

const ROLE_WORDS = { root: 'a root', issuing: 'a key that signs licenses' } as const;
