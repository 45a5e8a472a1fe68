/** The version that `vtlic --version` and the reference harness print. Each package.json has the same. */
export const VERSION = '0.1.0';
