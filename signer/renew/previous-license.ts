/** What a renewal starts from: the newest license of the lineage that an id, a file or a customer names. */
import { existsSync } from 'node:fs';
import { dearmor } from '../../formats/armor.ts';
import { equalBytes } from '../../formats/bytes.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { decodeCoseSign1, TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { isId, uuidToBytes } from '../../formats/license/id.ts';
import { readLicenseFile } from '../../files/index.ts';
import {
  type CounterOf,
  type LedgerView,
  type Lineage,
  lineageText,
  newestOfCustomer,
  newestOfLineage,
  reenteredLicense,
  sameLineage,
} from '../ledger/index.ts';
import { lastLicense, type LastLicense, type LicenseSource } from '../plan/last-license.ts';
import type { Request } from '../request/request.ts';

/** How the officer named it. */
export type RenewalTarget =
  | { readonly kind: 'id'; readonly id: string; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'customer'; readonly customer: string };

/**
 * A license id is a UUID; a file has a slash, ends with `.vtlic` or exists under a name that is not an id; all else
 * is a customer.
 *
 * @param resolvePath to an absolute path
 */
export function parseTarget(text: string, resolvePath: (path: string) => string): RenewalTarget {
  const bytes = uuidToBytes(text.toLowerCase());
  if (bytes !== undefined) return { kind: 'id', id: text.toLowerCase(), bytes };
  if (text.includes('/') || text.endsWith('.vtlic') || (!isId(text) && existsSync(resolvePath(text))))
    return { kind: 'file', path: resolvePath(text) };
  if (isId(text)) return { kind: 'customer', customer: text };
  throw new VtlicError(
    'usage',
    `renew takes a license id, a license file or a customer, and "${cleanText(text, 100)}" is none of them`,
    { hint: 'see: vtlic help renew' },
  );
}

/** The base, or only the customer where there is no license of theirs. */
export type RenewalBase =
  | { readonly kind: 'license'; readonly last: LastLicense; readonly note?: string }
  | { readonly kind: 'new'; readonly customer: string };

/**
 * @param changes which lineage of the customer is meant, by its product and deployment
 * @throws VtlicError `request_invalid` for a license that this ledger never issued, or a customer with several licenses
 *   of whom none is named
 */
export function findBase(target: RenewalTarget, source: LicenseSource, changes: Partial<Request>): RenewalBase {
  const { ledger } = source;
  switch (target.kind) {
    case 'id':
      return newestOf(source, recordOf(ledger, target.bytes, target.id));
    case 'file':
      return newestOf(source, recordOfFile(ledger, target.path));
    default:
      return ofCustomer(source, target.customer, changes);
  }
}

/**
 * Why a customer without a license in this ledger cannot be renewed here.
 *
 * @param takenOver the ledger that the counters of the customer were taken over from, hex
 */
export function noLicenseOf(customer: string, takenOver: string | undefined): { message: string; hint: string } {
  if (takenOver === undefined)
    return {
      message: `${customer} has no license in this ledger`,
      hint: 'look the id up with vtlic ledger show TEXT; --new-customers takes it as a new customer',
    };
  return {
    message:
      `this ledger issues for ${customer} now, but has no license of it to renew: ` +
      `its counters were taken over from the ledger ${takenOver}, where its licenses are`,
    hint:
      'give --new-customers and all members of the next license; ' +
      `see the last one in that ledger: vtlic ledger show ${customer} --site DIR`,
  };
}

function recordOf(ledger: LedgerView, bytes: Uint8Array, id: string): CounterOf {
  const again = ledger.findReentered(bytes);
  const record =
    (again === undefined ? undefined : reenteredLicense(again)) ?? ledger.findByLicenseId(bytes)?.intent.body;
  if (record === undefined)
    throw new VtlicError('request_invalid', `the ledger has no license ${id}`, {
      hint: 'check the id, or name the customer',
    });
  return record;
}

/** The file must contain what the ledger recorded: a foreign or altered license is no base. */
function recordOfFile(ledger: LedgerView, path: string): CounterOf {
  let payload: Uint8Array;
  let id: string;
  try {
    const cose = decodeCoseSign1(dearmor('VTLIC', readLicenseFile(path)), TYP.license);
    payload = cose.payload;
    id = decodeLicense(payload).cti;
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
  const record = recordOf(ledger, uuidToBytes(id) ?? new Uint8Array(0), id);
  if (!equalBytes(record.payload, payload))
    throw new VtlicError('request_invalid', `the file differs from the ledger's record of license ${id}`, {
      file: path,
      hint: `renew by the id instead, and find out where this file comes from: vtlic renew ${id}`,
    });
  return record;
}

function newestOf(source: LicenseSource, record: CounterOf): RenewalBase {
  const newest = newestOfLineage(source.ledger, record);
  if (newest === undefined)
    throw new VtlicError(
      'request_invalid',
      `there is no license of ${lineageText(record)} to renew: the counter of this one is void, and there is no other`,
      { hint: 'issue a new one: vtlic issue REQUEST.json' },
    );
  const note = equalBytes(newest.licenseId, record.licenseId)
    ? undefined
    : `note: counter ${record.ctr} is not the last license of ${lineageText(record)}; the renewal starts from ` +
      `counter ${newest.ctr}`;
  return { kind: 'license', last: lastLicense(newest, source), ...(note === undefined ? {} : { note }) };
}

function ofCustomer(source: LicenseSource, customer: string, changes: Partial<Request>): RenewalBase {
  const all = newestOfCustomer(source.ledger, customer).map((license) => lastLicense(license, source));
  const [first] = all;
  if (first === undefined) return { kind: 'new', customer };
  if (all.length === 1) return { kind: 'license', last: first };
  const wanted = all.filter(
    ({ license }) =>
      (changes.product === undefined || license.aud === changes.product) &&
      (changes.deployment === undefined || license.dep === changes.deployment),
  );
  const [only] = wanted;
  if (only !== undefined && wanted.length === 1) return { kind: 'license', last: only };
  const without = all.find(
    ({ license }) =>
      changes.product !== undefined && sameLineage(license, lineage(customer, changes.product, changes.deployment)),
  );
  if (without !== undefined) return { kind: 'license', last: without };
  const names = all.map(
    ({ license }) => `${license.aud}${license.dep === undefined ? '' : ` / ${license.dep}`} (${license.cti})`,
  );
  throw new VtlicError(
    'request_invalid',
    `${customer} has ${all.length} lineages, and you did not say which one to renew: ` +
      `${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}`,
    { hint: 'name the license id, or --product and --deployment' },
  );
}

function lineage(sub: string, aud: string, dep: string | undefined): Lineage {
  return dep === undefined ? { sub, aud } : { sub, aud, dep };
}
