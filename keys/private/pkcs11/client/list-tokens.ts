/** What a module shows without any login: for `vtlic hsm list`. */
import { uriAmong, type TokenSlot } from './find-token.ts';
import { environmentFaults } from './host-environment.ts';
import { asker, moduleName, startHost, withEnvironment } from './start-host.ts';
import { profileOf, type TokenProfile } from '../shared/profiles.ts';
import { CKF_TOKEN_INITIALIZED } from '../shared/constants.ts';
import {
  tokenFlagsInWords,
  type ModuleDescription,
  type SlotDescription,
  type TokenDescription,
} from '../shared/token-description.ts';
import { DEFAULT_LIMITS, type TokenOptions } from './token-options.ts';
import { uriOfToken } from '../uri/format-uri.ts';

export interface ListedToken {
  readonly token: TokenDescription;
  readonly profile: TokenProfile;
  /** What an officer should know of its state, in plain words; empty for one that is ready. */
  readonly state: readonly string[];
  /** By which it is named in `site.json`; undefined for one that is not initialized. */
  readonly uri?: string;
}

export interface ListedModule {
  readonly path: string;
  readonly module: ModuleDescription;
  readonly tokens: readonly ListedToken[];
  /** Slots whose token the module cannot read, with the return code in words. */
  readonly unreadable: readonly { readonly slotDescription: string; readonly fault: string }[];
  /** What is wrong with its configuration, where it shows no initialized token. */
  readonly suspects: readonly string[];
  /** What it printed meanwhile, cleaned. */
  readonly printed: readonly string[];
}

/**
 * Loads a module in a host of its own and lists what it shows. All texts but `state`, `fault` and `printed` are the
 * module's own, and not yet cleaned.
 *
 * @throws VtlicError `module_unusable`
 */
export async function listModule(
  path: string,
  options: Pick<TokenOptions, 'environment' | 'declared' | 'notify' | 'moduleSaid' | 'limits'> = {},
): Promise<ListedModule> {
  const limit = options.limits?.other ?? DEFAULT_LIMITS.other;
  const host = await startHost(options, path);
  try {
    const ask = asker(host, moduleName(path));
    const module = await ask('load', { path }, limit);
    const slots = await ask('slots', {}, limit);
    const tokens: ListedToken[] = [];
    const initialized = slots.filter(({ token }) => isInitialized(token)).slice(0, MAX_COMPARED);
    for (const slot of slots) {
      if (slot.token === undefined) continue;
      tokens.push(listed(path, module, { ...slot, token: slot.token }, initialized));
    }
    const unreadable = slots.flatMap(({ description, fault }) =>
      fault === undefined ? [] : [{ slotDescription: description, fault }],
    );
    // The module shows no token to sign with; its configuration may be the cause.
    const suspects = tokens.some(({ uri }) => uri !== undefined)
      ? []
      : environmentFaults(options.environment ?? process.env, options.declared);
    return { path, module, tokens, unreadable, suspects, printed: host.printed() };
  } catch (error) {
    throw withEnvironment(error, options);
  } finally {
    await host.close();
  }
}

/** The URI of a token is made to differ from at most this many tokens. */
const MAX_COMPARED = 64;

function isInitialized(token: TokenDescription | undefined): boolean {
  return token !== undefined && (token.flags & CKF_TOKEN_INITIALIZED) !== 0;
}

function listed(
  path: string,
  module: ModuleDescription,
  slot: TokenSlot,
  initialized: readonly SlotDescription[],
): ListedToken {
  const { token } = slot;
  // If two tokens cannot be distinguished, the URI matches both, and the command that gets it reports that.
  const uri = uriAmong(slot, initialized, module, path) ?? uriOfToken(token, path);
  return {
    token,
    profile: profileOf(module, token),
    state: tokenFlagsInWords(token.flags),
    ...(isInitialized(token) ? { uri } : {}),
  };
}
