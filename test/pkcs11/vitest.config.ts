import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Tests on real tokens: what they need is in docs/testing.md. Each file makes its own tokens in a folder of its own. */
const config: ViteUserConfig = defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/pkcs11/**/*.test.ts'],
    globalSetup: ['test/pkcs11/support/check-needs.ts'],
    pool: 'forks',
    // Two cores are what the time of a whole run is promised for. Each file has tokens, modules and PINs of its own.
    maxWorkers: 2,
    maxConcurrency: 3,
    testTimeout: 120_000,
    hookTimeout: 600_000,
    passWithNoTests: false,
    allowOnly: false,
    reporters: ['default'],
  },
});

export default config;
