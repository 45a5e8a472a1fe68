/** Runs a bundle for browsers where nothing of Node.js is in reach. */
const bundle = new URL('./browser.mjs', import.meta.url).href;
for (const name of ['process', 'Buffer', 'setImmediate', 'clearImmediate', 'global']) delete globalThis[name];
await import(bundle);
