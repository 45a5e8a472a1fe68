/** The runtime: a license in a product that runs for months (docs/runtime.md). It needs Node.js 20.19 or later. */
export { checkLicense, type LicenseCheck } from './check-license.ts';
export type { CommitHooks } from './commit.ts';
export type {
  Entitlements,
  FreeTier,
  LicenseFacts,
  LicenseLocation,
  LicenseState,
  LicenseView,
  Refusals,
} from './entitlements.ts';
export type { CompiledIn, Environment } from './environment.ts';
export type { RuntimeEvents } from './events.ts';
export {
  compatibleFingerprint,
  explainFingerprint,
  hostFingerprint,
  SOURCE_NAMES,
  type Fingerprint,
  type FingerprintSource,
  type HostFingerprint,
  type HostOptions,
} from './host-fingerprint.ts';
export type { InstallOutcome, InstallPreview, InstallResult } from './install.ts';
export {
  NOTICES,
  type InstallReason,
  type Notice,
  type NoticeCode,
  type NoticeFacts,
  type RuntimeReason,
  type WarningCode,
} from './notices.ts';
export { openLicense, type LiveLicense } from './open-license.ts';
export type { LicenseOptions } from './options.ts';
export type { Clocks } from './state-keeper.ts';
export { fileStore } from './stores/file-store.ts';
export { postgresStore, type PostgresClient, type PostgresStoreOptions } from './stores/postgres-store.ts';
export {
  sqliteStore,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteStoreOptions,
} from './stores/sqlite-store.ts';
export { memoryStore, type StateStore, type StoredCopy } from './stores/store.ts';
