/** What a key may sign. Each key has one purpose, which is recorded with the key and checked at every use. */
export const KEY_PURPOSES: readonly [
  'license',
  'license-key',
  'root',
  'ledger',
  'approval',
  'transcript',
  'counters',
  'release',
  'receipt',
] = Object.freeze([
  'license',
  'license-key',
  'root',
  'ledger',
  'approval',
  'transcript',
  'counters',
  'release',
  'receipt',
] as const);

export type KeyPurpose = (typeof KEY_PURPOSES)[number];

export function isKeyPurpose(text: string): text is KeyPurpose {
  return (KEY_PURPOSES as readonly string[]).includes(text);
}
