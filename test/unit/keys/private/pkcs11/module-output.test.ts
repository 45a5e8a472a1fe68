import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../../formats/bytes.ts';
import { ModuleOutput } from '../../../../../keys/private/pkcs11/client/module-output.ts';

function output(): { readonly output: ModuleOutput; readonly told: string[] } {
  const told: string[] = [];
  return { output: new ModuleOutput((line) => told.push(line)), told };
}

describe('what a module prints', () => {
  it('comes line by line, cleaned, however it is cut', () => {
    const { output: of, told } = output();
    for (const piece of ['one\ntw', 'o \u001b[31m\n', '\n', 'no end']) of.write(Buffer.from(piece));
    expect(told).toEqual(['one', 'two \\u{001B}[31m']);
    of.end();
    expect(told.at(-1)).toBe('no end');
    expect(of.lines()).toEqual(told);
  });

  it('is not passed on where the PIN is in it, in whatever pieces it comes', () => {
    const { output: of, told } = output();
    const pin = utf8('pin-4711');
    of.hide(pin);
    // The owner wipes it while the module may still print.
    pin.fill(0);
    for (const piece of ['C_Login(1, pi', 'n-4711)\n', 'at the end: pin-4711']) of.write(Buffer.from(piece));
    of.end();
    expect(told).toHaveLength(2);
    expect(told.join()).not.toContain('4711');
    expect(told.join()).toContain('line with the PIN');
  });

  it('takes no memory and no screen without bound', () => {
    const { output: of, told } = output();
    of.write(Buffer.from('x\n'.repeat(10_000)));
    of.write(Buffer.alloc(1 << 20, 'y'));
    of.end();
    expect(told).toHaveLength(51);
    expect(of.lines()).toHaveLength(50);
    expect(of.lines().at(-1)?.length).toBe(401);
  });
});
