/**
 * The fingerprint of the host or cluster on which a product runs, for licenses with `hosts` (docs/runtime.md, "The
 * fingerprint of a host").
 *
 * A fingerprint is HMAC-SHA256 with an id as the key, over its source, the issuer and the product: the id itself never
 * leaves the host, and two vendors or products see different fingerprints of one host.
 */
import { createHmac } from 'node:crypto';
import { cleanText, hasControlOrBidi } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { isId } from '../../formats/license/id.ts';
import { readLimited, sha256Hex } from '../../files/index.ts';
import { trimBlank } from '../../keys/public/encodings/component-text.ts';
import type { Environment } from './environment.ts';
import { machineId, type ReadHostFile } from './machine-id.ts';

/** In the order in which they are used. */
const SOURCES = ['operator', 'kubernetes', 'machine', 'database'] as const;

export type FingerprintSource = (typeof SOURCES)[number];

export interface HostOptions {
  /** `process.env`: LICENSE_HOST_ID and LICENSE_CLUSTER_UID. */
  readonly environment: Environment;
  readonly issuer: string;
  readonly product: string;
  /** An id that the product once wrote into its database, for hosts that have nothing better. */
  readonly databaseId?: string | undefined;
  /** Further machine ids that several hosts are known to share: those of the vendor's own images. */
  readonly sharedMachineIds?: readonly string[];
}

export interface Fingerprint {
  readonly source: FingerprintSource;
  /** 64 lower-case hex digits. */
  readonly fingerprint: string;
}

export interface HostFingerprint {
  /** The one that counts; undefined: nothing identifies this host. */
  readonly used: Fingerprint | undefined;
  /** What `openLicense` takes: the fingerprint that counts, or nothing. */
  readonly hosts: readonly string[];
  /** Every fingerprint that can be made here, the one that counts first. */
  readonly candidates: readonly Fingerprint[];
  /** Why the other sources give none. */
  readonly absent: readonly { readonly source: FingerprintSource; readonly reason: string }[];
}

const MAX_HOST_ID_LENGTH = 256;
/** A list of mounts may be long. */
const MAX_HOST_FILE_BYTES = 4_194_304;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const NIL_UUID = '00000000-0000-0000-0000-000000000000';
const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;

/**
 * Never throws for a host that has no id: a license without `hosts` needs none.
 *
 * @throws VtlicError `configuration_invalid` for a variable that is wrong, `usage` for an option that is
 */
export function hostFingerprint(options: HostOptions, read: ReadHostFile = readHostFile): HostFingerprint {
  const { environment, issuer, product, databaseId, sharedMachineIds = [] } = options;
  if (!isId(issuer)) throw misuse('issuer', 'an id');
  if (!isId(product)) throw misuse('product', 'an id');
  if (databaseId !== undefined && !isHostId(databaseId))
    throw misuse('databaseId', `a text of 1 to ${MAX_HOST_ID_LENGTH} characters without control characters`);
  const found: Readonly<Record<FingerprintSource, { readonly id: string } | { readonly reason: string }>> = {
    operator: operatorId(environment),
    kubernetes: clusterUid(environment),
    machine: machineId(environment, read, sharedMachineIds),
    database: databaseId === undefined ? { reason: 'the product gives no id of its database' } : { id: databaseId },
  };
  const candidates: Fingerprint[] = [];
  const absent: { readonly source: FingerprintSource; readonly reason: string }[] = [];
  for (const source of SOURCES) {
    const one = found[source];
    if ('reason' in one) absent.push(Object.freeze({ source, reason: one.reason }));
    else {
      const text = ['vtlic-host/1', source, issuer, product].join('\n');
      const fingerprint = createHmac('sha256', one.id).update(text).digest('hex');
      candidates.push(Object.freeze({ source, fingerprint }));
    }
  }
  const [used] = candidates;
  return Object.freeze({
    used,
    hosts: Object.freeze(used === undefined ? [] : [used.fingerprint]),
    candidates: Object.freeze(candidates),
    absent: Object.freeze(absent),
  });
}

/**
 * Why a license that is bound to hosts names another fingerprint than the one that counts here, in one sentence.
 *
 * @param isNamed whether the license names a fingerprint
 * @returns undefined where it names the one that counts
 */
export function explainFingerprint(
  { used, candidates }: HostFingerprint,
  isNamed: (fingerprint: string) => boolean,
): string | undefined {
  if (used === undefined)
    return (
      'The license is bound to hosts, and nothing identifies this host. ' +
      'Set LICENSE_HOST_ID, and ask for a license with the fingerprint made from it.'
    );
  if (isNamed(used.fingerprint)) return undefined;
  const earlier = candidates.find(({ fingerprint }) => isNamed(fingerprint));
  const now = SOURCE_NAMES[used.source];
  if (earlier === undefined)
    return `The license does not name the fingerprint made from ${now}. ${WHY_CHANGED[used.source]}`;
  const canBeUnset = used.source === 'operator' || used.source === 'kubernetes';
  return (
    `The license names the fingerprint made from ${SOURCE_NAMES[earlier.source]}, but this host now uses ${now}. ` +
    `${canBeUnset ? `Unset ${now}, or ask` : 'Ask'} for a license with the fingerprint of today.`
  );
}

/** For messages. */
export const SOURCE_NAMES: Readonly<Record<FingerprintSource, string>> = Object.freeze({
  operator: 'LICENSE_HOST_ID',
  kubernetes: 'LICENSE_CLUSTER_UID',
  machine: 'the machine id',
  database: 'the id of the database',
});

const WHY_CHANGED: Readonly<Record<FingerprintSource, string>> = Object.freeze({
  operator: 'Give LICENSE_HOST_ID the value that it had when the fingerprint was sent to the vendor.',
  kubernetes: 'A cluster that is made anew has another kube-system namespace, and so another UID.',
  machine:
    'It changes when the host is reinstalled, when a clone is given its own id, or when a container moves to ' +
    'another host.',
  database: 'A database that is made anew, or restored from another installation, has another id.',
});

/**
 * The fingerprint that some products used before: SHA-256 over the UTF-8 text `hostname LF MAC LF Compose project`. For
 * licenses that name it already; docs/runtime.md lists its pitfalls.
 *
 * @param mac in any letter case, with colons or hyphens
 * @throws VtlicError `usage` naming the part
 */
export function compatibleFingerprint(hostname: string, mac: string, composeProject: string): string {
  for (const [name, part] of Object.entries({ hostname, composeProject }))
    if (hasControlOrBidi(part)) throw misuse(name, 'a text without control characters');
  if (hostname === '') throw misuse('hostname', 'a text');
  const spelled = mac.toLowerCase().replaceAll('-', ':');
  if (!MAC.test(spelled)) throw misuse('mac', 'six pairs of hex digits, such as 02:42:ac:11:00:02');
  return sha256Hex([hostname, spelled, composeProject].join('\n'));
}

function operatorId(environment: Environment): { readonly id: string } | { readonly reason: string } {
  const id = trimBlank(environment['LICENSE_HOST_ID'] ?? '');
  if (id === '') return { reason: 'LICENSE_HOST_ID is not set' };
  if (!isHostId(id))
    throw invalid(
      'LICENSE_HOST_ID',
      `should have 1 to ${MAX_HOST_ID_LENGTH} characters, and no control characters`,
      'Set it to a name that only this host has.',
    );
  return { id };
}

function clusterUid(environment: Environment): { readonly id: string } | { readonly reason: string } {
  const given = trimBlank(environment['LICENSE_CLUSTER_UID'] ?? '');
  if (given === '') return { reason: 'LICENSE_CLUSTER_UID is not set' };
  const id = given.toLowerCase();
  if (!UUID.test(id) || id === NIL_UUID)
    throw invalid(
      'LICENSE_CLUSTER_UID',
      `should be the UID of a namespace, but it is "${cleanText(given, 40)}"`,
      "Set it to what kubectl get namespace kube-system -o jsonpath='{.metadata.uid}' prints.",
    );
  return { id };
}

function isHostId(id: string): boolean {
  return id !== '' && id.length <= MAX_HOST_ID_LENGTH && id.isWellFormed() && !hasControlOrBidi(id);
}

/** The text of a file, up to 4 MiB. */
export function readHostFile(path: string): string | undefined {
  try {
    return new TextDecoder().decode(readLimited(path, MAX_HOST_FILE_BYTES, 'too_large'));
  } catch {
    return undefined;
  }
}

function misuse(field: string, expected: string): VtlicError {
  return new VtlicError('usage', `${field} should be ${expected}`, { field });
}

function invalid(variable: string, fault: string, hint: string): VtlicError {
  return new VtlicError('configuration_invalid', `${variable} ${fault}`, { field: variable, hint });
}
