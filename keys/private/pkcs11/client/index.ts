/**
 * Tokens, as the signer sees them: find and open one, sign with its keys, list and examine it. The module itself runs
 * in a process of its own (`token-host/`).
 */
export { examineToken } from './doctor.ts';
export type { Check } from './doctor-key.ts';
export { nameOneToken } from './find-token.ts';
export { describeDeclared } from './host-environment.ts';
export { listModule, type ListedModule } from './list-tokens.ts';
export { describeToken, lastTryName } from './pin-policy.ts';
export { moduleFile, resolveModule } from './resolve-module.ts';
export { generateSplitKey, openSplitKey, type SplitTokens } from './split-key.ts';
export type { OpenedToken, TokenLimits } from './token-options.ts';
export { findComponents, type FoundComponent } from './adopt-key.ts';
export { checkNewComponent, checkNewKey, COMPONENT_WORDS } from './abilities.ts';
export { leftObjects, namingWhatIsLeft, newKeyId, removalCommand } from './generate-key.ts';
export type { KeyToOpen } from './open-key.ts';
export { openToken, type Token } from './token.ts';
