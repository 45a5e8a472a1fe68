/** Builds the harnesses of conformance/harness/, each with the versions that its lock file pins. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../support/tokens/cache-folder.ts';

export const HARNESSES: string = join(import.meta.dirname, '../../conformance/harness');

interface Toolchain {
  /** What a person installs when it is missing. */
  readonly needed: string;
  /** Builds the sources of a folder into another one; returns the command that starts the harness. */
  readonly build: (source: string, into: string, run: Run) => readonly string[];
}

/** Runs a program in the folder of the sources; returns what it wrote. */
type Run = (command: string, args: readonly string[], environment?: NodeJS.ProcessEnv) => string;

export type Language = 'typescript' | 'python' | 'go' | 'rust' | 'java';

const TOOLCHAINS: Readonly<Record<Language, Toolchain>> = {
  typescript: {
    needed: 'Node.js 24.19 or later is needed',
    build: (source) => {
      // A copy elsewhere finds the libraries of this project through a link.
      if (!source.startsWith(HARNESSES))
        symlinkSync(join(HARNESSES, '../../node_modules'), join(source, 'node_modules'));
      return [process.execPath, join(source, 'harness.ts')];
    },
  },
  python: {
    needed: 'Python 3.11 or later with venv is needed (Debian 13: apt-get install -y python3-venv)',
    build: (source, _into, run) => {
      const folder = lockedFolder(source, 'requirements.txt', run('python3', ['--version']));
      const python = join(folder, 'bin/python');
      if (!existsSync(join(folder, 'requirements.txt'))) {
        const hashed = ['--require-hashes', '--only-binary', ':all:', '-r', 'requirements.txt'];
        run('python3', ['-m', 'venv', '--clear', folder]);
        run(python, ['-m', 'pip', 'install', '--quiet', ...hashed]);
        copyFileSync(join(source, 'requirements.txt'), join(folder, 'requirements.txt'));
      }
      return [python, '-B', join(source, 'harness.py')];
    },
  },
  go: {
    needed: 'Go 1.24 or later is needed (Debian 13: apt-get install -y golang-go)',
    build: (_source, into, run) => {
      const program = join(into, 'harness');
      run('go', ['build', '-trimpath', '-o', program, '.'], { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' });
      return [program];
    },
  },
  rust: {
    needed: 'Rust 1.85 or later is needed (Debian 13: apt-get install -y cargo)',
    build: (source, into, run) => {
      // The libraries are built once: two sources differ only in the harness itself.
      const target = lockedFolder(source, 'Cargo.lock', run('cargo', ['--version']));
      // Cargo takes all copies of the harness for one package, and an older source for one that it has built.
      run('cargo', ['clean', '--quiet', '--locked', '--package', 'vtlic-harness'], { CARGO_TARGET_DIR: target });
      run('cargo', ['build', '--quiet', '--locked'], { CARGO_TARGET_DIR: target });
      const program = join(into, 'harness');
      copyFileSync(join(target, 'debug/vtlic-harness'), program);
      return [program];
    },
  },
  java: {
    needed: 'Java 17 or later and Maven are needed (Debian 13: apt-get install -y default-jdk-headless maven)',
    build: (source, into, run) => {
      const jars = lockedFolder(source, 'jars.sha256', '');
      const pinned = readFileSync(join(source, 'jars.sha256'), 'utf8').trim().split('\n');
      const paths = pinned.map((line) => join(jars, line.split('  ')[1] ?? ''));
      const areWhole = (): boolean => pinned.every((line, i) => line.split('  ')[0] === digestOf(paths[i] ?? ''));
      // By its whole name: Maven does not say why it could not fetch a plugin that is named by its prefix.
      const copy = 'org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies';
      if (!areWhole()) run('mvn', ['-q', '-B', copy, `-DoutputDirectory=${jars}`]);
      if (!areWhole()) throw new Error(`${jars} does not have the jars of jars.sha256`);
      const sources = readdirSync(source).filter((name) => name.endsWith('.java'));
      run('javac', ['-proc:none', '-d', into, '-cp', paths.join(':'), ...sources]);
      const quickStart = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
      return ['java', ...quickStart, '-cp', [into, ...paths].join(':'), 'Harness'];
    },
  },
};

export const LANGUAGES: readonly Language[] = ['typescript', 'python', 'go', 'rust', 'java'];

/**
 * @param source a folder with the files of conformance/harness/LANGUAGE
 * @param into a folder for what is made
 * @returns the command that starts the harness
 * @throws where the toolchain is missing, naming it, or where the sources do not build
 */
export function buildHarness(language: Language, source: string, into: string): readonly string[] {
  const { needed, build } = TOOLCHAINS[language];
  mkdirSync(into, { recursive: true });
  return build(source, into, (command, args, environment = {}) => {
    const done = spawnSync(command, args, { cwd: source, env: { ...process.env, ...environment }, encoding: 'utf8' });
    if (done.error !== undefined) throw new Error(`cannot start ${command}. ${needed}`, { cause: done.error });
    if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}:\n${done.stdout}${done.stderr}\n${needed}`);
    return done.stdout;
  });
}

/** A folder of the cache, for what depends only on a lock file and on the version of a tool. */
function lockedFolder(source: string, lock: string, version: string): string {
  const files = [
    [lock, readFileSync(join(source, lock))],
    ['version', Buffer.from(version)],
  ] as const;
  return cacheFolder(files, 'harnesses');
}

function digestOf(path: string): string {
  return existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
}
