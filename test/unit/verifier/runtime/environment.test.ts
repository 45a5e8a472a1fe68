/** The variables that a runtime reads, and what they may not change. */
import { describe, expect, it } from 'vitest';
import { readSettings, type CompiledIn, type Environment } from '../../../../verifier/runtime/environment.ts';
import { thrown } from '../../../support/thrown.ts';

const ONPREM = { DEPLOYMENT_MODE: 'onprem' };
const rest = { license: undefined, statePath: undefined, keysetPath: undefined };

describe('the settings of a product', () => {
  it('are those of its environment without the blanks around them', () => {
    const environment = {
      DEPLOYMENT_MODE: ' onprem\n',
      NODE_ENV: 'production',
      LICENSE_PATH: ' /license ',
      LICENSE_STATE_PATH: '/state\n',
      LICENSE_KEYSET_PATH: ' /keyset',
      LICENSE_TEXT: ' ',
    };
    expect(readSettings(environment, {})).toEqual({
      mode: 'onprem',
      production: true,
      license: { path: '/license' },
      statePath: '/state',
      keysetPath: '/keyset',
    });
    expect(readSettings({ ...ONPREM, LICENSE_TEXT: 'text' }, {}).license).toEqual({ text: 'text' });
    expect(readSettings({ ...ONPREM, LICENSE_STATE_PATH: '' }, {})).toEqual({
      mode: 'onprem',
      production: false,
      ...rest,
    });
  });

  it.each<[mode: string | undefined, compiledIn: CompiledIn, read: string]>([
    ['onprem', {}, 'onprem'],
    ['saas', {}, 'saas'],
    ['onprem', { mode: 'onprem' }, 'onprem'],
    [undefined, { mode: 'onprem' }, 'onprem'],
    [' ', { mode: 'onprem' }, 'onprem'],
  ])('with DEPLOYMENT_MODE %j and %j compiled in have the mode %s', (DEPLOYMENT_MODE, compiledIn, mode) => {
    expect(readSettings({ DEPLOYMENT_MODE }, compiledIn).mode).toBe(mode);
  });

  it.each<[nodeEnv: string | undefined, compiledIn: CompiledIn, given: boolean | undefined, production: boolean]>([
    ['production', {}, undefined, true],
    ['test', {}, undefined, false],
    [undefined, {}, undefined, false],
    ['production', {}, false, false],
    ['test', {}, true, true],
    ['production', { production: true }, false, true],
    [undefined, { production: true }, undefined, true],
  ])('with NODE_ENV %j, %j compiled in and the option %j are for production: %j', (NODE_ENV, compiledIn, given, is) => {
    expect(readSettings({ ...ONPREM, NODE_ENV }, compiledIn, given).production).toBe(is);
  });

  const MODES = 'Set DEPLOYMENT_MODE to onprem, where a license is installed, or to saas.';

  it.each<[environment: Environment, compiledIn: CompiledIn, field: string, fault: string, hint: string]>([
    [{}, {}, 'DEPLOYMENT_MODE', 'is not set', MODES],
    [{ DEPLOYMENT_MODE: ' ' }, {}, 'DEPLOYMENT_MODE', 'is not set', MODES],
    [
      { DEPLOYMENT_MODE: 'cloud\u001b' },
      {},
      'DEPLOYMENT_MODE',
      'should be onprem or saas, but it is "cloud\\u{001B}"',
      MODES,
    ],
    [
      { DEPLOYMENT_MODE: 'saas' },
      { mode: 'onprem' },
      'DEPLOYMENT_MODE',
      'is saas, but this product is built for onprem only',
      'Unset it.',
    ],
    [
      { ...ONPREM, LICENSE_PATH: '/license', LICENSE_TEXT: 'text' },
      {},
      'LICENSE_TEXT',
      'is set together with LICENSE_PATH, and only one of them may be',
      'Unset one of them.',
    ],
    [
      { ...ONPREM, LICENSE_PUBLIC_KEY: 'key' },
      { noOverride: true },
      'LICENSE_PUBLIC_KEY',
      'is set, but this product takes no keys from its environment',
      'Unset LICENSE_PUBLIC_KEY.',
    ],
    [
      { ...ONPREM, LICENSE_MLDSA_PUBLIC_KEY: 'key' },
      { noOverride: true },
      'LICENSE_MLDSA_PUBLIC_KEY',
      'is set, but this product takes no keys from its environment',
      'Unset LICENSE_MLDSA_PUBLIC_KEY.',
    ],
    [
      { ...ONPREM, NODE_ENV: 'development' },
      { production: true },
      'NODE_ENV',
      'should be production in this product, but it is "development"',
      'Unset it, or set it to production.',
    ],
  ])('%j with %j compiled in are refused for %s', (environment, compiledIn, field, fault, hint) => {
    expect(thrown(() => readSettings(environment, compiledIn))).toMatchObject({
      code: 'configuration_invalid',
      message: `${field} ${fault}`,
      place: { field },
      hint,
    });
  });

  it('that are refused show 40 characters of a long value', () => {
    const fault = (length: number): string =>
      thrown(() => readSettings({ ...ONPREM, NODE_ENV: 'x'.repeat(length) }, { production: true })).message;
    expect(fault(40)).toContain(`"${'x'.repeat(40)}"`);
    expect(fault(41)).toContain(`"${'x'.repeat(40)}…"`);
  });

  it('may have keys in the environment unless the product takes none, and blanks are none', () => {
    const keys = { LICENSE_PUBLIC_KEY: 'key', LICENSE_MLDSA_PUBLIC_KEY: 'key' };
    expect(readSettings({ ...ONPREM, ...keys }, {}).mode).toBe('onprem');
    const blank = { LICENSE_PUBLIC_KEY: ' ', LICENSE_MLDSA_PUBLIC_KEY: '' };
    expect(readSettings({ ...ONPREM, ...blank }, { noOverride: true }).mode).toBe('onprem');
  });
});
