import { randomBytes } from 'node:crypto';
import { utf8 } from '../../../formats/bytes.ts';
import type { RandomSource } from '../../../keys/private/pkcs11/client/open-key.ts';
import { openToken, type Token } from '../../../keys/private/pkcs11/client/token.ts';
import type { TokenOptions } from '../../../keys/private/pkcs11/client/token-options.ts';
import { formatPkcs11Uri } from '../../../keys/private/pkcs11/uri/format-uri.ts';
import { parsePkcs11Uri } from '../../../keys/private/pkcs11/uri/uri.ts';

export interface TestToken {
  readonly module: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Of the first token. */
  readonly pin: string;
  /** By label, where tokens differ. */
  readonly pins?: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly remove: () => void;
}

/** Of its own for each token: other test files put theirs on command lines of other tools at the same time. */
export const newPin = (): string => `pin-of-a-test-${randomBytes(4).toString('hex')}`;

export const random: RandomSource = (length) => randomBytes(length);

export function optionsOf(made: TestToken, label: string, more: Partial<TokenOptions> = {}): TokenOptions {
  const uri = parsePkcs11Uri(formatPkcs11Uri({ token: label, modulePath: made.module, unknown: [], ignored: [] }));
  return {
    uri,
    environment: { ...process.env, ...made.environment },
    pin: () => Promise.resolve(utf8(made.pins?.[label] ?? made.pin)),
    ...more,
  };
}

export function open(made: TestToken, label: string, more: Partial<TokenOptions> = {}): Promise<Token> {
  return openToken(optionsOf(made, label, more), random);
}
