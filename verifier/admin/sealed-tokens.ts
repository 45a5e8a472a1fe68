/**
 * The CSRF tokens in the forms of the page: each is for one step of one session and for a limited time, and some can be
 * used only once. Another site cannot know a token, and a session cannot use the token of another session.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export type TokenFault = 'forged' | 'expired' | 'used';

/** What was used is remembered at least until it expires. More than this at once is an attack, which is refused. */
const MAX_USED = 10_000;

export class SealedTokens {
  readonly #secret: Uint8Array;
  readonly #clock: () => number;
  readonly #used: Map<string, number> = new Map();

  /** @param clock seconds since 1970 */
  constructor(secret: Uint8Array, clock: () => number) {
    // A copy: a product that wipes its secret, as it should, must not change the key of every token.
    this.#secret = Uint8Array.from(secret);
    this.#clock = clock;
  }

  /** @param parts what the token is bound to, such as the step, the session and the digest */
  make(parts: readonly string[], lifeSeconds: number): string {
    const expiry = Math.floor(this.#clock()) + lifeSeconds;
    const nonce = randomBytes(16).toString('hex');
    return `${expiry}.${nonce}.${this.#seal(expiry, nonce, parts)}`;
  }

  /** @returns undefined for a valid token */
  check(token: string, parts: readonly string[]): TokenFault | undefined {
    const name = this.nameOf(token);
    if (name === undefined) return 'forged';
    const { id: nonce, until: expiry } = name;
    const seal = token.slice(token.lastIndexOf('.') + 1);
    if (!sameText(seal, this.#seal(expiry, nonce, parts))) return 'forged';
    if (expiry <= this.#clock()) return 'expired';
    return this.#used.has(nonce) ? 'used' : undefined;
  }

  /**
   * Marks a checked token as used, so that it is not valid again. @returns false for what is not a token, and if too
   * many are remembered
   */
  use(token: string): boolean {
    const name = this.nameOf(token);
    if (name === undefined) return false;
    if (this.#used.size >= MAX_USED) this.#forgetExpired();
    if (this.#used.size >= MAX_USED) return false;
    this.#used.set(name.id, name.until);
    return true;
  }

  /** What names a token, and when it expires. @returns undefined for what is not a token */
  nameOf(token: string): { readonly id: string; readonly until: number } | undefined {
    if (!TOKEN.test(token)) return undefined;
    const [until = '', id = ''] = token.split('.');
    return { id, until: Number(until) };
  }

  #forgetExpired(): void {
    for (const [nonce, expiry] of this.#used) if (expiry <= this.#clock()) this.#used.delete(nonce);
  }

  #seal(expiry: number, nonce: string, parts: readonly string[]): string {
    return createHmac('sha256', this.#secret)
      .update(JSON.stringify(['vtlic-admin/1', expiry, nonce, ...parts]))
      .digest('hex');
  }
}

const TOKEN = /^(\d{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})$/;

/** Compares two texts in a time that depends neither on where they differ nor on the length of `given`. */
export function sameText(given: string, wanted: string): boolean {
  const hash = (text: string): Uint8Array => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}
