import { expect, it } from 'vitest';
import type { HostClient } from '../../../../../keys/private/pkcs11/client/host-client.ts';
import type { TokenConnection } from '../../../../../keys/private/pkcs11/client/token-connection.ts';
import { TokenPart, type Refs } from '../../../../../keys/private/pkcs11/client/token-key.ts';

it('a key that an old host finds too late not to be there stays known to the new one', async () => {
  const [old, next] = [{}, {}] as unknown as [HostClient, HostClient];
  let present = old;
  const connection = {
    retryWhenGone: (work: (host: HostClient) => unknown) => work(present),
  } as unknown as TokenConnection;
  const ofOld = Promise.withResolvers<Refs>();
  let lookups = 0;
  const part = new TokenPart(connection, ['ed25519'], (host) => {
    lookups += 1;
    return host === old ? ofOld.promise : Promise.resolve({ ed25519: 1 });
  });
  const first = part.ready();
  present = next;
  await part.ready();
  ofOld.reject(new Error('the host ended'));
  await expect(first).rejects.toThrow('the host ended');
  await part.ready();
  expect(lookups).toBe(2);
});
