/** One row per server the tests run against: its pinned version, where it may be found, and the registry client that gets it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type ServerName = 'nats-server' | 'nats' | 'nats-streaming-server' | 'kafka' | 'python-msgpack';

export interface ServerRow {
  readonly name: ServerName;
  readonly pinned: string;
  /** Names a binary (or a folder) that is used as it is. */
  readonly env: string;
  /** File or folder in the cache. */
  readonly cached: string;
  /** The version a binary on PATH reports, or null when it is not good enough. */
  readonly goodVersion: (text: string) => boolean;
  readonly install: (row: ServerRow) => void;
  /** Is what lies at this path complete? */
  readonly usable: (path: string) => boolean;
}

/** dist/test/harness or test/harness: the project's root is found by its package.json, so both work. */
const projectRoot = (): string => {
  let folder = fileURLToPath(new URL('.', import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = join(folder, '..');
  return folder;
};

export const cacheFolder: string = join(projectRoot(), 'node_modules', '.cache', 'millrace');
const binFolder = join(cacheFolder, 'bin');
const INSTALL_MS_MAX = 600_000;

const atLeast =
  (wanted: string) =>
  (text: string): boolean => {
    const found = /(\d+)\.(\d+)\.(\d+)/.exec(text);
    if (found === null) return false;
    const want = wanted.split('.').map(Number);
    for (let part = 0; part < 3; part++) {
      const difference = Number(found[part + 1]) - want[part]!;
      if (difference !== 0) return difference > 0 && part > 0;
    }
    return true;
  };

const goInstall =
  (module: string) =>
  (row: ServerRow): void => {
    requireTool('go', row.name);
    mkdirSync(binFolder, { recursive: true });
    const env = { ...process.env, GOBIN: binFolder };
    execFileSync('go', ['install', `${module}@v${row.pinned}`], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: INSTALL_MS_MAX });
  };

const pom = (version: string): string => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>kafka-for-tests</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
    <!-- The console tools: all they need comes with the server. -->
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${version}</version>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>
  </dependencies>
</project>
`;

/** Copies into a folder beside the final one and renames nothing: `usable` looks for the broker's own jar, copied by the same command. */
const mavenKafka = (row: ServerRow): void => {
  requireTool('java', row.name);
  requireTool('mvn', row.name);
  const target = join(cacheFolder, row.cached);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const file = join(target, 'pom.xml');
  writeFileSync(file, pom(row.pinned));
  const copy = ['-q', '-B', '-f', file, 'dependency:copy-dependencies', `-DoutputDirectory=${target}`, '-DincludeScope=runtime'];
  execFileSync('mvn', copy, { cwd: target, stdio: ['ignore', 'pipe', 'pipe'], timeout: INSTALL_MS_MAX });
};

/** A msgpack of another make, for readers that share no code with ours. */
const pipInstall = (row: ServerRow): void => {
  requireTool('python3', row.name);
  const target = join(cacheFolder, row.cached);
  const args = ['-m', 'pip', 'install', '--quiet', '--target', target, '--upgrade', `msgpack==${row.pinned}`];
  execFileSync('python3', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: INSTALL_MS_MAX });
};

/** The first executable of that name on PATH, or null. */
export function onPath(tool: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && existsSync(join(folder, tool))) return join(folder, tool);
  }
  return null;
}

function requireTool(tool: string, server: string): void {
  if (onPath(tool) === null) throw new Error(`${server} is not here and ${tool}, which would get it, is not on PATH`);
}

const isFile = (path: string): boolean => existsSync(path);
const holdsKafka = (path: string): boolean => {
  const files = existsSync(path) ? readdirSync(path) : [];
  return [/^kafka_2\.13-.*\.jar$/, /^kafka-tools-.*\.jar$/].every((jar) => files.some((file) => jar.test(file)));
};
const holdsMsgpack = (path: string): boolean => existsSync(join(path, 'msgpack', '__init__.py')) && onPath('python3') !== null;
const never = (): boolean => false;

export const serverTable: readonly ServerRow[] = [
  {
    name: 'nats-server',
    pinned: '2.15.2',
    env: 'MILLRACE_TEST_NATS_SERVER',
    cached: 'bin/nats-server',
    goodVersion: atLeast('2.14.3'),
    install: goInstall('github.com/nats-io/nats-server/v2'),
    usable: isFile,
  },
  {
    name: 'nats',
    pinned: '0.5.0',
    env: 'MILLRACE_TEST_NATS_CLI',
    cached: 'bin/nats',
    goodVersion: atLeast('0.2.0'),
    install: goInstall('github.com/nats-io/natscli/nats'),
    usable: isFile,
  },
  {
    name: 'nats-streaming-server',
    pinned: '0.25.6',
    env: 'MILLRACE_TEST_STAN_SERVER',
    cached: 'bin/nats-streaming-server',
    goodVersion: atLeast('0.25.6'),
    install: goInstall('github.com/nats-io/nats-streaming-server'),
    usable: isFile,
  },
  {
    name: 'kafka',
    pinned: '4.1.0',
    env: 'MILLRACE_TEST_KAFKA_DIR',
    cached: 'kafka-4.1.0',
    goodVersion: never,
    install: mavenKafka,
    usable: holdsKafka,
  },
  {
    name: 'python-msgpack',
    pinned: '1.2.4',
    env: 'MILLRACE_TEST_PYTHON_PACKAGES',
    cached: 'python',
    goodVersion: never,
    install: pipInstall,
    usable: holdsMsgpack,
  },
];
