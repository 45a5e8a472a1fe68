/**
 * Replies of the token host, checked: what a vendor's code has corrupted must not reach the ledger as something else.
 */
import type { HostFault, HostOperations, HostReply, OperationName } from '../shared/host-protocol.ts';

const MAX_LIST_ITEMS = 100_000;

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const version: Check = (value) => typeof value === 'string' && /^\d{1,3}\.\d{1,3}$/.test(value);
const number: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const bytes: Check = (value) => value instanceof Uint8Array;
const isTrue: Check = (value) => value === true;
const flag: Check = (value) => typeof value === 'boolean';
/** No holes: of a list with 2^32 of them `every` sees none, and takes its time. */
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) &&
    value.length <= MAX_LIST_ITEMS &&
    Object.keys(value).length === value.length &&
    value.every(check);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const oneOf =
  (...choices: readonly unknown[]): Check =>
  (value) =>
    choices.includes(value);
const shape =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(members).every(([name, check]) => check(Reflect.get(value, name)));

const module = shape({ cryptokiVersion: version, manufacturer: text, description: text, libraryVersion: version });
const token = shape({
  label: text,
  manufacturer: text,
  model: text,
  serial: text,
  slotDescription: text,
  flags: number,
  minPinLength: number,
  maxPinLength: number,
  hardwareVersion: version,
  firmwareVersion: version,
});
const slot = shape({
  slotId: number,
  description: text,
  manufacturer: text,
  token: optional(token),
  fault: optional(text),
});
const mechanism = shape({ type: number, flags: optional(number) });
const component = oneOf('ed25519', 'mldsa65');
const key = shape({
  ref: number,
  class: oneOf('private', 'public', 'secret'),
  keyType: (value) => typeof value === 'number',
  component: optional(component),
  label: text,
  id: bytes,
  publicBytes: optional(bytes),
  sensitive: optional(flag),
  extractable: optional(flag),
  alwaysSensitive: optional(flag),
  neverExtractable: optional(flag),
  maySign: optional(flag),
  otherUses: optional(flag),
  alwaysAuthenticate: optional(flag),
});
const data = shape({ ref: number, label: text, bytes });

const CHECKS: Readonly<Record<OperationName, Check>> = {
  load: module,
  slots: listOf(slot),
  mechanisms: listOf(mechanism),
  token,
  open: isTrue,
  login: number,
  keys: listOf(key),
  generateComponent: shape({ key, publicRef: number }),
  readSecrets: listOf(text),
  destroy: isTrue,
  sign: listOf(bytes),
  makeWrappedSeed: shape({ ref: number, mldsa65: bytes, wrapped: bytes, wrappingKeyRef: number }),
  openWrappedSeed: shape({ ref: number, mldsa65: bytes }),
  listData: listOf(data),
  createData: data,
  touch: isTrue,
  random: bytes,
  close: isTrue,
};

/** The value of a reply, where it has the shape that the operation promises. */
export function isReplyOf<Name extends OperationName>(
  operation: Name,
  value: unknown,
): value is HostOperations[Name]['reply'] {
  return CHECKS[operation](value);
}

const FAULTS: Readonly<Record<HostFault['kind'], Check>> = {
  call: shape({ call: text, rv: number }),
  load: shape({ why: oneOf('no-addon', 'no-library', 'not-pkcs11', 'platform'), text }),
  refused: shape({
    why: oneOf('key_not_found', 'key_ambiguous', 'configuration_invalid', 'keyfile_corrupt', 'signing_failed'),
    text,
  }),
  'context-pin': shape({ rv: number }),
  defect: shape({ text }),
};

export function isHostReply(message: unknown): message is HostReply {
  if (!shape({ id: number })(message)) return false;
  const fault: unknown = Reflect.get(message as object, 'fault');
  return fault === undefined ? Reflect.has(message as object, 'value') : isHostFault(fault);
}

function isHostFault(fault: unknown): fault is HostFault {
  const kind: unknown = typeof fault === 'object' && fault !== null ? Reflect.get(fault, 'kind') : undefined;
  return typeof kind === 'string' && Object.hasOwn(FAULTS, kind) && FAULTS[kind as HostFault['kind']](fault);
}
