/**
 * One token, opened and logged in, over a token host that may have to be started again.
 *
 * Calls C_Login once per token and run. If the host or the token went away and came back, a PIN that was accepted may
 * be sent once more, to the same serial and after the flags were read again. A PIN that was refused, or whose outcome
 * is unknown, is never sent again.
 */
import { VtlicError } from '../../../../formats/error.ts';
import { explainFailure } from './explain-failure.ts';
import { ForeignChange } from './foreign-change.ts';
import { HostFailure, type HostClient } from './host-client.ts';
import type { HostOperations, OperationName } from '../shared/host-protocol.ts';
import {
  describeToken,
  explainLoginRefusal,
  judgeLogin,
  judgePinShape,
  readPinSource,
  type LoginWay,
} from './pin-policy.ts';
import { isUntried, profileOf } from '../shared/profiles.ts';
import { asker, findOnHost } from './start-host.ts';
import { resolveModule } from './resolve-module.ts';
import { returnCodeOf } from '../shared/return-codes.ts';
import type { TokenDescription } from '../shared/token-description.ts';
import { limitsOf, mechanismsUsed, type OpenedToken, type TokenLimits, type TokenOptions } from './token-options.ts';

/** How often a token may be opened again in one run: as often as an accepted PIN may be sent again. */
const MAX_REOPENINGS = 1;

export class TokenConnection {
  readonly opened: OpenedToken;
  readonly limits: TokenLimits;
  readonly #options: TokenOptions;
  #host: HostClient;
  #slotId: number;
  #pin: Uint8Array | undefined;
  #reopenings = 0;
  #reopening: Promise<HostClient> | undefined;
  /** Why nothing more is done with this token in this run. */
  #final: VtlicError | undefined;
  #stale = false;
  readonly #foreignChange: ForeignChange = new ForeignChange(async () => {
    const { modulePath, token, profile } = this.opened;
    const { host, found } = await findOnHost(this.#options, modulePath, this.limits);
    const touch = asker(host, this.name);
    try {
      stillThere(token, found.token);
      await touch('open', { slotId: found.slotId, profile }, this.limits.other);
    } catch (error) {
      await host.close();
      throw error;
    }
    return { host, touch: () => touch('touch', {}, this.limits.other) };
  });

  private constructor(
    options: TokenOptions,
    host: HostClient,
    opened: OpenedToken,
    slotId: number,
    pin: Uint8Array | undefined,
  ) {
    this.#options = options;
    this.limits = limitsOf(options);
    this.#host = host;
    this.opened = opened;
    this.#slotId = slotId;
    this.#pin = pin;
  }

  /** @throws VtlicError of any step: finding the module, the token, and the login */
  static async open(options: TokenOptions): Promise<TokenConnection> {
    const limits = limitsOf(options);
    const modulePath = resolveModule(options.uri);
    const { host, module, found } = await findOnHost(options, modulePath, limits);
    let pin: Uint8Array | undefined;
    try {
      const { token, slotId } = found;
      const ask = asker(host, `the token ${describeToken(token)}`);
      const profile = options.profile ?? profileOf(module, token);
      if (isUntried(profile) && options.allowUntested !== true) {
        throw new VtlicError(
          'configuration_invalid',
          `the token ${describeToken(token)} is of a kind that was never tried with this toolkit (${profile.name})`,
          {
            hint: 'see what works: vtlic hsm doctor KEYSTORE; add --untested-token if you take the risk',
          },
        );
      }
      const mechanisms = await ask('mechanisms', { slotId, types: mechanismsUsed(profile) }, limits.other);
      await ask('open', { slotId, profile }, limits.other);
      const read = async (): Promise<TokenDescription> =>
        stillThere(token, await ask('token', { slotId }, limits.other));
      const { serial, ...before } = await wayIn(options, read);
      let { fresh, way } = before;
      options.beforeLogin?.({ modulePath, module, token: fresh, profile, mechanisms });
      if (way === 'pin') {
        const { pinSourceFile } = options.uri;
        pin = pinSourceFile === undefined ? await options.pin(fresh) : await readPinSource(pinSourceFile);
        // While the prompt was open, another program may have used up tries.
        fresh = await read();
        way = judgeLogin(fresh, serial);
        judgePinShape(pin, fresh);
      }
      if (way !== 'none-needed') await login(host, slotId, fresh, way, pin, limits);
      return new TokenConnection(
        options,
        host,
        Object.freeze({ modulePath, module, token: fresh, profile, mechanisms }),
        slotId,
        pin,
      );
    } catch (error) {
      pin?.fill(0);
      await host.close();
      throw error;
    }
  }

  /** The process number of the host, for tests. */
  get hostPid(): number {
    return this.#host.pid;
  }

  printed(): readonly string[] {
    return this.#host.printed();
  }

  /**
   * The running host; object numbers are valid only for it. Opens the token again if it went away.
   *
   * @throws VtlicError where that is no longer allowed or fails
   */
  async host(): Promise<HostClient> {
    if (this.#final !== undefined) throw this.#final;
    if (!this.#host.isOver && !this.#stale) return this.#host;
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  /** One request to a host that `host()` gave. */
  async request<Name extends OperationName>(
    host: HostClient,
    operation: Name,
    body: HostOperations[Name]['request'],
    limit: number,
  ): Promise<HostOperations[Name]['reply']> {
    this.#foreignChange.note(operation);
    try {
      return await host.call(operation, body, limit);
    } catch (error) {
      if (!(error instanceof HostFailure)) throw error;
      if (error.why.kind === 'fault') this.#noteFault(error, host);
      if (error.why.kind === 'gone') throw error;
      throw this.#noteFinal(explainFailure(error, this.name, host.printed().at(-1)), error);
    }
  }

  /** Sends one request to the host that is running now. */
  async ask<Name extends OperationName>(
    operation: Name,
    body: HostOperations[Name]['request'],
    limit: number = this.limits.other,
  ): Promise<HostOperations[Name]['reply']> {
    return this.retryWhenGone((host) => this.request(host, operation, body, limit));
  }

  /** Sends a request to the next host if it was never sent because the host had ended before. */
  async retryWhenGone<T>(work: (host: HostClient) => Promise<T>): Promise<T> {
    for (;;) {
      const host = await this.host();
      try {
        return await work(host);
      } catch (error) {
        if (!(error instanceof HostFailure)) throw error;
      }
    }
  }

  /**
   * After this, a search finds every object that was there before, whoever made it, if this process changes nothing in
   * between.
   */
  async readAnew(): Promise<void> {
    if (this.opened.profile.searches === 'after-foreign-change') await this.#foreignChange.afterOwn();
  }

  get name(): string {
    return `the token ${describeToken(this.opened.token)}`;
  }

  /** The token's flags as they are now. */
  flags(): Promise<number> {
    return this.retryWhenGone(
      async (host) => (await this.request(host, 'token', { slotId: this.#slotId }, this.limits.other)).flags,
    );
  }

  async close(): Promise<void> {
    this.#final ??= new VtlicError('signing_failed', `${this.name} was closed`);
    this.#pin?.fill(0);
    this.#pin = undefined;
    await this.#reopening?.catch(() => {});
    await this.#foreignChange.close();
    await this.#host.close();
  }

  /**
   * After a return code that says the session or the token is gone, the host is started again before the next request.
   */
  #noteFault(error: HostFailure, host: HostClient): void {
    if (error.why.kind !== 'fault' || error.why.fault.kind !== 'call' || host !== this.#host) return;
    if (GONE.includes(error.why.fault.rv)) this.#stale = true;
  }

  #noteFinal(explained: VtlicError, error: HostFailure): VtlicError {
    const refused = error.why.kind === 'fault' && error.why.fault.kind === 'context-pin';
    if (refused) this.#end(explained);
    return explained;
  }

  #end(why: VtlicError): void {
    this.#final ??= why;
    this.#pin?.fill(0);
    this.#pin = undefined;
  }

  async #reopen(): Promise<HostClient> {
    if (this.#reopenings >= MAX_REOPENINGS) {
      const why = new VtlicError(
        'signing_failed',
        `the connection to ${this.name} was lost twice, and its PIN is sent only once more in a run`,
        { hint: 'see that the token is well connected, then run again' },
      );
      this.#end(why);
      throw why;
    }
    this.#reopenings += 1;
    await this.#host.close();
    const { modulePath, token } = this.opened;
    let host: HostClient | undefined;
    try {
      const again = await findOnHost(this.#options, modulePath, this.limits);
      host = again.host;
      stillThere(token, again.found.token);
      const ask = asker(host, this.name);
      const { slotId } = again.found;
      await ask('open', { slotId, profile: this.opened.profile }, this.limits.other);
      const fresh = stillThere(token, await ask('token', { slotId }, this.limits.other));
      const way = judgeLogin(fresh, this.#options.lastTrySerial);
      // Closed meanwhile: its PIN is wiped, and the wiped bytes must not be sent.
      if (this.#final !== undefined) throw this.#final;
      if (way !== 'none-needed') await login(host, slotId, fresh, way, this.#pin, this.limits);
      this.#host = host;
      this.#slotId = slotId;
      this.#stale = false;
      this.#options.notify?.(`${this.name} went away and was opened again`);
      return host;
    } catch (error) {
      await host?.close();
      const why =
        error instanceof VtlicError
          ? error
          : new VtlicError('signing_failed', `${this.name} could not be opened again`, { cause: error });
      this.#end(why);
      throw why;
    }
  }
}

const GONE: readonly number[] = [
  'CKR_SESSION_CLOSED',
  'CKR_SESSION_HANDLE_INVALID',
  'CKR_DEVICE_REMOVED',
  'CKR_DEVICE_ERROR',
  'CKR_TOKEN_NOT_PRESENT',
  'CKR_TOKEN_NOT_RECOGNIZED',
  'CKR_USER_NOT_LOGGED_IN',
  'CKR_SLOT_ID_INVALID',
  'CKR_CRYPTOKI_NOT_INITIALIZED',
  'CKR_KEY_HANDLE_INVALID',
  // If the token allows only one session, it cannot be renewed without losing the login.
  'CKR_OPERATION_ACTIVE',
].map(returnCodeOf);

const CKR_OK = 0;

/** Sends the PIN once. Every return code but CKR_OK is final for this run. */
async function login(
  host: HostClient,
  slotId: number,
  token: TokenDescription,
  way: 'pin' | 'pad',
  pin: Uint8Array | undefined,
  limits: TokenLimits,
): Promise<void> {
  // Without a pad no PIN means an empty one, which costs a try.
  if (way === 'pin' && pin === undefined) throw new VtlicError('internal', 'a login without its PIN');
  const ask = asker(host, `the token ${describeToken(token)}`);
  const rv = await ask('login', { pin }, limits.login);
  if (rv === CKR_OK) return;
  const after = await host.call('token', { slotId }, limits.other).then(
    ({ flags }) => flags,
    () => undefined,
  );
  throw explainLoginRefusal(rv, token, after);
}

/** A token can be changed for another between two calls, and the PIN of one is never sent to the other. */
function stillThere(token: TokenDescription, now: TokenDescription): TokenDescription {
  const same = now.serial === token.serial && now.label === token.label;
  if (same && (token.serial !== '' || now.slotDescription === token.slotDescription)) return now;
  throw new VtlicError(
    'token_not_found',
    `another token, ${describeToken(now)}, is in the place of ${describeToken(token)}`,
    { hint: 'plug the right token in and run again' },
  );
}

interface WayIn {
  readonly fresh: TokenDescription;
  readonly way: LoginWay;
  /** By which the last try may be used. */
  readonly serial: string | undefined;
}

/** The token's flags, judged; on its last try a person may type its serial. The flags are read again after that. */
async function wayIn(options: TokenOptions, read: () => Promise<TokenDescription>): Promise<WayIn> {
  const fresh = await read();
  try {
    return { fresh, way: judgeLogin(fresh, options.lastTrySerial), serial: options.lastTrySerial };
  } catch (error) {
    if (!(error instanceof VtlicError) || error.code !== 'pin_last_try' || options.lastTrySerial !== undefined)
      throw error;
    const typed = await options.typeSerial?.(fresh);
    if (typed === undefined || typed === '') throw error;
    const again = await read();
    return { fresh: again, way: judgeLogin(again, typed), serial: typed };
  }
}
