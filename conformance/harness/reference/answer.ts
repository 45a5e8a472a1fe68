/**
 * The reference verifier as a harness: what `main.ts` writes to standard output, and what the tests of the kit ask
 * without a process. A request comes from the runner, which is trusted; `verify()` judges what is in it.
 */
import { sha256Hex } from '../../../files/index.ts';
import { VtlicError } from '../../../formats/error.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { isAlgorithm } from '../../../formats/cose-algorithm.ts';
import { parsePublicKeys } from '../../../keys/public/encodings/public-key-file.ts';
import { importPublicKey, type PublicKey } from '../../../keys/public/public-key.ts';
import { trustFromOverride, verify, type Trust, type Verdict } from '../../../verifier/index.ts';
import { builtInChain, chooseKeyset, trustOfChain } from '../../../verifier/keyset/index.ts';
import { contextFrom, trustFrom, type PlainContext } from '../../examples/plain-values.ts';
import type { Answer, Request, WireTrust } from '../../protocol/protocol.ts';
import { Installation } from './installation.ts';

/** What a verifier of the kit is asked; a mutant is one with a part replaced. */
export interface Judge {
  readonly verify: (license: Uint8Array, trust: WireTrust, context: PlainContext) => Answer;
  readonly installation: (request: Extract<Request, { op: 'reset' }>) => Installation;
}

export const REFERENCE: Judge = {
  verify: (license, trust, context) => answerOf(verify(license, readTrust(trust), contextFrom(context))),
  installation: ({ trust, context, clock }) => new Installation(readTrust(trust), context, clock),
};

/** @returns a function that answers one request after the other, with the state of one installation */
export function answering(judge: Judge = REFERENCE): (request: Request) => Answer {
  let installation: Installation | undefined;
  return (request) => {
    try {
      if (request.op === 'reset') installation = judge.installation(request);
      return answer(request, judge, installation);
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      if (error.code === 'configuration_invalid') return { verdict: 'configuration_invalid' };
      if (error.code === 'usage') return { verdict: 'misuse' };
      if (request.op === 'read-keys') return { verdict: 'refused', reason: error.code };
      throw error;
    }
  };
}

function answer(request: Request, judge: Judge, installation: Installation | undefined): Answer {
  switch (request.op) {
    case 'verify':
      return judge.verify(bytes(request.license), request.trust, request.context);
    case 'reset':
      return { verdict: 'none' };
    case 'install':
      return answerOf(existing(installation).install(bytes(request.license)));
    case 'set-time':
      return answerOf(existing(installation).setTime(request.clock, request.ran ?? 0));
    case 'rotate':
      return answerOf(existing(installation).rotate(readTrust(request.trust)));
    case 'restart': {
      const { license, ...rest } = request;
      return answerOf(
        existing(installation).restart({ ...rest, ...(license === undefined ? {} : { license: bytes(license) }) }),
      );
    }
    case 'choose-keyset':
      return chosenKeyset(request);
    case 'override': {
      const { trust, environment, files = {}, license, context } = request;
      const made = trustFromOverride(environment, readTrust(trust), (path) => {
        const file = files[path];
        if (file === undefined) throw new Error(`there is no file ${path}`);
        return bytes(file);
      });
      const keys = made.keys.map(({ key, purpose, status }) => ({ alg: key.alg, kid: key.kid, purpose, status }));
      return { ...judged(license, made, context), keys, requireComposite: made.requireComposite };
    }
    default: {
      const keys = parsePublicKeys(bytes(request.file));
      return { keys: keys.map(({ alg, kid }) => ({ alg, kid, purpose: undefined, status: undefined })) };
    }
  }
}

function existing(installation: Installation | undefined): Installation {
  if (installation === undefined) throw new Error('a history begins with "reset"');
  return installation;
}

function chosenKeyset(request: Extract<Request, { op: 'choose-keyset' }>): Answer {
  const { issuer, builtIn, state = [], file, requireComposite = false, license, context } = request;
  const chosen = chooseKeyset({
    builtIn: builtInChain(bytes(builtIn), { issuer, requireComposite }),
    state: state.map(bytes),
    ...(file === undefined ? {} : { file: bytes(file) }),
  });
  const notices = chosen.notices.map(({ source, reason }) => ({ source, reason }));
  return {
    ...judged(license, trustOfChain(chosen.chain, { requireComposite }), context),
    version: chosen.chain.newest.version,
    source: chosen.source,
    notices,
  };
}

/** The verdict on the license of a request about a setting, where it has one. */
function judged(license: string | undefined, trust: Trust, context: PlainContext | undefined): Answer {
  return license === undefined || context === undefined
    ? {}
    : answerOf(verify(bytes(license), trust, contextFrom(context)));
}

/** @param verdict absent: there is no license in place */
export function answerOf(verdict: Verdict | undefined): Answer {
  if (verdict === undefined) return { verdict: 'none' };
  if (!verdict.ok) return { verdict: 'refused', layer: verdict.layer, reason: verdict.reason };
  const { state, payloadDigest, lineage } = verdict;
  return { verdict: 'accepted', state, payloadDigest, lineage };
}

const trusts = new Map<string, Trust>();

/** A search asks with few trusts, many times: checking their keys again each time would take most of its time. */
export function readTrust(wire: WireTrust): Trust {
  const text = sha256Hex(Buffer.from(JSON.stringify(wire)));
  const known = trusts.get(text);
  if (known !== undefined) return known;
  const trust = trustFrom(wire, ({ alg, public: bytesOfKey }) => importKey(alg, bytes(bytesOfKey)));
  if (trusts.size > 100) trusts.clear();
  trusts.set(text, trust);
  return trust;
}

/** Words that are no purpose or status reach `makeTrust`, which refuses them. */
function importKey(alg: string, raw: Uint8Array): PublicKey {
  if (!isAlgorithm(alg)) throw new VtlicError('configuration_invalid', `there is no algorithm ${cleanText(alg)}`);
  try {
    return importPublicKey(alg, raw);
  } catch (error) {
    if (error instanceof VtlicError) throw new VtlicError('configuration_invalid', error.message, { cause: error });
    throw error;
  }
}

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}
