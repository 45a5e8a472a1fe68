/**
 * For which customers a ledger may issue. The writer and the whole check use this same rule.
 *
 * A customer can be closed by name, or together with everybody. The two end separately: importing another ledger's
 * document for everybody does not reopen a customer who was handed over by name, because that ledger does not own it.
 */
export const RIGHTS_KINDS = ['close', 'closed-log', 'import', 'reopen'] as const;

export interface RightsChange {
  /** seq of the entry. */
  readonly seq: number;
  readonly kind: (typeof RIGHTS_KINDS)[number];
  /** '' for every customer. */
  readonly sub: string;
}

export class IssuingRights {
  /** The entry that closed everybody. */
  #all: number | undefined = undefined;
  /** Customer → the entry that closed it by name. */
  readonly #own: Map<string, number> = new Map();
  /** Customer → the entry that took it out of what was closed for everybody before. */
  readonly #opened: Map<string, number> = new Map();

  /** In the order of the record. A reopening by name ends what closed the customer by name, if anything did. */
  add({ seq, kind, sub }: RightsChange): void {
    const closes = kind === 'close' || kind === 'closed-log';
    if (sub === '') this.#all = closes ? seq : undefined;
    else if (closes) this.#own.set(sub, seq);
    else if (!this.#own.delete(sub) || kind === 'import') this.#opened.set(sub, seq);
  }

  /** seq of the entry that keeps a customer closed ('': all those that no act names); undefined while it is open. */
  closedBy(sub: string): number | undefined {
    return this.#own.get(sub) ?? this.closedForAll(sub);
  }

  /** The same, but for what closed it by name. */
  closedForAll(sub: string): number | undefined {
    return this.#all !== undefined && this.#all > (this.#opened.get(sub) ?? 0) ? this.#all : undefined;
  }
}
