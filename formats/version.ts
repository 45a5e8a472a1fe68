/** What `vtlic --version` and the reference harness say; each package.json has the same. */
export const VERSION = '0.1.0';
