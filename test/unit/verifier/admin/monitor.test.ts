import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { licenseMetrics, licenseMonitor } from '../../../../verifier/admin/index.ts';
import type { LiveLicense, Notice } from '../../../../verifier/runtime/index.ts';
import { inWords, thrown } from '../../../support/thrown.ts';
import { concatBytes } from '../../../../formats/bytes.ts';
import { issuingKey, KEYSET_ISSUER, keysetBlock, testKey } from '../../../../conformance/examples/keysets.ts';
import { builtInChain } from '../../../../verifier/keyset/index.ts';
import { DAY, Product, textOf } from '../runtime/product.ts';
import { EXP, GRACE, licenseFile, licenseFileOf, NBF } from '../sample.ts';
import { OLD, viewOf } from './views.ts';

const TOKEN = 'a-token-of-the-monitoring';
const BASE = 'https://vaultdesk.example:9464';

let product: Product;
let license: LiveLicense;
beforeEach(async () => {
  product = new Product();
  await product.dropLicense({ ctr: 7, name: 'Acme GmbH', dep: 'prod-eu' });
  license = await product.start({ deployment: 'prod-eu', defaultGrace: GRACE });
});
afterEach(() => product.remove());

/** The samples of the text, which follows the grammar of OpenMetrics 1.0. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  expect(text.endsWith('\n# EOF\n')).toBe(true);
  const lines = text.slice(0, -'# EOF\n'.length).trimEnd().split('\n');
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of lines) {
    const [, kind, name = '', rest = ''] = /^# (TYPE|UNIT|HELP) ([a-z_]+) (.+)$/.exec(line) ?? [];
    if (kind === 'TYPE') types.set(name, rest);
    if (kind === 'UNIT') expect(name.endsWith(`_${rest}`)).toBe(true);
    if (kind !== undefined) continue;
    const [, sample = '', labels = '', value] = /^([a-z_]+)(\{[a-z_]+="[a-z_]+"\})? (-?\d+)$/.exec(line) ?? [];
    expect(value, line).toBeDefined();
    const family = sample.replace(/_total$/, '');
    expect(types.get(family), line).toBe(sample === family ? types.get(sample) : 'counter');
    expect(samples.has(sample + labels)).toBe(false);
    samples.set(sample + labels, Number(value));
  }
  expect(new Set(types.keys()).size).toBe(lines.filter((line) => line.startsWith('# TYPE')).length);
  return samples;
}

describe('the metrics of a license', () => {
  it('say when it expires, what it gives, its counter, and what was refused', async () => {
    const metrics = licenseMetrics(license);
    expect(Object.fromEntries(samplesOf(metrics()))).toEqual({
      vtlic_license_expires_in_seconds: EXP - NBF,
      vtlic_license_grace_left_seconds: EXP + GRACE - NBF,
      'vtlic_license_state{vtlic_license_state="active"}': 1,
      'vtlic_license_state{vtlic_license_state="grace"}': 0,
      'vtlic_license_state{vtlic_license_state="free_tier"}': 0,
      'vtlic_license_state{vtlic_license_state="not_applicable"}': 0,
      vtlic_license_lineage_counter: 7,
      vtlic_license_renewal_waiting: 0,
      vtlic_license_refused_renewals_total: 0,
      'vtlic_license_warning{code="state_created"}': 1,
    });
    await license.install('nonsense');
    await license.preview('nonsense');
    product.drop('nonsense');
    await license.refresh();
    expect(samplesOf(metrics()).get('vtlic_license_refused_renewals_total')).toBe(3);
    await license.install(textOf(await licenseFile({ ctr: 9, dep: 'prod-eu', nbf: EXP - DAY, exp: EXP + DAY })));
    expect(samplesOf(metrics()).get('vtlic_license_renewal_waiting')).toBe(1);
  });

  it('go below zero in grace and after it', async () => {
    const metrics = licenseMetrics(license, { prefix: 'vaultdesk' });
    await product.pass(EXP - NBF + 5 * DAY, license);
    const inGrace = samplesOf(metrics());
    expect(inGrace.get('vaultdesk_license_expires_in_seconds')).toBe(-5 * DAY);
    expect(inGrace.get('vaultdesk_license_grace_left_seconds')).toBe(GRACE - 5 * DAY);
    expect(inGrace.get('vaultdesk_license_state{vaultdesk_license_state="grace"}')).toBe(1);
    await product.pass(GRACE, license);
    const after = samplesOf(metrics());
    expect(after.get('vaultdesk_license_grace_left_seconds')).toBe(-5 * DAY);
    expect(after.get('vaultdesk_license_state{vaultdesk_license_state="free_tier"}')).toBe(1);
  });

  it('have the version of the keyset, and nothing of the customer', async () => {
    await license.close();
    const version = (number: number): Uint8Array =>
      keysetBlock({ version: number, roots: ['root'], keys: [issuingKey('key')] }, ['root']);
    product.loseState();
    product.drop(licenseFileOf(testKey('key')));
    license = await product.start({
      keys: builtInChain(concatBytes(version(1), version(2)), { issuer: KEYSET_ISSUER }),
    });
    const text = licenseMetrics(license)();
    expect(samplesOf(text).get('vtlic_license_keyset_version')).toBe(2);
    expect(text).not.toMatch(/acme|prod-eu|250|enterprise|0193817a|\/tmp/i);
  });

  it('leave out what there is not', async () => {
    await license.close();
    license = await product.start({ environment: { DEPLOYMENT_MODE: 'saas' } });
    const samples = samplesOf(licenseMetrics(license)());
    expect(samples.has('vtlic_license_expires_in_seconds')).toBe(false);
    expect(samples.get('vtlic_license_state{vtlic_license_state="not_applicable"}')).toBe(1);
  });

  it.each(['', 'Vaultdesk', '9lives', 'a-b', 'a\nb', 'vault_', 'a'.repeat(60)])('have no prefix %j', (prefix) => {
    expect(inWords(thrown(() => licenseMetrics(license, { prefix })))).toMatch(/^usage/);
  });
});

describe('the routes for a monitoring system', () => {
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
    licenseMonitor(license, { token: TOKEN })(new Request(`${BASE}${path}`, { method, headers }));
  const shown = { authorization: `Bearer ${TOKEN}` };

  it('give the metrics to whoever shows the token', async () => {
    const response = await ask('/metrics', shown);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(samplesOf(await response.text()).get('vtlic_license_lineage_counter')).toBe(7);
    expect((await ask('/license/metrics?a=b', { authorization: `bearer ${TOKEN}` })).status).toBe(200);
    const head = await ask('/metrics', shown, 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it.each([
    ['nothing', undefined],
    ['an empty token', 'Bearer '],
    ['another token', `Bearer ${TOKEN.replace('a', 'b')}`],
    ['the beginning of the token', `Bearer ${TOKEN.slice(0, -1)}`],
    ['more than the token', `Bearer ${TOKEN}x`],
    ['two tokens', `Bearer ${TOKEN} ${TOKEN}`],
    ['the token as a password', `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}`],
    ['the token alone', TOKEN],
    ['something before the scheme', `x Bearer ${TOKEN}`],
    ['an empty scheme', ` ${TOKEN}`],
  ])('give no metrics for %s', async (_what, authorization) => {
    const response = await ask('/metrics', authorization === undefined ? {} : { authorization });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(await response.text()).not.toContain('license_state');
  });

  it('call for attention where any warning asks for something', async () => {
    const [created, grace]: [Notice, Notice] = [
      { ...OLD, code: 'state_created' },
      { ...OLD, code: 'in_grace' },
    ];
    const statusWith = async (warnings: readonly Notice[]): Promise<unknown> => {
      const monitor = licenseMonitor({ ...license, view: () => viewOf({ warnings }) }, { token: TOKEN });
      return (await monitor(new Request(`${BASE}/health`))).json();
    };
    const ok = { status: 'ok', license: 'active' };
    expect(await statusWith([])).toEqual(ok);
    expect(await statusWith([created, { ...created, code: 'renewal_waits' }])).toEqual(ok);
    expect(await statusWith([created, grace])).toEqual({ status: 'attention', license: 'active' });
  });

  it('tell anybody the state, and answer 200 whatever it is', async () => {
    expect(await (await ask('/health')).json()).toEqual({ status: 'ok', license: 'active' });
    await product.pass(EXP - NBF, license);
    expect(await (await ask('/health')).json()).toEqual({ status: 'attention', license: 'grace' });
    await product.pass(GRACE, license);
    const last = await ask('/health');
    expect([last.status, await last.json()]).toEqual([200, { status: 'attention', license: 'free_tier' }]);
  });

  it.each(['/', '/metrics/', '/METRICS', '/metrics%2f', '/health/x', '/../metrics/..', '/metric', '/healthz'])(
    'have nothing at %s',
    async (path) => {
      expect((await ask(path, shown)).status).toBe(404);
    },
  );

  it.each(['POST', 'PUT', 'OPTIONS', 'DELETE'])('do nothing by %s', async (method) => {
    for (const path of ['/metrics', '/health']) expect((await ask(path, shown, method)).status).toBe(405);
  });

  it.each([
    undefined,
    '',
    'x'.repeat(15),
    'x'.repeat(513),
    'a token with blanks',
    'x'.repeat(16) + '\n',
    'ä'.repeat(20),
    5e15,
    { toString: () => 'x'.repeat(16) },
  ])('are not made with the token %j', (token) => {
    const error = thrown(() => licenseMonitor(license, { token: token as string }));
    expect(inWords(error)).toBe('usage: the option token is required, and should have 16 visible characters or more');
    expect(error.place.field).toBe('token');
  });

  it.each([16, 512])('are made with a token of %i characters, which a request has to show', async (length) => {
    const monitor = licenseMonitor(license, { token: '!'.repeat(length - 1) + '~' });
    const status = async (authorization: string): Promise<number> =>
      (await monitor(new Request(`${BASE}/metrics`, { headers: { authorization } }))).status;
    expect(await status(`Bearer ${'!'.repeat(length - 1)}~`)).toBe(200);
    expect(await status(`Bearer ${'!'.repeat(length)}`)).toBe(401);
  });

  it('are answered exactly: the status, the headers and the body of each', async () => {
    const answer = async (path: string, method = 'GET', headers = {}): Promise<unknown> => {
      const response = await ask(path, headers, method);
      return [response.status, Object.fromEntries(response.headers), await response.text()];
    };
    const common = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
    const plain = { ...common, 'content-type': 'text/plain; charset=utf-8' };
    const json = { ...common, 'content-type': 'application/json' };
    const open = { ...common, 'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8' };
    expect(await answer('/health')).toEqual([200, json, '{"status":"ok","license":"active"}\n']);
    expect(await answer('/health', 'HEAD')).toEqual([200, json, '']);
    expect(await answer('/metrics', 'HEAD', shown)).toEqual([200, open, '']);
    expect(await answer('/metrics', 'GET', shown)).toEqual([200, open, licenseMetrics(license)()]);
    expect(await answer('/other')).toEqual([404, plain, 'not found\n']);
    expect(await answer('/health', 'POST')).toEqual([405, { ...plain, allow: 'GET, HEAD' }, 'only GET and HEAD\n']);
    const asks = { ...plain, 'www-authenticate': 'Bearer realm="license metrics"' };
    expect(await answer('/metrics')).toEqual([401, asks, 'unauthorized\n']);
    expect(await answer('/metrics', 'HEAD')).toEqual([401, asks, 'unauthorized\n']);
  });
});
