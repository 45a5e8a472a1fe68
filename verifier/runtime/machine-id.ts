/**
 * The machine id of a Linux host (machine-id(5)), where it identifies the host. An id that is shared by all copies of
 * an image, that ends with the next restart, or that belongs to a container and not to its host is not used.
 */
import type { Environment } from './environment.ts';

/** The text of a file of the host; undefined: it cannot be read. */
export type ReadHostFile = (path: string) => string | undefined;

/** D-Bus has a copy, which older systems have only. */
const FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

const MACHINE_ID = /^[0-9a-f]{32}$/;

/** Ids that published images carry, so that all their copies share them. All zeros and all f are refused as well. */
const SHARED_IDS: ReadonlySet<string> = new Set([
  // debian:11.1 and debian:11.2 (debuerreotype/docker-debian-artifacts, issue 151)
  '85f94e57ab75f80918cab17d001eac85',
  '88544b92092430bc5d3fbbffc12a2f04',
  // quay.io/footloose/ubuntu18.04:0.4.0 and quay.io/footloose/debian10 (weaveworks/footloose, issues 154 and 280)
  'ebb19c6b226f48fa86a541fd060e8762',
  '3766705eb195582e8168a9a1b913c7c7',
]);

export function machineId(
  environment: Environment,
  read: ReadHostFile,
  sharedIds: readonly string[],
): { readonly id: string } | { readonly reason: string } {
  for (const path of FILES) {
    const content = read(path);
    if (content !== undefined) return idIn(path, content, environment, read, sharedIds);
  }
  return { reason: 'there is no /etc/machine-id' };
}

function idIn(
  path: string,
  content: string,
  environment: Environment,
  read: ReadHostFile,
  sharedIds: readonly string[],
): { readonly id: string } | { readonly reason: string } {
  const text = content.trim().toLowerCase();
  if (text === 'uninitialized') return { reason: `${path} says "uninitialized": the first start has not ended` };
  if (text === '') return { reason: `${path} is empty` };
  const id = text.replaceAll('-', '');
  if (!MACHINE_ID.test(id)) return { reason: `${path} does not contain 32 hex digits` };
  const isShared = /^(.)\1*$/.test(id) || SHARED_IDS.has(id) || sharedIds.some((one) => one.toLowerCase() === id);
  if (isShared) return { reason: `${path} contains an id that many hosts share` };
  const mount = mountedAt(path, read);
  if (mount === 'tmpfs') return { reason: `${path} is kept in memory, and differs after the next start` };
  if (mount === undefined && isContainer(environment, read))
    return { reason: `this is a container, and ${path} of its host is not mounted in it` };
  return { id };
}

/**
 * Of several mounts at one path, the last one covers the others.
 *
 * @returns the type of the file system that is mounted at exactly this path; undefined: none is
 */
function mountedAt(path: string, read: ReadHostFile): string | undefined {
  const lines = (read('/proc/self/mountinfo') ?? '').split('\n');
  for (const line of lines.toReversed()) {
    const [mount = '', source = ''] = line.split(' - ');
    if (mount.split(' ')[4] === path) return source.split(' ')[0];
  }
  return undefined;
}

const CONTAINER_GROUP = /docker|kubepods|containerd|libpod|crio|\/lxc/;

/** By what Docker, Podman, containerd and Kubernetes leave behind. A group `/` of the first process is a namespace. */
function isContainer(environment: Environment, read: ReadHostFile): boolean {
  if ((environment['KUBERNETES_SERVICE_HOST'] ?? '') !== '' || (environment['container'] ?? '') !== '') return true;
  if (read('/.dockerenv') !== undefined || read('/run/.containerenv') !== undefined) return true;
  const groups = (read('/proc/1/cgroup') ?? '').trim();
  return groups === '0::/' || CONTAINER_GROUP.test(groups);
}
