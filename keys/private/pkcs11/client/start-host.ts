/** Starts a token host and calls it. Failures of the host are explained in an officer's words. */
import { cleanText } from '../../../../formats/clean-text.ts';
import type { HostOperations, OperationName } from '../shared/host-protocol.ts';
import { explainFailure } from './explain-failure.ts';
import { HostClient, type HostOptions } from './host-client.ts';
import { HostFailure } from './host-failure.ts';
import type { TokenOptions } from './token-options.ts';

/** Starts a host whose failures are told in an officer's words. */
export async function startHost(
  options: Pick<TokenOptions, 'environment' | 'notify' | 'moduleSaid'>,
  modulePath: string,
): Promise<HostClient> {
  const hostOptions: HostOptions = {
    environment: options.environment ?? process.env,
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
