/** What a product gives to its runtime, checked. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryStore, type LicenseOptions } from '../../../../verifier/runtime/index.ts';
import { runtimeParts, type RuntimeParts } from '../../../../verifier/runtime/options.ts';
import { thrown } from '../../../support/thrown.ts';
import { HOST, NBF } from '../sample.ts';
import { Product } from './product.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.remove());

function parts(changes: Partial<LicenseOptions> = {}): RuntimeParts {
  const made = runtimeParts(product.options(changes));
  if (made === undefined) throw new Error('the mode is saas');
  return made;
}

describe('the options of a product', () => {
  it('have no more facts of the product than it gives', () => {
    const facts = { issuer: 'example-vendor', product: 'vaultdesk', defaultGrace: 0 };
    expect(parts().product).toStrictEqual(facts);
    const more = { deployment: 'prod', hosts: [HOST], buildDate: NBF, defaultGrace: 60 };
    expect(parts(more).product).toStrictEqual({ ...facts, ...more });
  });

  it('have the file of the state first, and the stores of the product after it', () => {
    const environment = { ...product.options().environment, LICENSE_STATE_PATH: '' };
    const file = `the file ${product.statePath}`;
    const names = (changes: Partial<LicenseOptions>): string[] => parts(changes).stores.map(({ name }) => name);
    expect(names({})).toEqual([file]);
    expect(names({ stores: [memoryStore()] })).toEqual([file, 'the memory of this process']);
    expect(names({ environment })).toEqual([]);
    expect(names({ environment, stores: [memoryStore()] })).toEqual(['the memory of this process']);
  });

  it('have the clocks of the host, in seconds, where the product gives none', () => {
    const { clocks: _clocks, ...options } = product.options();
    const clocks = runtimeParts(options)?.clocks;
    expect(Math.abs((clocks?.clock() ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    // The least of several tries, since other processes may come between the two readings.
    const differences = Array.from({ length: 50 }, () =>
      Math.abs((clocks?.monotonic() ?? 0) * 1000 - performance.now()),
    );
    expect(Math.min(...differences)).toBeLessThan(performance.now() / 5000);
    const own = { clock: () => 1, monotonic: () => 2 };
    expect(parts({ clocks: own }).clocks).toBe(own);
  });

  it('limit each call of the product to 30 seconds, or to what it says', () => {
    const afterCommit = (): void => undefined;
    expect(parts({ afterCommit }).hooks).toMatchObject({ afterCommit, commitSeconds: 30 });
    class Inherited {
      beforeCommit(): void {}
    }
    const inherited = Object.assign(new Inherited(), product.options());
    expect(runtimeParts(inherited)?.hooks.beforeCommit).toBe(inherited.beforeCommit);
    expect(parts({ commitSeconds: 0.1 }).hooks.commitSeconds).toBe(0.1);
    for (const commitSeconds of [0, -1, Number.NaN, Infinity])
      expect(thrown(() => parts({ commitSeconds }))).toMatchObject({
        code: 'usage',
        message: `commitSeconds should be a number of seconds above 0, but it is ${commitSeconds}`,
      });
  });

  it('require the composite signature where that is compiled in', () => {
    expect(parts().keys.trust.requireComposite).toBe(false);
    expect(parts({ compiledIn: { requireComposite: true } }).keys.trust.requireComposite).toBe(true);
  });

  it('are refused where they are wrong, also in the mode saas as far as they count there', () => {
    expect(thrown(() => parts({ issuer: 'not an id' })).code).toBe('usage');
    expect(thrown(() => parts({ buildDate: NBF * 1000 })).code).toBe('usage');
    const saas = { environment: { DEPLOYMENT_MODE: 'saas' } };
    expect(runtimeParts(product.options(saas))).toBeUndefined();
    const freeTier = { ...product.options().freeTier, tier: 'not an id' };
    expect(thrown(() => runtimeParts(product.options({ ...saas, freeTier }))).code).toBe('usage');
  });

  it('say for production what NODE_ENV says, unless the product decides', () => {
    expect([parts().production, parts({ production: false }).production]).toEqual([true, false]);
    expect([parts().fallback, parts({ fallback: 'kept' }).fallback]).toEqual([undefined, 'kept']);
  });
});
