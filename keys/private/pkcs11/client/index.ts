/**
 * Tokens, as the signer sees them: find and open one, sign with its keys, list and examine it. The module itself runs
 * in a process of its own (`token-host/`).
 */
export { examineToken, type Check } from './doctor.ts';
export { listModule, type ListedModule } from './list-tokens.ts';
export { describeToken } from './pin-policy.ts';
export { moduleFile, resolveModule } from './resolve-module.ts';
export { generateSplitKey, openSplitKey, type SplitTokens } from './split-key.ts';
export type { TokenLimits } from './token-options.ts';
export { openToken, type KeyToOpen, type Token } from './token.ts';
