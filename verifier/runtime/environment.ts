/** Variables of the environment that a runtime reads, and what they may not change (docs/runtime.md, "Settings"). */
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { trimBlank } from '../../keys/public/encodings/component-text.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the vendor compiles into the product. A variable that contradicts it is refused: its author may be the
 * adversary.
 */
export interface CompiledIn {
  readonly mode?: 'onprem';
  readonly production?: true;
  readonly requireComposite?: true;
  /** `LICENSE_PUBLIC_KEY` and `LICENSE_MLDSA_PUBLIC_KEY` are not taken. */
  readonly noOverride?: true;
}

export interface Settings {
  readonly mode: 'onprem' | 'saas';
  readonly production: boolean;
  /** The license is in a file or in the environment itself. Undefined: neither was given. */
  readonly license: { readonly path: string } | { readonly text: string } | undefined;
  readonly statePath: string | undefined;
  readonly keysetPath: string | undefined;
}

/** @throws VtlicError `configuration_invalid` naming the variable */
export function readSettings(environment: Environment, compiledIn: CompiledIn, production?: boolean): Settings {
  const valueOf = (name: string): string | undefined => {
    const value = trimBlank(environment[name] ?? '');
    return value === '' ? undefined : value;
  };
  const mode = readMode(valueOf('DEPLOYMENT_MODE'), compiledIn);
  const path = valueOf('LICENSE_PATH');
  const text = valueOf('LICENSE_TEXT');
  if (path !== undefined && text !== undefined)
    throw invalid(
      'LICENSE_TEXT',
      'is set together with LICENSE_PATH, and only one of them may be',
      'Unset one of them.',
    );
  if (compiledIn.noOverride === true)
    for (const name of ['LICENSE_PUBLIC_KEY', 'LICENSE_MLDSA_PUBLIC_KEY'])
      if (valueOf(name) !== undefined)
        throw invalid(name, 'is set, but this product takes no keys from its environment', `Unset ${name}.`);
  return {
    mode,
    production: readProduction(valueOf('NODE_ENV'), compiledIn, production),
    license: path !== undefined ? { path } : text !== undefined ? { text } : undefined,
    statePath: valueOf('LICENSE_STATE_PATH'),
    keysetPath: valueOf('LICENSE_KEYSET_PATH'),
  };
}

function readMode(value: string | undefined, { mode }: CompiledIn): 'onprem' | 'saas' {
  const hint = 'Set DEPLOYMENT_MODE to onprem, where a license is installed, or to saas.';
  if (value === undefined) {
    if (mode === undefined) throw invalid('DEPLOYMENT_MODE', 'is not set', hint);
    return mode;
  }
  if (value !== 'onprem' && value !== 'saas')
    throw invalid('DEPLOYMENT_MODE', `should be onprem or saas, but it is "${cleanText(value, 40)}"`, hint);
  if (mode !== undefined && value !== mode)
    throw invalid('DEPLOYMENT_MODE', `is ${value}, but this product is built for ${mode} only`, 'Unset it.');
  return value;
}

function readProduction(value: string | undefined, compiledIn: CompiledIn, given: boolean | undefined): boolean {
  if (compiledIn.production !== true) return given ?? value === 'production';
  if (value !== undefined && value !== 'production') {
    const fault = `should be production in this product, but it is "${cleanText(value, 40)}"`;
    throw invalid('NODE_ENV', fault, 'Unset it, or set it to production.');
  }
  return true;
}

function invalid(variable: string, fault: string, hint: string): VtlicError {
  return new VtlicError('configuration_invalid', `${variable} ${fault}`, { field: variable, hint });
}
