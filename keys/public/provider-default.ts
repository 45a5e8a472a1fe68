/** The provider of this platform: node:crypto on Node.js, noble elsewhere, chosen by import condition (`imports` in package.json). */
export { platformProvider as defaultProvider } from '#provider';
