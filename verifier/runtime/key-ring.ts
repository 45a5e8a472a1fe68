/**
 * The keys that a running product trusts: those built in, or the chain of keysets with what state and file bring, and
 * the environment's override over them (docs/keysets.md, "Which keyset counts").
 */
import { existsSync, statSync } from 'node:fs';
import { VtlicError } from '../../formats/error.ts';
import { MAX_CHAIN_BYTES } from '../../formats/keyset/keyset.ts';
import { errorCodeOf, readLimited } from '../../files/index.ts';
import { builtInChain, chainFile, chooseKeyset, isKeysetExpired, trustOfChain, type Chain } from '../keyset/index.ts';
import { trustFromOverride } from '../override.ts';
import { indexOfTrust, makeTrust, type Trust } from '../trust.ts';
import type { Environment } from './environment.ts';
import { notice, shownError, type Notice } from './notices.ts';
import type { Counts, RuntimeState } from './state.ts';

export interface KeyRingOptions {
  /** From `makeTrust`, or from `builtInChain`. */
  readonly builtIn: Trust | Chain;
  readonly environment: Environment;
  readonly keysetPath: string | undefined;
  readonly requireComposite: boolean;
}

/** The keys that follow from one chain. */
export interface Keys {
  readonly chain: Chain;
  readonly trust: Trust;
  readonly counts: Counts;
}

export class KeyRing {
  readonly #options: KeyRingOptions;
  #chain: Chain | undefined;
  #trust: Trust;
  #counts: Counts;
  /** What was read last: the chain is judged again only where something differs. */
  #read = '';
  #notices: readonly Notice[] = [];

  /** @throws VtlicError `configuration_invalid` for an override that is wrong */
  constructor(options: KeyRingOptions) {
    this.#options = options;
    const { builtIn, requireComposite } = options;
    if ('newest' in builtIn) this.#chain = chainUnder(builtIn, requireComposite);
    const base = 'newest' in builtIn ? this.#trustOf(builtIn) : trustUnder(builtIn, requireComposite);
    [this.#trust, this.#counts] = this.#over(base);
  }

  get trust(): Trust {
    return this.#trust;
  }

  /** Which entries of the state count. An override does not change what the keyset revoked. */
  get counts(): Counts {
    return this.#counts;
  }

  /** What the state should keep; undefined where there are no keysets. */
  get keyset(): RuntimeState['keyset'] {
    return this.#chain && { version: this.#chain.newest.version, chain: chainFile(this.#chain) };
  }

  /** Of the keyset that counts; undefined where there are no keysets. */
  get version(): number | undefined {
    return this.#chain?.newest.version;
  }

  /** @param now effective time */
  notices(now: number): readonly Notice[] {
    const chain = this.#chain;
    if (chain === undefined || !isKeysetExpired(chain, now)) return this.#notices;
    return [
      ...this.#notices,
      notice('keyset_expired', `version ${chain.newest.version} is in force`, { version: chain.newest.version }),
    ];
  }

  /**
   * Looks at the chain in the state, and at the file of LICENSE_KEYSET_PATH, where they changed.
   *
   * @returns whether the trust is another one now
   * @throws VtlicError `configuration_invalid` where a keyset and the override do not go together
   */
  refresh(kept: RuntimeState['keyset']): boolean {
    if (this.#chain === undefined) return false;
    const read = [kept?.version, kept?.chain.length, this.#fileStamp()].join(' ');
    if (read === this.#read) return false;
    const state = kept?.chain ?? NOTHING;
    const { file, fault, isThere } = this.#readFile();
    const chosen = chooseKeyset({
      // The choice starts from what this process has taken: a running product forgets no keyset, even if all copies are
      // lost.
      builtIn: this.#chain,
      ...(state.length === 0 ? {} : { state: [state] }),
      ...(file.length === 0 ? {} : { file }),
    });
    const isOther = this.#use(chosen.chain);
    // A file that is there, but cannot be read, may be readable in a minute, with the same stamp.
    this.#read = isThere === true ? '' : read;
    this.#notices = [
      ...chosen.notices.map(({ reason, detail, source }) => notice(reason, `${source}: ${detail}`)),
      ...(fault === undefined ? [] : [fault]),
    ];
    return isOther;
  }

  /**
   * Keysets that someone pasted, as a continuation of the chain that counts.
   *
   * @returns why they are not taken; undefined: they are
   */
  add(file: Uint8Array): Notice | undefined {
    const found = this.preview(file);
    if ('code' in found) return found;
    this.#take(found);
    return undefined;
  }

  /** What the keys would be once these keysets are added, or why they are not taken. Nothing changes. */
  preview(file: Uint8Array): Notice | Keys {
    if (this.#chain === undefined)
      return notice('install_not_possible', 'this product has its keys built in, and takes no keysets', {
        place: 'keys',
      });
    const chosen = chooseKeyset({ builtIn: this.#chain, file });
    const [refused] = chosen.notices;
    if (refused !== undefined && refused.reason !== 'keyset_older') return notice(refused.reason, refused.detail);
    try {
      return this.#under(chosen.chain);
    } catch (error) {
      if (error instanceof VtlicError) return notice('configuration_invalid', error.message);
      throw error;
    }
  }

  #trustOf(chain: Chain): Trust {
    return trustOfChain(chain, { requireComposite: this.#options.requireComposite });
  }

  /** The environment's override over the keys that are built in or in the keyset. */
  #over(base: Trust): [Trust, Counts] {
    return [trustFromOverride(this.#options.environment, base, readKeyFile), countsUnder(base)];
  }

  #under(chain: Chain): Keys {
    const [trust, counts] = this.#over(this.#trustOf(chain));
    return { chain, trust, counts };
  }

  #take({ chain, trust, counts }: Keys): void {
    [this.#chain, this.#trust, this.#counts] = [chain, trust, counts];
  }

  #use(chain: Chain): boolean {
    if (chain === this.#chain) return false;
    this.#take(this.#under(chain));
    return true;
  }

  /** Another text once the file has changed. */
  #fileStamp(): string {
    const path = this.#options.keysetPath;
    if (path === undefined) return '';
    try {
      const { ino, size, mtimeMs, ctimeMs } = statSync(path);
      return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    } catch (error) {
      return String(errorCodeOf(error));
    }
  }

  /** A file that cannot be read is not a fault of the license: the keysets that are known go on. */
  #readFile(): { readonly file: Uint8Array; readonly fault?: Notice; readonly isThere?: boolean } {
    const path = this.#options.keysetPath;
    if (path === undefined) return { file: NOTHING };
    try {
      return { file: readLimited(path, MAX_CHAIN_BYTES, 'too_large') };
    } catch (error) {
      const fault = notice('keyset_file_unusable', `${path}: ${shownError(error)}`, { path });
      return { file: NOTHING, fault, isThere: existsSync(path) };
    }
  }
}

const NOTHING = new Uint8Array();

/** No pipe blocks the product, and no device fills its memory. The override refuses what is too large for a key. */
function readKeyFile(path: string): Uint8Array {
  return readLimited(path, MAX_CHAIN_BYTES, 'too_large');
}

/** If composite is compiled in, Ed25519 roots do not count, whatever `builtInChain` was given when it was made. */
function chainUnder(chain: Chain, requireComposite: boolean): Chain {
  if (!requireComposite) return chain;
  return builtInChain(chainFile(chain), { issuer: chain.issuer, requireComposite });
}

/** The same for keys that are built in. */
function trustUnder(trust: Trust, requireComposite: boolean): Trust {
  return requireComposite ? makeTrust({ ...trust, requireComposite }) : trust;
}

/** Entries of a revoked key do not count, except for payloads that the vendor honors. */
function countsUnder(trust: Trust): Counts {
  const { byKid, honored } = indexOfTrust(trust);
  return (kid, digest) => byKid.get(kid)?.status !== 'revoked' || honored.get(kid)?.has(digest) === true;
}
