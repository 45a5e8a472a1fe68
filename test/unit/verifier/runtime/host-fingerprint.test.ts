import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compatibleFingerprint,
  explainFingerprint,
  hostFingerprint,
  readHostFile,
  type HostFingerprint,
  type HostOptions,
} from '../../../../verifier/runtime/host-fingerprint.ts';
import { thrown } from '../../../support/thrown.ts';

const MACHINE_ID = '0123456789abcdef0123456789abcdef';
const CLUSTER_UID = '0a1b2c3d-0000-4000-8000-00000000002a';
const ALL = {
  environment: { LICENSE_HOST_ID: 'rack 7', LICENSE_CLUSTER_UID: CLUSTER_UID },
  databaseId: 'db-1',
};
const ON_A_HOST = { '/etc/machine-id': `${MACHINE_ID}\n`, '/proc/1/cgroup': '0::/init.scope\n' };

/** On a host with these files. */
function found(
  changes: Partial<HostOptions> = {},
  files: Readonly<Record<string, string>> = ON_A_HOST,
): HostFingerprint {
  const options = { environment: {}, issuer: 'example-vendor', product: 'vaultdesk', ...changes };
  return hostFingerprint(options, (path) => files[path]);
}

const reasonOf = ({ absent }: HostFingerprint, source = 'machine'): string | undefined =>
  absent.find((one) => one.source === source)?.reason;

describe('the fingerprint of a host', () => {
  it('comes from the operator, else from the cluster, else from the machine, else from the database', () => {
    const sources = (host: HostFingerprint): string[] => host.candidates.map(({ source }) => source);
    const all = found(ALL);
    expect(sources(all)).toEqual(['operator', 'kubernetes', 'machine', 'database']);
    expect(all.used).toBe(all.candidates[0]);
    expect(all.hosts).toEqual([all.used?.fingerprint]);
    expect(found({ environment: { LICENSE_CLUSTER_UID: CLUSTER_UID } }).used?.source).toBe('kubernetes');
    expect(found({ databaseId: 'db-1' }).used?.source).toBe('machine');
    expect(found({ databaseId: 'db-1' }, {}).used?.source).toBe('database');
    expect(found({}, {})).toMatchObject({ used: undefined, hosts: [], candidates: [] });
  });

  it('is HMAC-SHA256 with the id as the key, over the source, the issuer and the product', () => {
    const expected = createHmac('sha256', MACHINE_ID)
      .update('vtlic-host/1\nmachine\nexample-vendor\nvaultdesk')
      .digest('hex');
    expect(found().used).toEqual({ source: 'machine', fingerprint: expected });
    // Computed by: printf 'vtlic-host/1\nmachine\nexample-vendor\nvaultdesk' | openssl dgst -sha256 -hmac MACHINE_ID
    expect(expected).toBe('38f955503ad71ab7da683d3351849504deba69943bd51867ccaf2d54a9190e0e');
  });

  it('differs by issuer, product and source, for the same id', () => {
    const prints = [
      found(),
      found({ issuer: 'other-vendor' }),
      found({ product: 'otherdesk' }),
      found({ environment: { LICENSE_HOST_ID: MACHINE_ID } }),
      found({ databaseId: MACHINE_ID }, {}),
    ].map(({ used }) => used?.fingerprint);
    expect(new Set(prints).size).toBe(5);
  });

  it('never contains an id, whatever the operator sets', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,40}$/), (id) => {
        const host = found({ environment: { LICENSE_HOST_ID: id } });
        expect(host.used?.source).toBe('operator');
        expect(host.used?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
        expect(JSON.stringify({ ...host.used, absent: host.absent })).not.toContain(MACHINE_ID);
      }),
    );
  });

  it('is the same for one id however its blanks and letter case are spelled', () => {
    const bySpelling = (value: string): unknown => found({ environment: { LICENSE_CLUSTER_UID: value } }).used;
    expect(bySpelling(` ${CLUSTER_UID.toUpperCase()}\n`)).toEqual(bySpelling(CLUSTER_UID));
    expect(found({}, { ...ON_A_HOST, '/etc/machine-id': MACHINE_ID.toUpperCase() })).toEqual(found());
    // A variable that has only blanks counts as unset.
    expect(found({ environment: { LICENSE_HOST_ID: ' ', LICENSE_CLUSTER_UID: '' } })).toEqual(found());
  });

  it.each([
    ['LICENSE_HOST_ID', 'two\nlines'],
    ['LICENSE_HOST_ID', 'x'.repeat(257)],
    ['LICENSE_HOST_ID', '\ud800'],
    ['LICENSE_CLUSTER_UID', 'my-cluster'],
    ['LICENSE_CLUSTER_UID', `a${CLUSTER_UID}`],
    ['LICENSE_CLUSTER_UID', `${CLUSTER_UID}a`],
    ['LICENSE_CLUSTER_UID', '00000000-0000-0000-0000-000000000000'],
  ])('refuses the variable %s with the value %j, and says what to set', (name, value) => {
    const [fault, hint] =
      name === 'LICENSE_HOST_ID'
        ? ['have 1 to 256 characters, and no control characters', 'Set it to a name that only this host has.']
        : [
            `be the UID of a namespace, but it is "${value}"`,
            "Set it to what kubectl get namespace kube-system -o jsonpath='{.metadata.uid}' prints.",
          ];
    expect(thrown(() => found({ environment: { [name]: value } }))).toMatchObject({
      code: 'configuration_invalid',
      message: `${name} should ${fault}`,
      place: { field: name },
      hint,
    });
  });

  it.each<[option: 'issuer' | 'product' | 'databaseId', value: string | undefined]>([
    ['issuer', 'not an id'],
    ['issuer', undefined],
    ['product', ''],
    ['databaseId', ''],
    ['databaseId', 'x'.repeat(257)],
    ['databaseId', 'two\nlines'],
  ])('refuses the option %s with the value %j', (option, value) => {
    expect(thrown(() => found({ [option]: value }))).toMatchObject({
      code: 'usage',
      place: { field: option },
    });
  });

  it('takes an id of 256 characters', () => {
    expect(found({ databaseId: 'x'.repeat(256) }, {}).used?.source).toBe('database');
    expect(found({ environment: { LICENSE_HOST_ID: 'x'.repeat(256) } }).used?.source).toBe('operator');
  });

  it('is made from files of up to 4 MiB, and a file that cannot be read is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vtlic-host-'));
    try {
      const path = join(folder, 'mounts');
      writeFileSync(path, 'x'.repeat(4_194_304));
      expect(readHostFile(path)).toHaveLength(4_194_304);
      writeFileSync(path, 'x'.repeat(4_194_305));
      expect([readHostFile(path), readHostFile(folder)]).toEqual([undefined, undefined]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the machine id', () => {
  it.each([
    ['all zeros', '0'.repeat(32), 'contains an id that many hosts share'],
    ['all f', 'f'.repeat(32), 'contains an id that many hosts share'],
    ['the id of the image debian:11.1', '85f94e57ab75f80918cab17d001eac85', 'contains an id that many hosts share'],
    ['the id of the image debian:11.2', '88544b92092430bc5d3fbbffc12a2f04', 'contains an id that many hosts share'],
    ['the id of an image of Ubuntu 18.04', 'ebb19c6b226f48fa86a541fd060e8762', 'contains an id that many hosts share'],
    ['the id of a machine image', '3766705eb195582e8168a9a1b913c7c7', 'contains an id that many hosts share'],
    ['an id that the vendor names', 'abcdefabcdefabcdefabcdefabcdefab', 'contains an id that many hosts share'],
    ['the word of systemd', 'uninitialized\n', 'says "uninitialized": the first start has not ended'],
    ['nothing', '', 'is empty'],
    ['another text', 'host-1', 'does not contain 32 hex digits'],
    ['33 hex digits', `${MACHINE_ID}0`, 'does not contain 32 hex digits'],
    ['an id with another text before it', `g${MACHINE_ID}`, 'does not contain 32 hex digits'],
  ])('is not used where the file contains %s', (_what, content, reason) => {
    const shared = { sharedMachineIds: ['ABCDEFabcdefabcdefabcdefabcdefab'] };
    const host = found(shared, { ...ON_A_HOST, '/etc/machine-id': content });
    expect(host.used).toBeUndefined();
    expect(reasonOf(host)).toBe(`/etc/machine-id ${reason}`);
  });

  it('comes from the copy of D-Bus where there is no other', () => {
    expect(found({}, { '/var/lib/dbus/machine-id': MACHINE_ID })).toEqual(found());
    expect(reasonOf(found({}, {}))).toBe('there is no /etc/machine-id');
    expect(reasonOf(found({}, { '/etc/machine-id': '', '/var/lib/dbus/machine-id': MACHINE_ID }))).toBe(
      '/etc/machine-id is empty',
    );
  });

  const mounted = (type: string): string =>
    `21 1 0:20 / / rw - overlay overlay rw\n22 21 8:1 /etc/machine-id /etc/machine-id ro,relatime - ${type} /dev/sda1 rw\n`;

  it.each([
    ['/.dockerenv', ''],
    ['/run/.containerenv', 'engine="podman"'],
    ['/proc/1/cgroup', '0::/\n'],
    ['/proc/1/cgroup', '12:cpu:/kubepods/besteffort/pod1\n'],
    ['/proc/1/cgroup', '12:cpu:/docker/0123456789ab\n'],
    ['/proc/1/cgroup', '0::/system.slice/containerd.service\n'],
    ['/proc/1/cgroup', '12:cpu:/libpod_parent/libpod-0123456789ab\n'],
    ['/proc/1/cgroup', '0::/system.slice/crio-0123456789ab.scope\n'],
    ['/proc/1/cgroup', '12:cpu:/lxc/web\n'],
  ])('of a container that %s with %j shows counts only where the file of its host is mounted', (path, content) => {
    const container = { ...ON_A_HOST, [path]: content };
    expect(reasonOf(found({}, container))).toBe(
      'this is a container, and /etc/machine-id of its host is not mounted in it',
    );
    expect(found({}, { ...container, '/proc/self/mountinfo': mounted('ext4') })).toEqual(found());
  });

  it('of a container that its environment shows does not count either', () => {
    for (const name of ['KUBERNETES_SERVICE_HOST', 'container'])
      expect(reasonOf(found({ environment: { [name]: 'x' } }))).toContain('this is a container');
  });

  it('counts where only a mount elsewhere comes from its path', () => {
    const mountinfo = '22 21 8:1 /etc/machine-id /mnt/id ro,relatime - tmpfs tmpfs rw\n';
    expect(found({}, { ...ON_A_HOST, '/proc/self/mountinfo': mountinfo })).toEqual(found());
  });

  it('is judged by the last mount at its path, which covers the earlier ones', () => {
    const over = (...types: readonly string[]): HostFingerprint =>
      found({}, { ...ON_A_HOST, '/proc/self/mountinfo': types.map(mounted).join('') });
    expect(reasonOf(over('ext4', 'tmpfs'))).toBe('/etc/machine-id is kept in memory, and differs after the next start');
    expect(over('tmpfs', 'ext4')).toEqual(found());
  });

  it('is not used where it is kept in memory, since it ends with the next restart', () => {
    const host = found({}, { ...ON_A_HOST, '/proc/self/mountinfo': mounted('tmpfs') });
    expect(reasonOf(host)).toBe('/etc/machine-id is kept in memory, and differs after the next start');
  });
});

describe('a fingerprint that a license does not name', () => {
  const naming =
    (...named: readonly (string | undefined)[]) =>
    (fingerprint: string): boolean =>
      named.includes(fingerprint);

  it('is explained by the source that the license names', () => {
    const [before, now] = [found(), found({ environment: { LICENSE_HOST_ID: 'rack 7' } })];
    expect(explainFingerprint(before, naming(before.used?.fingerprint))).toBeUndefined();
    expect(explainFingerprint(now, naming(before.used?.fingerprint))).toBe(
      'The license names the fingerprint made from the machine id, but this host now uses LICENSE_HOST_ID. ' +
        'Unset LICENSE_HOST_ID, or ask for a license with the fingerprint of today.',
    );
  });

  it('is explained with the UID of the cluster to unset where that counts now', () => {
    const [before, now] = [found(), found({ environment: { LICENSE_CLUSTER_UID: CLUSTER_UID } })];
    expect(explainFingerprint(now, naming(before.used?.fingerprint))).toBe(
      'The license names the fingerprint made from the machine id, but this host now uses LICENSE_CLUSTER_UID. ' +
        'Unset LICENSE_CLUSTER_UID, or ask for a license with the fingerprint of today.',
    );
  });

  it('is explained without a variable to unset where the machine id counts now', () => {
    const [before, now] = [found({ databaseId: 'db-1' }, {}), found({ databaseId: 'db-1' })];
    expect(explainFingerprint(now, naming(before.used?.fingerprint))).toBe(
      'The license names the fingerprint made from the id of the database, but this host now uses the machine id. ' +
        'Ask for a license with the fingerprint of today.',
    );
  });

  it.each<[source: string, host: HostFingerprint, why: string]>([
    [
      'LICENSE_HOST_ID',
      found(ALL),
      'Give LICENSE_HOST_ID the value that it had when the fingerprint was sent to the vendor.',
    ],
    [
      'LICENSE_CLUSTER_UID',
      found({ environment: { LICENSE_CLUSTER_UID: CLUSTER_UID } }),
      'A cluster that is made anew has another kube-system namespace, and so another UID.',
    ],
    [
      'the machine id',
      found(),
      'It changes when the host is reinstalled, when a clone is given its own id, or when a container moves to ' +
        'another host.',
    ],
    [
      'the id of the database',
      found({ databaseId: 'db-1' }, {}),
      'A database that is made anew, or restored from another installation, has another id.',
    ],
  ])('made from %s is explained by what changes it', (source, host, why) => {
    expect(explainFingerprint(host, naming())).toBe(
      `The license does not name the fingerprint made from ${source}. ${why}`,
    );
  });

  it('is explained by the lack of any id', () => {
    expect(explainFingerprint(found({}, {}), naming())).toBe(
      'The license is bound to hosts, and nothing identifies this host. ' +
        'Set LICENSE_HOST_ID, and ask for a license with the fingerprint made from it.',
    );
  });
});

describe('the compatible fingerprint', () => {
  it('is SHA-256 of hostname, MAC in lower case with colons, and project, with line feeds between', () => {
    // printf 'vault\n02:42:ac:11:00:02\nacme' | sha256sum
    const expected = '7813e96ceb71f3bb525b580fd0843d65a4a2b2dceaa613747e9cc760afeb0f83';
    expect(compatibleFingerprint('vault', '02:42:AC:11:00:02', 'acme')).toBe(expected);
    expect(compatibleFingerprint('vault', '02-42-ac-11-00-02', 'acme')).toBe(expected);
  });

  it.each([
    ['', '02:42:ac:11:00:02', 'acme', 'hostname'],
    ['a\nb', '02:42:ac:11:00:02', 'acme', 'hostname'],
    ['vault', '0242ac110002', 'acme', 'mac'],
    ['vault', '02:42:ac:11:00:02:03', 'acme', 'mac'],
    ['vault', '02:02:42:ac:11:00:02', 'acme', 'mac'],
    ['vault', '02:42:ac:11:00:023', 'acme', 'mac'],
    ['vault', '002:42:ac:11:00:02', 'acme', 'mac'],
    ['vault', '02:42:ac:11:00:02', 'a\nb', 'composeProject'],
  ])('refuses the parts %j, %j, %j by the name of the wrong one', (hostname, mac, project, field) => {
    expect(() => compatibleFingerprint(hostname, mac, project)).toThrow(new RegExp(`^${field} should be `));
  });
});
