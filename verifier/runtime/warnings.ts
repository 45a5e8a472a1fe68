/** What an operator should know now, by where it comes from: each part is replaced as a whole. */
import type { Notice, NoticeCode } from './notices.ts';

/** Judged anew each minute; the other warnings about a file stay until it changes. */
const OF_THE_MOMENT: ReadonlySet<NoticeCode> = new Set<NoticeCode>([
  'in_grace',
  'lapsed',
  'not_yet_valid',
  'renewal_waits',
  'kept_license_unusable',
  'clock_ahead',
]);

export class Warnings {
  #file: readonly Notice[] = [];
  #moment: readonly Notice[] = [];
  #state: readonly Notice[] = [];

  /** @param isUseless the file is not used: then all of this stays true until it changes */
  setFile(notices: readonly Notice[], isUseless: boolean): void {
    this.#file = notices.filter(({ code }) => code !== 'clock_ahead' && (isUseless || !OF_THE_MOMENT.has(code)));
  }

  setMoment(notices: readonly Notice[], keysets: readonly Notice[]): void {
    this.#moment = [...notices.filter(({ code }) => OF_THE_MOMENT.has(code)), ...keysets];
  }

  setState(notices: readonly Notice[]): void {
    this.#state = notices;
  }

  addState(notices: readonly Notice[]): void {
    this.#state = [...this.#state, ...notices];
  }

  /** Each once. */
  all(): readonly Notice[] {
    return [...new Map([...this.#state, ...this.#file, ...this.#moment].map((one) => [keyOf(one), one])).values()];
  }

  /** Those that are not among some earlier ones. */
  since(before: readonly Notice[]): readonly Notice[] {
    const known = new Set(before.map(keyOf));
    return this.all().filter((one) => !known.has(keyOf(one)));
  }
}

function keyOf({ code, detail }: Notice): string {
  return `${code} ${detail}`;
}
