import type { Site } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';
import type { SecretSource } from './secret-source.ts';
import type { TokenPool } from './token-pool.ts';

/** What a run reaches keys and anchors with. */
export interface KeyAccess {
  readonly site: Site;
  readonly secrets: SecretSource;
  /** The caller closes it at the end of the run. */
  readonly tokens: TokenPool;
  readonly world: Runtime;
}
