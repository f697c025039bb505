/** The stamp on every result: machine, versions, state of the sources. Names no host and no path. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { resolveServer } from '../../test/harness/resolve-server.ts';
import { projectFolder } from './places.ts';
import { fixedLoopMs } from './fixed-loop.ts';

const TOOL_MS_MAX = 10_000;

export interface Stamp {
  readonly at: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly load1m: number;
  readonly commit: string;
  readonly dirty: boolean;
  readonly versions: Readonly<Record<string, string>>;
  /** Milliseconds of the same loop of arithmetic, to notice a machine that became slower or faster. */
  readonly fixedLoopMs: number;
}

export function stampMachine(): Stamp {
  const all = cpus();
  return {
    at: new Date().toISOString(),
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    load1m: Number(loadavg()[0]!.toFixed(2)),
    commit: said('git', ['-C', projectFolder, 'rev-parse', '--short', 'HEAD']),
    dirty: said('git', ['-C', projectFolder, 'status', '--porcelain', '--', 'src', 'workers', 'bench', ':(exclude)bench/results']) !== '',
    versions: versions(),
    fixedLoopMs: fixedLoopMs(),
  };
}

function versions(): Record<string, string> {
  const packages = ['millrace', 'nats', 'msgpackr', 'piscina', 'lmdb', 'tinybench'];
  const server = resolveServer('nats-server', { install: false });
  const tool = resolveServer('nats', { install: false });
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    ...Object.fromEntries(packages.map((name) => [name, packageVersion(name)])),
    'nats-server': server.path === null ? 'absent' : said(server.path, ['--version']).replace(/^.*v(?=\d)/, ''),
    'nats CLI': tool.path === null ? 'absent' : said(tool.path, ['--version']),
    go: said('go', ['env', 'GOVERSION']),
  };
}

function packageVersion(name: string): string {
  const folder = name === 'millrace' ? projectFolder : `${projectFolder}/node_modules/${name}`;
  return (JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { version: string }).version;
}

function said(tool: string, args: readonly string[]): string {
  try {
    return execFileSync(tool, args, { encoding: 'utf8', timeout: TOOL_MS_MAX, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'absent';
  }
}
