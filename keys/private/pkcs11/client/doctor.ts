/** What an officer looks at before a ceremony, as values: for `vtlic hsm doctor`. */
import { equalBytes, toHex } from '../../../../formats/bytes.ts';
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import {
  CKF_ERROR_STATE,
  CKF_LOGIN_REQUIRED,
  CKF_PROTECTED_AUTHENTICATION_PATH,
  CKF_RNG,
  CKF_USER_PIN_COUNT_LOW,
  CKF_USER_PIN_FINAL_TRY,
  CKF_USER_PIN_LOCKED,
  CKF_WRITE_PROTECTED,
} from '../shared/constants.ts';
import { aboutKey, guarded, type Check, type DoctorOptions } from './doctor-key.ts';
import { removalCommand } from './generate-key.ts';
import type { RandomSource } from './open-key.ts';
import { describeToken } from './pin-policy.ts';
import type { Token } from './token.ts';

/** The checks in an officer's order. Nothing is left in the token. One that throws is a failed check, not an end. */
export async function examineToken(token: Token, options: DoctorOptions): Promise<readonly Check[]> {
  const checks: Check[] = [
    aboutModule(token),
    aboutProfile(token),
    aboutEd25519(token),
    aboutMlDsa65(token),
    aboutCustody(token),
    await aboutLogin(token),
    ...(await aboutState(token)),
  ];
  for (const key of options.keys) checks.push(...(await aboutKey(token, key, options)));
  checks.push(
    await guarded('random source', () => aboutRandom(token)),
    await guarded('data objects', () => aboutData(token, options.random)),
  );
  return checks;
}

function aboutModule(token: Token): Check {
  const { module, modulePath, token: described } = token.opened;
  return {
    name: 'module',
    status: 'pass',
    says:
      `${cleanText(module.description, 32)} ${module.libraryVersion} by ${cleanText(module.manufacturer, 32)}, ` +
      `PKCS#11 ${module.cryptokiVersion}, ${cleanText(modulePath)}; token ${describeToken(described)}, ` +
      `${cleanText(described.model, 16)}, firmware ${described.firmwareVersion}`,
    data: {
      cryptoki: module.cryptokiVersion,
      library: module.libraryVersion,
      firmware: described.firmwareVersion,
      serial: cleanText(described.serial, 16),
    },
  };
}

function aboutProfile(token: Token): Check {
  const { profile } = token.opened;
  if (profile.tested) return { name: 'profile', status: 'pass', says: `${profile.name}, tested with this toolkit` };
  if (profile.triedByHand !== undefined)
    return { name: 'profile', status: 'pass', says: `${profile.name}, tried by hand on ${profile.triedByHand}` };
  return {
    name: 'profile',
    status: 'warn',
    says: `${profile.name}: never tried with this toolkit`,
    remedy: 'go on only if every other check passes, and say --untested-token in each command',
  };
}

const ED25519_SAYS = {
  user: 'the token generates Ed25519 keys and signs with them',
  'other-role': 'the token signs with Ed25519 keys, which another role makes',
} as const;

function aboutEd25519(token: Token): Check {
  if (token.has('ed25519'))
    return { name: 'Ed25519', status: 'pass', says: ED25519_SAYS[token.opened.profile.generation] };
  return {
    name: 'Ed25519',
    status: 'fail',
    says: 'the token lists no mechanism for Ed25519 that this toolkit can use',
    remedy: 'update its firmware or settings, or take another token',
  };
}

function aboutMlDsa65(token: Token): Check {
  if (token.has('mldsa65')) {
    const how =
      token.opened.profile.mldsa65?.context === 'external-mu'
        ? 'by a mu that is computed outside it'
        : 'with a context';
    return { name: 'ML-DSA-65', status: 'pass', says: `the token generates ML-DSA-65 keys and signs ${how}` };
  }
  return {
    name: 'ML-DSA-65',
    status: 'warn',
    says: 'the token has no ML-DSA-65 that this toolkit can use',
    remedy: token.canWrap()
      ? 'use hsm-wrapped custody, or keep the ML-DSA component in another token'
      : 'keep the ML-DSA component in another token',
  };
}

function aboutCustody(token: Token): Check {
  const custodies = [
    ...(token.has('mldsa65') && token.has('ed25519') ? ['hsm'] : []),
    ...(token.canWrap() && token.has('ed25519') ? ['hsm-wrapped'] : []),
    ...(token.has('ed25519') || token.has('mldsa65') ? ['split'] : []),
  ];
  if (custodies.length === 0)
    return {
      name: 'custody',
      status: 'fail',
      says: 'the token can store no part of a key of this toolkit',
      remedy: 'take another token',
    };
  return {
    name: 'custody',
    status: 'pass',
    says: `a composite key can be in custody: ${custodies.join(', ')}`,
    data: { custodies: custodies.join(',') },
  };
}

/** What guards the keys, as the token reports it now. */
function aboutLogin(token: Token): Promise<Check> {
  const name = 'login';
  return guarded(name, async () => {
    const flags = await token.connection.flags();
    const has = (flag: number): boolean => (flags & flag) !== 0;
    if (!has(CKF_LOGIN_REQUIRED))
      return {
        name,
        status: 'warn',
        says: 'no PIN guards the keys: everybody who reaches the token can sign with them',
        remedy: "set a user PIN with the maker's tool, or guard the machine and its network as you would the keys",
      };
    if (has(CKF_USER_PIN_LOCKED))
      return {
        name,
        status: 'fail',
        says: 'logged in, but the user PIN is locked for the next login',
        remedy: "have the token's security officer unlock it",
      };
    if (has(CKF_USER_PIN_FINAL_TRY))
      return {
        name,
        status: 'warn',
        says: 'logged in; one try of the user PIN is left',
        remedy: "log in once with the right PIN by the maker's tool, which resets the count",
      };
    if (has(CKF_USER_PIN_COUNT_LOW))
      return {
        name,
        status: 'warn',
        says: 'logged in; a wrong user PIN was entered since the last right one',
        remedy: 'ask everybody who knows the token who entered it',
      };
    const where = has(CKF_PROTECTED_AUTHENTICATION_PATH) ? "a PIN on the token's own pad" : 'a PIN';
    return { name, status: 'pass', says: `logged in with ${where}; the token reports no wrong user PIN` };
  });
}

/** Reports states of the token that prevent a ceremony; empty if there are none. */
async function aboutState(token: Token): Promise<readonly Check[]> {
  const flags = await token.connection.flags().catch(() => 0);
  const checks: Check[] = [];
  if ((flags & CKF_ERROR_STATE) !== 0)
    checks.push({
      name: 'state',
      status: 'fail',
      says: 'the token reports an error state of its own',
      remedy: "see the maker's manual: most tokens must be started again",
    });
  if ((flags & CKF_WRITE_PROTECTED) !== 0)
    checks.push({
      name: 'state',
      status: 'warn',
      says: 'the token is write-protected: its keys can sign, and no key, claim or anchor can be put into it',
      remedy:
        "to make keys in it, take the protection off with the maker's tool; to use a key that is in it: " +
        'vtlic key adopt --name NAME --keystore KEYSTORE --id HEX',
    });
  return checks;
}

async function aboutRandom(token: Token): Promise<Check> {
  const name = 'random source';
  if ((token.opened.token.flags & CKF_RNG) === 0)
    return {
      name,
      status: 'warn',
      says: 'the token says that it has no random source',
      remedy: 'hsm-wrapped keys need one; others do not',
    };
  const [a, b] = [await token.random(32), await token.random(32)];
  if (a.length === 32 && b.length === 32 && !equalBytes(a, b))
    return { name, status: 'pass', says: 'gives bytes that differ from call to call' };
  return { name, status: 'fail', says: 'gave the same 32 bytes twice, or fewer', remedy: 'do not use this token' };
}

async function aboutData(token: Token, random: RandomSource): Promise<Check> {
  const name = 'data objects';
  if (token.opened.profile.dataObjects === 'none')
    return {
      name,
      status: 'warn',
      says: 'the token has none',
      remedy: 'the anchor goes into a file or a second token',
    };
  const label = `vtlic-doctor-${toHex(random(6))}`;
  try {
    await token.destroyData(await token.createData(label, random(128)));
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    // A token that takes no data objects is only a warning: claims and the anchor are then files.
    if (error.code === 'configuration_invalid')
      return { name, status: 'warn', says: 'the token takes none', remedy: 'keep the anchor in a file' };
    if (await isRemoved(token, label)) throw error;
    return leftBehind(token, label, error.message);
  }
  if ((await token.readData(label)).length > 0)
    return leftBehind(token, label, 'a data object that was destroyed is still there');
  const says = 'one was made, read back and destroyed';
  if (token.opened.profile.searches !== 'untried') return { name, status: 'pass', says };
  return {
    name,
    status: 'warn',
    says: `${says}; nobody has tried whether two copies of a site can share an anchor in such a token`,
    remedy: 'keep the anchor in a file if there may be two copies of a site',
  };
}

/** Destroys what a failed call left under the label; false if that is not certain. */
async function isRemoved(token: Token, label: string): Promise<boolean> {
  try {
    for (const object of await token.readData(label)) await token.destroyData(object);
    return (await token.readData(label)).length === 0;
  } catch (error) {
    if (error instanceof VtlicError) return false;
    throw error;
  }
}

function leftBehind(token: Token, label: string, why: string): Check {
  const object = { class: 'data', label, id: new Uint8Array() } as const;
  return {
    name: 'data objects',
    status: 'fail',
    says: `${why}; the token may still contain the data object "${label}"`,
    remedy: `remove it: ${removalCommand(token.opened, object)}; keep the anchor in a file`,
  };
}
