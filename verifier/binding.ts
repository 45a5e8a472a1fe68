import { counted } from '../formats/clean-text.ts';
import type { License } from '../formats/license/license.ts';
import type { VerifyContext } from './context.ts';
import { refuse, type Refused } from './verdict.ts';

/**
 * Whether the license is meant for here. A claim that binds something which the context does not give is refused, not
 * ignored.
 */
export function judgeBinding(
  license: License,
  { issuer, product, deployment, hosts, buildDate }: VerifyContext,
): Refused | undefined {
  if (license.iss !== issuer)
    return refuse(
      'issuer_mismatch',
      `it is by ${license.iss}, and ${issuer} is expected`,
      { field: 'iss' },
      { license: license.iss, here: issuer },
    );
  if (license.aud !== product)
    return refuse(
      'product_mismatch',
      `it is for ${license.aud}, and this is ${product}`,
      { field: 'aud' },
      { license: license.aud, here: product },
    );
  if (license.dep !== undefined && license.dep !== deployment) {
    const here = deployment === undefined ? 'no deployment is given here' : `this is ${deployment}`;
    return refuse(
      'deployment_mismatch',
      `it is for the deployment ${license.dep}, and ${here}`,
      { field: 'dep' },
      { license: license.dep, here: deployment ?? '' },
    );
  }
  const named = license.hosts;
  if (named !== undefined && hosts?.some((host) => named.includes(host)) !== true) {
    const here =
      hosts === undefined || hosts.length === 0
        ? 'no fingerprint of a host is given here'
        : 'this host is none of them';
    return refuse(
      'host_mismatch',
      `it is bound to ${counted(named.length, 'host', 'hosts')}, and ${here}`,
      { field: 'hosts' },
      { hosts: named.length },
    );
  }
  if (license.upd !== undefined && (buildDate === undefined || buildDate >= license.upd)) {
    const here = buildDate === undefined ? 'no build date is given here' : `this build is dated ${instant(buildDate)}`;
    return refuse(
      'build_not_covered',
      `it covers builds dated before ${instant(license.upd)}, and ${here}`,
      {
        field: 'upd',
      },
      { until: license.upd, ...(buildDate === undefined ? {} : { build: buildDate }) },
    );
  }
  return undefined;
}

/** RFC 3339 in UTC, whole seconds. */
function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
