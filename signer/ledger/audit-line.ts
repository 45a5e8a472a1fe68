/**
 * An entry as an auditor gets it: all that shows what was signed, when, by which key, and that counters rose without a
 * hole.
 *
 * What says who a customer is stays out: customer, deployment, name, reference, file name, and the salts, with which a
 * license could be guessed from a leaf. Lineages are numbers, in the order in which they first come up.
 */
import { toHex } from '../../formats/bytes.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { uuidFromBytes } from '../../formats/license/id.ts';
import type { AdoptBody } from './entries/admin-entry.ts';
import type { LedgerHead } from '../anchor/index.ts';
import type { Entry } from './entries/entry.ts';
import { issueLeaf, newLogLeaf, reenteredLeaf, voidLeaf } from './tree/leaf.ts';
import type { LedgerView } from './ledger.ts';
import type { Lineage } from './entries/lineage.ts';
import { leafHash } from './tree/merkle.ts';
import { sha256 } from './entries/chain.ts';

type Members = Readonly<Record<string, unknown>>;

export class AuditLines {
  readonly #ledger: LedgerView;
  readonly #withNames: boolean;
  readonly #lineages: Map<string, number> = new Map();
  readonly #customers: Map<string, number> = new Map();

  constructor(ledger: LedgerView, withNames: boolean) {
    this.#ledger = ledger;
    this.#withNames = withNames;
  }

  of(entry: Entry): Members {
    return { seq: entry.seq, kind: entry.kind, at: entry.at, ...this.#body(entry), chain: toHex(entry.chain) };
  }

  #body(entry: Entry): Members {
    switch (entry.kind) {
      case 'genesis': {
        const { body } = entry;
        return { format: body.format, ledger: toHex(body.ledgerId), issuer: body.iss, origin: body.origin };
      }
      case 'intent': {
        const { body } = entry;
        return {
          ...this.#lineage(body),
          ctr: body.ctr,
          id: uuidFromBytes(body.licenseId),
          ...this.#claims(body.payload),
          kid: body.kid,
          custody: body.custody,
          operator: body.operator,
          plan: toHex(body.planDigest),
          catalog: toHex(body.catalogDigest),
          site: toHex(body.siteDigest),
          ...(body.batch === undefined ? {} : { batch: body.batch.name, row: toHex(body.batch.row) }),
          ...(this.#withNames ? { path: body.path } : {}),
        };
      }
      case 'issue': {
        const intent = this.#intent(entry.body.intent);
        return {
          intent: entry.body.intent,
          coseSha256: toHex(sha256(entry.body.cose)),
          leaf: entry.body.leafIndex,
          leafHash: hashOf(intent === undefined ? undefined : issueLeaf(intent, entry.body)),
          ...this.#salt(entry.body.salt),
        };
      }
      case 'void': {
        const intent = this.#intent(entry.body.intent);
        return {
          intent: entry.body.intent,
          reason: entry.body.reason,
          leaf: entry.body.leafIndex,
          leafHash: hashOf(intent === undefined ? undefined : voidLeaf(intent, entry.body)),
          ...this.#salt(entry.body.salt),
        };
      }
      case 'release':
        return {
          intent: entry.body.intent,
          fileSha256: toHex(entry.body.fileDigest),
          ...(this.#withNames ? { path: entry.body.path } : {}),
        };
      case 'clock':
        return { reading: entry.body.reading, confirmed: entry.body.confirmed, operator: entry.body.operator };
      case 'adopt':
        return this.#adopt(entry.body);
      default:
        return {
          ...this.#customer(entry.body.sub),
          documentSha256: toHex(sha256(entry.body.document)),
          operator: entry.body.operator,
        };
    }
  }

  #adopt(body: AdoptBody): Members {
    const { act } = body;
    switch (act) {
      case 'log':
        return {
          act,
          reason: body.reason,
          origin: body.origin,
          restored: headMembers(body.restored),
          covered: body.covered,
          coveredBound: body.coveredBound,
          found: body.found === undefined ? null : headMembers(body.found),
          skip: body.skip,
          highest: body.highest,
          closed: body.closed,
          ...(body.keysetVersion === undefined ? {} : { keyset: body.keysetVersion }),
          operator: body.operator,
          leaf: body.leafIndex,
          leafHash: hashOf(newLogLeaf(body)),
          ...this.#salt(body.salt),
        };
      case 'license': {
        const { license } = body;
        return {
          act,
          ...this.#lineage(license),
          ctr: license.ctr,
          id: uuidFromBytes(license.licenseId),
          ...this.#claims(license.payload),
          kid: license.kid,
          coseSha256: toHex(sha256(body.cose)),
          leaf: body.leafIndex,
          leafHash: hashOf(reenteredLeaf(body)),
          ...this.#salt(body.salt),
        };
      }
      case 'anchor':
        return { act, operator: body.operator };
      case 'import':
        return {
          act,
          documentSha256: toHex(body.document),
          kid: body.kid,
          ledger: toHex(body.ledgerId),
          ...this.#customer(body.sub),
          floor: body.floor,
          highest: body.highest,
          operator: body.operator,
        };
      case 'counter':
        return {
          act,
          ...this.#lineage(body),
          ctr: body.ctr,
          ...(body.payloadDigest === undefined ? {} : { payloadSha256: toHex(body.payloadDigest) }),
        };
      case 'keyset-signing':
        return {
          act,
          kid: body.kid,
          version: body.version,
          payloadSha256: toHex(body.payloadDigest),
          custody: body.custody,
          operator: body.operator,
        };
      case 'keyset':
        return {
          act,
          version: body.version,
          payloadSha256: toHex(body.payloadDigest),
          documentSha256: toHex(sha256(body.document)),
          reasons: body.reasons,
          operator: body.operator,
        };
      default:
        return { act, closedBy: body.closedBy, ...this.#customer(body.sub), operator: body.operator };
    }
  }

  #intent(seq: number): Extract<Entry, { kind: 'intent' }>['body'] | undefined {
    const entry = this.#ledger.entry(seq);
    return entry?.kind === 'intent' ? entry.body : undefined;
  }

  #claims(payload: Uint8Array): Members {
    const { iat, nbf, exp, tier, seats, features, limits, grace, offline, instances, hosts, upd, use, clk, name, ref } =
      decodeLicense(payload);
    return {
      iat,
      nbf,
      exp,
      tier,
      seats,
      features,
      limits,
      ...(grace === undefined ? {} : { grace }),
      ...(offline === undefined ? {} : { offline }),
      ...(instances === undefined ? {} : { instances }),
      ...(hosts === undefined ? {} : { hosts: hosts.length }),
      ...(upd === undefined ? {} : { upd }),
      ...(use === undefined ? {} : { use }),
      ...(clk === undefined ? {} : { clk }),
      ...(this.#withNames && name !== undefined ? { name } : {}),
      ...(this.#withNames && ref !== undefined ? { ref } : {}),
      payloadSha256: toHex(sha256(payload)),
    };
  }

  #lineage({ aud, sub, dep }: Lineage): Members {
    const names = this.#withNames ? { customer: sub, ...(dep === undefined ? {} : { deployment: dep }) } : {};
    return {
      lineage: numberOf(this.#lineages, `${sub}/${aud}/${dep ?? ''}`),
      customerNumber: numberOf(this.#customers, sub),
      product: aud,
      ...names,
    };
  }

  /** Of an act that concerns one customer, or all. */
  #customer(sub: string | undefined): Members {
    if (sub === undefined) return { customerNumber: null };
    return { customerNumber: numberOf(this.#customers, sub), ...(this.#withNames ? { customer: sub } : {}) };
  }

  #salt(salt: Uint8Array): Members {
    return this.#withNames ? { salt: toHex(salt) } : {};
  }
}

function hashOf(leaf: Uint8Array | undefined): string | null {
  return leaf === undefined ? null : toHex(leafHash(leaf));
}

function headMembers(head: LedgerHead): Members {
  return {
    entries: head.entries,
    log: toHex(head.logId),
    size: head.size,
    root: toHex(head.root),
    reach: head.counterBound,
    closes: head.closes,
    chain: toHex(head.chain),
    ...(head.keysetVersion === undefined ? {} : { keyset: head.keysetVersion }),
  };
}

function numberOf(known: Map<string, number>, name: string): number {
  const found = known.get(name);
  if (found !== undefined) return found;
  known.set(name, known.size + 1);
  return known.size;
}
