import { describe, expect, it } from 'vitest';
import { SealedTokens, sameText } from '../../../../verifier/admin/sealed-tokens.ts';

const PARTS = ['install', 'session-1'];
const MAX_USED = 10_000;

class At {
  now = 0;
  readonly tokens: SealedTokens = new SealedTokens(new Uint8Array(32).fill(7), () => this.now);

  check(token: string): string | undefined {
    return this.tokens.check(token, PARTS);
  }
}

describe('a token of a form', () => {
  it('has the second in which it expires, 16 random bytes and a seal', () => {
    const at = new At();
    at.now = 10.7;
    const [first, second] = [at.tokens.make(PARTS, 60), at.tokens.make(PARTS, 60)];
    expect(first).toMatch(/^70\.[0-9a-f]{32}\.[0-9a-f]{64}$/);
    expect(first.slice(3, 35)).not.toBe(second.slice(3, 35));
    expect(at.tokens.nameOf(first)).toEqual({ id: first.slice(3, 35), until: 70 });
  });

  it('expires at its second, not before', () => {
    const at = new At();
    const token = at.tokens.make(PARTS, 60);
    at.now = 59.9;
    expect(at.check(token)).toBeUndefined();
    at.now = 60;
    expect(at.check(token)).toBe('expired');
  });

  it('expires in a second of one to twelve digits', () => {
    const at = new At();
    at.now = 1;
    expect(at.check(at.tokens.make(PARTS, 8))).toBeUndefined();
    at.now = 999_999_999_000;
    expect(at.check(at.tokens.make(PARTS, 999))).toBeUndefined();
    expect(at.check(at.tokens.make(PARTS, 1000))).toBe('forged');
  });

  it.each([
    ['nothing', () => ''],
    ['no token', () => 'token'],
    ['something before it', (token: string) => `x${token}`],
    ['something after it', (token: string) => `${token}0`],
    ['no second', (token: string) => token.slice(1)],
    ['a digit less in its id', (token: string) => token.replace(/^(..)./, '$1')],
    ['a digit more in its id', (token: string) => token.replace(/^../, '$&0')],
    ['a digit less in its seal', (token: string) => token.slice(0, -1)],
    ['its seal in capitals', (token: string) => token.replace(/[a-f0-9]+$/, 'ABCDEF0123456789'.repeat(4))],
  ])('with %s is none', (_what, bend) => {
    const at = new At();
    const token = bend(at.tokens.make(PARTS, 0));
    expect(at.check(token)).toBe('forged');
    expect(at.tokens.nameOf(token)).toBeUndefined();
    expect(at.tokens.use(token)).toBe(false);
  });

  it.each([
    ['another second', (token: string) => token.replace(/^\d/, '9')],
    ['another id', (token: string) => token.replace(/\.[0-9a-f]{4}/, '.0000')],
    ['another seal', (token: string) => token.slice(0, -4) + '0000'],
  ])('with %s is forged', (_what, bend) => {
    const at = new At();
    expect(at.check(bend(at.tokens.make(PARTS, 60)))).toBe('forged');
  });

  it('that was used is not good again, and others are', () => {
    const at = new At();
    const [used, other] = [at.tokens.make(PARTS, 60), at.tokens.make(PARTS, 60)];
    expect(at.tokens.use(used)).toBe(true);
    expect(at.check(used)).toBe('used');
    expect(at.check(other)).toBeUndefined();
    at.now = 60;
    expect(at.check(used)).toBe('expired');
  });
});

describe('the tokens that were used', () => {
  it('are ten thousand at most, and each is forgotten once it expires, not before', () => {
    const at = new At();
    const spend = (life: number): boolean => at.tokens.use(at.tokens.make(PARTS, life));
    const kept = at.tokens.make(PARTS, 61);
    expect(at.tokens.use(kept)).toBe(true);
    for (let i = 1; i < MAX_USED; i++) if (!spend(60)) throw new Error(`the token ${i} was refused`);
    expect(spend(60)).toBe(false);
    at.now = 59.9;
    expect(spend(60)).toBe(false);
    at.now = 60;
    expect(spend(60)).toBe(true);
    expect(at.check(kept)).toBe('used');
  });
});

describe('two texts', () => {
  it('are the same only where every character is', () => {
    expect(sameText('token', 'token')).toBe(true);
    for (const other of ['', 'toke', 'tokens', 'Token']) expect(sameText(other, 'token')).toBe(false);
  });
});
