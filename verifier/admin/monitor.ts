/** The routes for a monitoring system: `…/metrics`, with a token of its own, and `…/health`, without one. */
import { VtlicError } from '../../formats/error.ts';
import type { LiveLicense } from '../runtime/index.ts';
import { licenseMetrics, METRICS_TYPE, type MetricsOptions } from './metrics.ts';
import { sameText } from './sealed-tokens.ts';

export interface MonitorOptions extends MetricsOptions {
  /** What a request for the metrics has to show, as `Authorization: Bearer TOKEN`: at least 16 visible characters. */
  readonly token: string;
}

const TOKEN = /^[\x21-\x7e]{16,512}$/;
/** Notices of these codes ask for nothing. */
const HARMLESS: ReadonlySet<string> = new Set(['renewal_waits', 'state_created']);

/**
 * @returns the handler of both routes, which looks at the last part of the path
 * @throws VtlicError `usage` naming the option that is missing or wrong
 */
export function licenseMonitor(license: LiveLicense, options: MonitorOptions): (request: Request) => Promise<Response> {
  const { token } = options;
  if (typeof token !== 'string' || !TOKEN.test(token))
    throw new VtlicError('usage', 'the option token is required, and should have 16 visible characters or more', {
      field: 'token',
    });
  const metrics = licenseMetrics(license, options);
  return (request) => {
    const route = new URL(request.url).pathname.split('/').at(-1);
    if (route !== 'metrics' && route !== 'health') return answer(404, 'not found\n');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answer(405, 'only GET and HEAD\n', { allow: 'GET, HEAD' });
    const isHead = request.method === 'HEAD';
    if (route === 'health') return answer(200, isHead ? null : health(license), { 'content-type': 'application/json' });
    const given = request.headers.get('authorization')?.match(/^Bearer ([\x21-\x7e]+)$/i)?.[1];
    if (given === undefined || !sameText(given, token))
      return answer(401, 'unauthorized\n', { 'www-authenticate': 'Bearer realm="license metrics"' });
    return answer(200, isHead ? null : metrics(), { 'content-type': METRICS_TYPE });
  };
}

/** 200 whatever the license is: a product in its free tier runs, and nothing should restart it. */
function health(license: LiveLicense): string {
  const { state, warnings } = license.view();
  const isCalm = warnings.every(({ code }) => HARMLESS.has(code));
  return `${JSON.stringify({ status: isCalm ? 'ok' : 'attention', license: state })}\n`;
}

function answer(
  status: number,
  body: string | null,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const common = {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
  return Promise.resolve(new Response(body, { status, headers: { ...common, ...headers } }));
}
