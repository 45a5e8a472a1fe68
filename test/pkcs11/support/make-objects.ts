/**
 * Puts objects into a token that this toolkit would never make. argv is MODULE PIN WHAT; a process of its own, since it
 * loads a module.
 *
 * WHAT: `twin` two Ed25519 pairs of one label and id; `mismatch` a private key beside the public key of another;
 * `extractable` a private key that can be read; `good` a pair as another role makes it, with LABEL and ID (hex digits),
 * which follow; `ml-dsa` the same of ML-DSA-65; `nothing` destroys the objects of ID, after an empty LABEL; `curve` a public key of type CKK_EC_EDWARDS
 * with LABEL, whose CKA_EC_PARAMS has the hex digits that follow.
 */
import {
  CKA_CLASS,
  CKA_DECRYPT,
  CKA_DERIVE,
  CKA_EC_PARAMS,
  CKA_EC_POINT,
  CKA_EXTRACTABLE,
  CKA_ID,
  CKA_KEY_TYPE,
  CKA_LABEL,
  CKA_PARAMETER_SET,
  CKA_PRIVATE,
  CKA_SENSITIVE,
  CKA_SIGN,
  CKA_SIGN_RECOVER,
  CKA_TOKEN,
  CKA_UNWRAP,
  CKA_VERIFY,
  CKF_TOKEN_INITIALIZED,
  CKK_EC_EDWARDS,
  CKM_EC_EDWARDS_KEY_PAIR_GEN,
  CKM_ML_DSA_KEY_PAIR_GEN,
  CKO_PUBLIC_KEY,
  CKP_ML_DSA_65,
} from '../../../keys/private/pkcs11/shared/constants.ts';
import { plainMechanism } from '../../../keys/private/pkcs11/token-host/mechanism.ts';
import { Pkcs11Module, type Template } from '../../../keys/private/pkcs11/token-host/module.ts';
import { CURVE_NAMES } from '../../../keys/private/pkcs11/shared/profiles.ts';

const [path = '', pin = '', what = '', goodLabel = '', goodId = ''] = process.argv.slice(2);
const module = Pkcs11Module.load(path);
const slot = module.slots().find(({ token }) => token !== undefined && (token.flags & CKF_TOKEN_INITIALIZED) !== 0);
const session = module.openSession(slot?.slotId ?? -1, 'write');
module.login(session, 1, Buffer.from(pin));

async function pair(
  label: string,
  extractable = false,
  id: Uint8Array = Uint8Array.of(7),
  component: 'ed25519' | 'mldsa65' = 'ed25519',
): Promise<{
  publicKey: Parameters<Pkcs11Module['destroyObject']>[1];
  privateKey: Parameters<Pkcs11Module['destroyObject']>[1];
}> {
  const name: Template = [
    [CKA_LABEL, label],
    [CKA_ID, id],
    [CKA_TOKEN, true],
  ];
  const isEd25519 = component === 'ed25519';
  const kind = isEd25519 ? ([CKA_EC_PARAMS, CURVE_NAMES.oid] as const) : ([CKA_PARAMETER_SET, CKP_ML_DSA_65] as const);
  return module.generateKeyPair(
    session,
    plainMechanism(isEd25519 ? CKM_EC_EDWARDS_KEY_PAIR_GEN : CKM_ML_DSA_KEY_PAIR_GEN),
    [...name, kind, [CKA_VERIFY, true]],
    [
      ...name,
      [CKA_PRIVATE, true],
      [CKA_SENSITIVE, !extractable],
      [CKA_EXTRACTABLE, extractable],
      [CKA_SIGN, true],
      ...[CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE, CKA_SIGN_RECOVER].map((use) => [use, false] as const),
    ],
  );
}

if (what === 'twin') {
  await pair('twin');
  await pair('twin');
} else if (what === 'good') {
  await pair(goodLabel, false, Buffer.from(goodId, 'hex'));
} else if (what === 'ml-dsa') {
  await pair(goodLabel, false, Buffer.from(goodId, 'hex'), 'mldsa65');
} else if (what === 'nothing') {
  for (const handle of module.find(session, [[CKA_ID, Buffer.from(goodId, 'hex')]]))
    module.destroyObject(session, handle);
} else if (what === 'curve') {
  module.createObject(session, [
    [CKA_CLASS, CKO_PUBLIC_KEY],
    [CKA_KEY_TYPE, CKK_EC_EDWARDS],
    [CKA_TOKEN, true],
    [CKA_PRIVATE, false],
    [CKA_LABEL, goodLabel],
    [CKA_ID, Uint8Array.of(9)],
    [CKA_EC_PARAMS, Buffer.from(goodId, 'hex')],
    // An OCTET STRING of 32 bytes: the generator of the group.
    [CKA_EC_POINT, Buffer.from(`042058${'66'.repeat(31)}`, 'hex')],
    [CKA_VERIFY, true],
  ]);
} else if (what === 'extractable') {
  await pair('extractable', true);
} else {
  const first = await pair('mismatch');
  const second = await pair('mismatch');
  module.destroyObject(session, first.publicKey);
  module.destroyObject(session, second.privateKey);
}
process.stdout.write('done\n', () => process.kill(process.pid, 'SIGKILL'));
