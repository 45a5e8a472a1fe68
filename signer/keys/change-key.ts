/**
 * What changes of a key after it was made: whether it is the default, whether it still signs, and whether the site has
 * it at all. `site.json` is read, changed and written under the ledger's lock.
 */
import { existsSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { fsyncFolder } from '../../files/index.ts';
import { formatInstant } from '../../formats/dates.ts';
import { decodeCoseSign1, TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import { acquireLock, type LedgerView, openLedgerForReading } from '../ledger/index.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';
import {
  findSiteKey,
  type KeyRecord,
  openSite,
  requireSigning,
  type Site,
  type SiteConfig,
  sitePaths,
  writeSite,
} from '../site/site.ts';
import { keyFiles } from './file-keystore.ts';
import { keystoreOf } from './keystores.ts';

function changeKey(
  folder: string,
  command: string,
  name: string,
  runtime: Runtime,
  change: (site: Site, key: KeyRecord) => SiteConfig,
): KeyRecord {
  const lock = acquireLock(sitePaths(folder).ledger, { command }, nowSeconds(runtime));
  try {
    const site = openSite(folder);
    const key = findSiteKey(site, name);
    writeSite(site.paths, change(site, key));
    return key;
  } finally {
    lock.release();
  }
}

/** The config without a default key, if `key` is it. */
function withoutDefault({ defaultKey, ...config }: SiteConfig, key: KeyRecord): SiteConfig {
  return defaultKey === undefined || defaultKey === key.name ? config : { ...config, defaultKey };
}

/** @throws VtlicError `usage` for a key that signs no licenses, or that is retired */
export function setDefaultKey(folder: string, name: string, runtime: Runtime): KeyRecord {
  return changeKey(folder, 'vtlic key default', name, runtime, (site, key) => {
    if (key.purpose !== 'license')
      throw new VtlicError('usage', `the key ${key.name} has the purpose ${key.purpose} and cannot sign licenses`, {
        hint: 'name a key with the purpose license; see: vtlic key list',
      });
    requireSigning(key);
    return { ...site.config, defaultKey: key.name };
  });
}

/** A retired key no longer signs; what it signed is verified as before. A retired key is no longer the default key. */
export function retireKey(folder: string, name: string, runtime: Runtime): KeyRecord {
  return changeKey(folder, 'vtlic key retire', name, runtime, (site, key) => {
    requireSigning(key);
    const retired = Object.freeze({ ...key, retired: formatInstant(nowSeconds(runtime)) });
    const keys = site.config.keys.map((other) => (other === key ? retired : other));
    return withoutDefault({ ...site.config, keys }, key);
  });
}

/** Takes a retirement back. */
export function reviveKey(folder: string, name: string, runtime: Runtime): KeyRecord {
  return changeKey(folder, 'vtlic key retire --undo', name, runtime, (site, key) => {
    if (key.retired === undefined) throw new VtlicError('usage', `the key ${key.name} is not retired`);
    const { retired: _retired, ...record } = key;
    return { ...site.config, keys: site.config.keys.map((other) => (other === key ? Object.freeze(record) : other)) };
  });
}

export interface RemovedKey {
  readonly key: KeyRecord;
  /** Where its files are now; empty for a key in a token, which stays there. */
  readonly files: readonly string[];
}

/**
 * Takes a key that never signed out of the site. Its encrypted files stay under another name, so that its own name is
 * free and nothing is lost.
 *
 * @throws VtlicError `usage` for a key that signed something, or may have
 */
export function removeKey(folder: string, name: string, runtime: Runtime): RemovedKey {
  const files: string[] = [];
  const key = changeKey(folder, 'vtlic key remove', name, runtime, (site, found) => {
    requireUnused(site, found);
    return withoutDefault({ ...site.config, keys: site.config.keys.filter((other) => other !== found) }, found);
  });
  const site = openSite(folder);
  const store = keystoreOf(site, key.keystore);
  if (store.type === 'file') {
    const own = keyFiles(site.paths, store, key.name);
    for (const file of [own.key, own.claim]) if (existsSync(file)) files.push(moveAway(file));
  }
  return { key, files };
}

/** @throws VtlicError `usage` for a key that signed something, or of which the ledger cannot say that it did not */
function requireUnused(site: Site, key: KeyRecord): void {
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    const use = useOf(key, ledger);
    if (use !== undefined)
      throw new VtlicError('usage', `the key ${key.name} ${use}`, {
        hint: `retire it instead: vtlic key retire ${key.name}`,
      });
  } finally {
    ledger.close();
  }
}

/** What keeps a key in the site; undefined for one that surely signed nothing. */
function useOf({ purpose, publicKey, made }: KeyRecord, ledger: LedgerView): string | undefined {
  if (purpose !== 'license' && purpose !== 'counters')
    return (
      `has the purpose ${purpose}, and the ledger does not record all that such a key signs: ` +
      'it may have signed something that could not be verified without it'
    );
  const { kid } = publicKey;
  for (const entry of ledger.entriesFrom(0)) {
    if (entry.kind === 'intent' && entry.body.kid === kid) return SIGNED_LICENSES;
    if (entry.kind === 'adopt' && entry.body.act === 'license' && entry.body.license.kid === kid)
      return SIGNED_LICENSES;
    if (entry.kind === 'close' && decodeCoseSign1(entry.body.document, TYP.counters).kid === kid)
      return `has signed the counters document in entry ${entry.seq}, which could not be taken back without it`;
  }
  for (const act of ledger.adminEntries()) {
    if (act.kind !== 'adopt' || act.body.act !== 'log' || formatInstant(act.at) < made) continue;
    const { skip, closed, reason } = act.body;
    if (skip > 0 || closed || reason === 'anchor_lost')
      return `is older than the restore in entry ${act.seq}, and may have signed what the ledger lost there`;
  }
  return undefined;
}

const SIGNED_LICENSES = 'has signed licenses, which could not be verified without it';

function moveAway(file: string): string {
  for (let number = 1; ; number++) {
    const target = `${file}.removed-${number}`;
    if (existsSync(target)) continue;
    renameSync(file, target);
    fsyncFolder(dirname(file));
    return target;
  }
}
