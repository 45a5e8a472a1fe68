/** What a PKCS#11 module shows, read in a token host of its own, without a login. */
import { asker, moduleName, startHost } from '../../keys/private/pkcs11/token-connection.ts';
import { profileOf } from '../../keys/private/pkcs11/profiles.ts';
import { tokenFlagsInWords, type ModuleDescription } from '../../keys/private/pkcs11/token-description.ts';
import { DEFAULT_LIMITS, type TokenLimits } from '../../keys/private/pkcs11/token-options.ts';
import { uriOfToken } from '../../keys/private/pkcs11/uri-match.ts';

export interface ListedToken {
  readonly label: string;
  readonly serial: string;
  readonly manufacturer: string;
  readonly model: string;
  /** What an officer should know of, in plain words; empty for a token that is ready. */
  readonly flags: readonly string[];
  readonly profile: string;
  readonly tested: boolean;
  /** What names it in `site.json`. */
  readonly uri: string;
}

export interface ListedModule {
  readonly path: string;
  readonly description: ModuleDescription;
  readonly tokens: readonly ListedToken[];
  /** Slots whose token could not be read, in words. */
  readonly faults: readonly string[];
}

/** @throws VtlicError `module_unusable` and what a token host throws */
export async function listTokens(path: string, limits: TokenLimits = DEFAULT_LIMITS): Promise<ListedModule> {
  const host = await startHost({}, path);
  try {
    const ask = asker(host, moduleName(path));
    const description = await ask('load', { path }, limits.other);
    const slots = await ask('slots', {}, limits.other);
    return Object.freeze({
      path,
      description,
      tokens: slots.flatMap(({ token }) => {
        if (token === undefined) return [];
        const profile = profileOf(description, token);
        return [{ label: token.label, serial: token.serial, manufacturer: token.manufacturer, model: token.model, flags: tokenFlagsInWords(token.flags), profile: profile.name, tested: profile.tested, uri: uriOfToken(token, path) }];
      }),
      faults: slots.flatMap((slot) => (slot.fault === undefined ? [] : [`${slot.description}: ${slot.fault}`])),
    });
  } finally {
    await host.close();
  }
}
