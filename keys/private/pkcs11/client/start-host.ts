/** Starts a token host, calls it, and finds a token on it. Its failures are explained in an officer's words. */
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { HostOperations, OperationName } from '../shared/host-protocol.ts';
import type { ModuleDescription, TokenDescription } from '../shared/token-description.ts';
import { explainFailure } from './explain-failure.ts';
import { findToken } from './find-token.ts';
import { checkDeclared, environmentFaults } from './host-environment.ts';
import { HostClient, HostFailure, type HostOptions } from './host-client.ts';
import type { TokenLimits, TokenOptions } from './token-options.ts';

/** Starts a host whose failures are explained in an officer's words. */
export async function startHost(
  options: Pick<TokenOptions, 'environment' | 'declared' | 'notify' | 'moduleSaid'>,
  modulePath: string,
): Promise<HostClient> {
  const { environment = process.env, declared = {} } = options;
  checkDeclared(environment, declared);
  const hostOptions: HostOptions = {
    environment,
    declared,
    notify: options.notify ?? ((): void => {}),
    moduleSaid: options.moduleSaid ?? ((): void => {}),
  };
  try {
    return await HostClient.start(modulePath, hostOptions);
  } catch (error) {
    if (error instanceof HostFailure) throw explainFailure(error, moduleName(modulePath));
    throw error;
  }
}

export function moduleName(modulePath: string): string {
  return `the PKCS#11 module ${cleanText(modulePath)}`;
}

/** Calls an operation of the host; a failure is explained with the name of the token or module. */
type Ask = <Name extends OperationName>(
  operation: Name,
  body: HostOperations[Name]['request'],
  limit: number,
) => Promise<HostOperations[Name]['reply']>;

export function asker(host: HostClient, what: string): Ask {
  return async (operation, body, limit) => {
    try {
      return await host.call(operation, body, limit);
    } catch (error) {
      if (error instanceof HostFailure) throw explainFailure(error, what, host.printed().at(-1));
      throw error;
    }
  };
}

interface FoundOnHost {
  readonly host: HostClient;
  readonly module: ModuleDescription;
  readonly found: { readonly slotId: number; readonly token: TokenDescription };
}

/** Loads the module in a host of its own, and finds the one token that the URI means. */
export async function findOnHost(options: TokenOptions, modulePath: string, limits: TokenLimits): Promise<FoundOnHost> {
  const host = await startHost(options, modulePath);
  try {
    const ask = asker(host, moduleName(modulePath));
    const module = await ask('load', { path: modulePath }, limits.other);
    const slots = await ask('slots', {}, limits.other);
    return { host, module, found: findToken(options.uri, modulePath, module, slots) };
  } catch (error) {
    await host.close();
    throw withEnvironment(error, options);
  }
}

/** The same error with what is wrong with the module's configuration, where that may be the cause. */
export function withEnvironment(
  error: unknown,
  { environment = process.env, declared }: Pick<TokenOptions, 'environment' | 'declared'>,
): unknown {
  if (!(error instanceof VtlicError) || !['module_unusable', 'token_not_found'].includes(error.code)) return error;
  const faults = environmentFaults(environment, declared);
  if (faults.length === 0) return error;
  return new VtlicError(error.code, `${error.message}; ${faults.join('; ')}`, {
    ...error.place,
    hint: "correct the module's configuration first; see docs/hsm.md",
    cause: error,
  });
}
