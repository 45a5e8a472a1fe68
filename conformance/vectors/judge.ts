/** What the reference verifier says of a case, in the words of the case. */
import { fromHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { parsePublicKeys } from '../../keys/public/encodings/public-key-file.ts';
import type { Provider } from '../../keys/public/provider.ts';
import { importPublicKey } from '../../keys/public/public-key.ts';
import { builtInChain, chooseKeyset, trustOfChain } from '../../verifier/keyset/index.ts';
import { trustFromOverride } from '../../verifier/override.ts';
import type { Trust } from '../../verifier/trust.ts';
import { verify } from '../../verifier/verify.ts';
import { contextFrom, trustFrom, type PlainContext } from '../examples/plain-values.ts';
import type { Case, CaseFolder, CaseTrust, FileInput, KeysetCase, Misuse, OverrideCase } from './case.ts';
import { bytesOfInput } from './files.ts';

/** A verdict without what is scored of it. */
export type Outcome =
  | { readonly verdict: 'accepted'; readonly [detail: string]: unknown }
  | { readonly verdict: 'refused'; readonly layer?: string; readonly reason: string }
  | Misuse;

/** @throws VtlicError as `importPublicKey` and `makeTrust` */
export function trustOfCase(trust: CaseTrust): Trust {
  return trustFrom(trust, ({ alg, publicKey }) => importPublicKey(alg, fromHex(publicKey) ?? new Uint8Array()));
}

/** Codes by which settings are refused. */
const SETTINGS: ReadonlySet<string> = new Set(['configuration_invalid', 'key_invalid', 'json_malformed']);

/** What `make` gives, or the refusal that it throws. @param as the code under which it counts */
function takenOrRefused(make: () => Outcome, as?: string): Outcome {
  try {
    return make();
  } catch (error) {
    if (error instanceof VtlicError && SETTINGS.has(error.code))
      return { verdict: 'refused', reason: as ?? error.code };
    throw error;
  }
}

function judgeLicense(file: Uint8Array, trust: Trust, context: PlainContext, provider?: Provider): Outcome {
  const verdict = verify(file, trust, {
    ...contextFrom(context),
    ...(provider === undefined ? {} : { provider }),
  });
  return verdict.ok
    ? { verdict: 'accepted', state: verdict.state }
    : { verdict: 'refused', layer: verdict.layer, reason: verdict.reason };
}

/** What `judge` gives, or that the context is an error of the caller. */
function orMisuse(judge: () => Outcome): Outcome {
  try {
    return judge();
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'usage') return { verdict: 'misuse' };
    throw error;
  }
}

function judgeOverride(value: OverrideCase, folder: CaseFolder, provider?: Provider): Outcome {
  const { builtIn, variables, files = {}, license, context } = value;
  const readFile = (path: string): Uint8Array => {
    const input = files[path];
    if (input === undefined) throw new Error(`no file ${path}`);
    return bytesOfInput(input, folder.files);
  };
  const trust = trustFromOverride(variables, trustOfCase(builtIn), readFile);
  return {
    verdict: 'accepted',
    trust: comparableTrust(trust),
    ...judgedLicense(license, trust, context, folder, provider),
  };
}

/** The verdict on a license, where the case of a setting has one. */
function judgedLicense(
  license: FileInput | undefined,
  trust: Trust,
  context: PlainContext | undefined,
  { files }: CaseFolder,
  provider?: Provider,
): { readonly license?: Outcome } {
  if (license === undefined || context === undefined) return {};
  return { license: judgeLicense(bytesOfInput(license, files), trust, context, provider) };
}

function judgeKeyset(value: KeysetCase, folder: CaseFolder, provider?: Provider): Outcome {
  const { files } = folder;
  const { issuer, requireComposite, builtIn, state, keyset, license, context } = value;
  const compiledIn = requireComposite === undefined ? {} : { requireComposite };
  const { chain, source, notices } = chooseKeyset({
    builtIn: builtInChain(bytesOfInput(builtIn, files), { issuer, ...compiledIn }),
    ...(state === undefined ? {} : { state: state.map((input) => bytesOfInput(input, files)) }),
    ...(keyset === undefined ? {} : { file: bytesOfInput(keyset, files) }),
    ...(provider === undefined ? {} : { provider }),
  });
  return {
    verdict: 'accepted',
    version: chain.newest.version,
    source,
    notices: notices.map((notice) => ({ source: notice.source, reason: notice.reason })),
    ...judgedLicense(license, trustOfChain(chain, compiledIn), context, folder, provider),
  };
}

/** Everything but histories, which take time (`judge-history.ts`). */
export function judgeCase(folder: CaseFolder, provider?: Provider): Outcome {
  const { value, files } = folder;
  switch (value.operation) {
    case 'verify': {
      const trust = trustOfCase(value.trust);
      const license = bytesOfInput(value.license, files);
      return orMisuse(() => judgeLicense(license, trust, value.context, provider));
    }
    case 'trust':
      return takenOrRefused(() => {
        trustOfCase(value.trust);
        return { verdict: 'accepted' };
      }, 'configuration_invalid');
    case 'key-file':
      return takenOrRefused(() => ({
        verdict: 'accepted',
        kids: parsePublicKeys(bytesOfInput(value.keyFile, files)).map(({ kid }) => kid),
      }));
    case 'override':
      return takenOrRefused(() => judgeOverride(value, folder, provider));
    case 'keyset':
      return takenOrRefused(() => judgeKeyset(value, folder, provider));
    case 'history':
      break;
  }
  throw new Error(`${value.id} is a history`);
}

/** Whether an outcome is the expected one, in everything that the case scores. */
export function agrees(value: Exclude<Case, { readonly operation: 'history' }>, outcome: Outcome): boolean {
  const { expected } = value;
  if (expected.verdict === 'misuse') return outcome.verdict === 'misuse';
  if (expected.verdict === 'refused')
    return outcome.verdict === 'refused' && (expected.scored === 'verdict' || sameReason(expected, outcome));
  if (outcome.verdict !== 'accepted') return false;
  if (value.operation === 'override' && 'trust' in expected)
    return (
      sameJson(outcome['trust'], comparableTrust(trustOfCase(expected.trust))) &&
      sameJson(outcome['license'] ?? null, withoutScored(expected.license ?? null))
    );
  return sameJson(outcome, withoutScored(expected));
}

function sameReason(
  expected: { readonly layer?: string; readonly reason: string },
  outcome: { readonly layer?: string; readonly reason: string },
): boolean {
  return expected.reason === outcome.reason && expected.layer === outcome.layer;
}

function withoutScored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, item: unknown) => (key === 'scored' ? undefined : item)));
}

/** A trust without an order that means nothing. */
function comparableTrust({ keys, ...rest }: Trust): unknown {
  return {
    ...rest,
    keys: keys.map(({ key, ...entry }) => ({ kid: key.kid, ...entry })).sort((a, b) => (a.kid < b.kid ? -1 : 1)),
  };
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (value instanceof Map) return sorted(Object.fromEntries(value));
  if (value instanceof Set) return [...value].sort();
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
