/** Exactly one token for a URI, or the list of what is there and how to say which. */
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { CKF_TOKEN_INITIALIZED } from '../shared/constants.ts';
import { describeToken } from './pin-policy.ts';
import type { ModuleDescription, SlotDescription, TokenDescription } from '../shared/token-description.ts';
import { formatPkcs11Uri, uriOfToken } from '../uri/format-uri.ts';
import { parsePkcs11Uri, type Pkcs11Uri } from '../uri/uri.ts';

export interface FoundToken {
  readonly slotId: number;
  readonly token: TokenDescription;
}

/** A slot with a token in it. */
export interface TokenSlot extends SlotDescription {
  readonly token: TokenDescription;
}

/** A sentence that an officer can read. */
const MAX_LISTED_TOKENS = 10;

/** @throws VtlicError `token_not_found` or `token_ambiguous`, each with a list of the tokens there */
export function findToken(
  uri: Pkcs11Uri,
  modulePath: string,
  module: ModuleDescription,
  slots: readonly SlotDescription[],
): FoundToken {
  const withToken = slots.filter((slot): slot is TokenSlot => slot.token !== undefined);
  const initialized = withToken.filter(({ token }) => (token.flags & CKF_TOKEN_INITIALIZED) !== 0);
  const matching = initialized.filter((slot) => matchesToken(uri, module, slot));
  const [only, second] = matching;
  if (only !== undefined && second === undefined) return { slotId: only.slotId, token: only.token };
  if (second !== undefined) {
    throw new VtlicError('token_ambiguous', `the PKCS#11 URI matches ${matching.length} tokens: ${listed(matching)}`, {
      hint: sayWhich(matching, initialized, module, modulePath),
    });
  }
  const unready = withToken.find((slot) => !initialized.includes(slot) && matchesToken(uri, module, slot));
  if (unready !== undefined && namesToken(uri)) {
    throw new VtlicError(
      'token_not_found',
      `the token that the PKCS#11 URI matches, ${describeToken(unready.token)}, is not initialized`,
      { hint: "initialize it with its maker's tool, then set a user PIN" },
    );
  }
  const [unknown] = uri.unknown;
  const because =
    unknown === undefined
      ? ''
      : `: it has the attribute ${cleanText(unknown.name, 40)}, which is not one of RFC 7512, and so matches nothing`;
  throw new VtlicError('token_not_found', `no token matches the PKCS#11 URI${because}; ${found(initialized, slots)}`, {
    hint:
      initialized.length === 0
        ? "plug the token in and see that its maker's own tool finds it"
        : sayWhich(initialized, initialized, module, modulePath),
  });
}

function namesToken(uri: Pkcs11Uri): boolean {
  return (
    uri.token !== undefined || uri.serial !== undefined || uri.slotId !== undefined || uri.slotDescription !== undefined
  );
}

function found(initialized: readonly TokenSlot[], slots: readonly SlotDescription[]): string {
  const unreadable = slots
    .filter((slot) => slot.fault !== undefined)
    .slice(0, MAX_LISTED_TOKENS)
    .map(
      (slot) => `${slot.description === '' ? 'of unknown name' : cleanText(slot.description, 64)}: ${slot.fault ?? ''}`,
    );
  const faults = unreadable.length === 0 ? '' : ` (a slot could not be read: ${unreadable.join('; ')})`;
  const shown = initialized.length === 0 ? 'no initialized token' : listed(initialized);
  return `the module shows ${shown}${faults}`;
}

function listed(slots: readonly TokenSlot[]): string {
  const more = slots.length > MAX_LISTED_TOKENS ? ` and ${slots.length - MAX_LISTED_TOKENS} more` : '';
  return `${slots
    .slice(0, MAX_LISTED_TOKENS)
    .map(({ token }) => describeToken(token))
    .join(', ')}${more}`;
}

/** The hint "say which", with a URI that matches only one of these tokens among all of the module. */
function sayWhich(
  slots: readonly TokenSlot[],
  all: readonly TokenSlot[],
  module: ModuleDescription,
  modulePath: string,
): string {
  const few = slots.slice(0, MAX_LISTED_TOKENS);
  const uri = few.map((slot) => uriAmong(slot, all, module, modulePath)).find((found) => found !== undefined);
  if (uri === undefined) return "the tokens cannot be told apart: give one of them another label with the maker's tool";
  return `say which, for example: '${uri}'`;
}

/** The shortest URI that means this token and no other of the module; undefined where there is none. */
export function uriAmong(
  { token, description }: TokenSlot,
  all: readonly SlotDescription[],
  module: ModuleDescription,
  modulePath: string,
): string | undefined {
  const short = parsePkcs11Uri(uriOfToken(token, modulePath));
  const uri = [short, { ...short, slotDescription: description }].find(
    (candidate) => all.filter((slot) => matchesToken(candidate, module, slot)).length === 1,
  );
  return uri === undefined ? undefined : formatPkcs11Uri(uri);
}

/** True if each attribute of the URI about modules, slots and tokens agrees (RFC 7512 §2.3). */
export function matchesToken(uri: Pkcs11Uri, module: ModuleDescription, slot: SlotDescription): boolean {
  const { token } = slot;
  if (token === undefined || uri.unknown.length > 0) return false;
  const pairs: readonly (readonly [wanted: string | number | undefined, found: string | number])[] = [
    [uri.token, token.label],
    [uri.manufacturer, token.manufacturer],
    [uri.serial, token.serial],
    [uri.model, token.model],
    [uri.libraryManufacturer, module.manufacturer],
    [uri.libraryDescription, module.description],
    [uri.libraryVersion, module.libraryVersion],
    [uri.slotManufacturer, slot.manufacturer],
    [uri.slotDescription, slot.description],
    [uri.slotId, slot.slotId],
  ];
  return pairs.every(([wanted, found]) => wanted === undefined || wanted === found);
}

/**
 * True where two URIs name one token of one module as far as they can tell: a label or a serial in common, and no
 * contradiction.
 */
export function nameOneToken(a: Pkcs11Uri, b: Pkcs11Uri): boolean {
  if (a.modulePath !== b.modulePath || a.moduleName !== b.moduleName) return false;
  const pairs = [
    [a.token, b.token],
    [a.serial, b.serial],
  ] as const;
  return (
    pairs.every(([one, other]) => one === undefined || other === undefined || one === other) &&
    pairs.some(([one, other]) => one !== undefined && one === other)
  );
}
