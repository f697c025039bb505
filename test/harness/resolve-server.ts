/** Finds a server in the order env, PATH, cache, registry, and says which it took or why there is none. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { ServerName, ServerRow } from './server-table.ts';
import { cacheFolder, onPath, serverTable } from './server-table.ts';

export type Found =
  | { readonly name: ServerName; readonly path: string; readonly from: 'env' | 'PATH' | 'cache' | 'registry' }
  | { readonly name: ServerName; readonly path: null; readonly reason: string };

/** `install: false` never touches the network: what a test file asks. */
export function resolveServer(name: ServerName, options: { readonly install: boolean }): Found {
  const row = serverTable.find((candidate) => candidate.name === name)!;
  const named = process.env[row.env] ?? '';
  if (named !== '') {
    if (row.usable(named)) return { name, path: named, from: 'env' };
    return { name, path: null, reason: `${row.env} names ${named}, which is not there` };
  }
  const local = goodOnPath(row);
  if (local !== null) return { name, path: local, from: 'PATH' };
  const cached = join(cacheFolder, row.cached);
  if (row.usable(cached)) return { name, path: cached, from: 'cache' };
  if (!options.install) return { name, path: null, reason: `no ${name} ${row.pinned}: run "npm run servers"` };
  try {
    row.install(row);
  } catch (error) {
    return { name, path: null, reason: failure(error) };
  }
  if (row.usable(cached)) return { name, path: cached, from: 'registry' };
  return { name, path: null, reason: `the registry client ended well, yet ${cached} is not there` };
}

/**
 * The path of a server's binary (Kafka: folder of jars) for a suite that needs it. Null: the suite skips, and the reason is printed
 * once. With CI=true an absent server is a failure.
 */
export function requireServer(name: ServerName): string | null {
  const found = resolveServer(name, { install: false });
  if (found.path !== null) return found.path;
  if (process.env['CI'] === 'true') throw new Error(`CI=true and ${found.reason}`);
  process.stdout.write(`SKIP ${found.reason}\n`);
  return null;
}

function goodOnPath(row: ServerRow): string | null {
  const path = onPath(row.name);
  if (path === null) return null;
  try {
    const said = execFileSync(path, ['--version'], { encoding: 'utf8', timeout: VERSION_MS_MAX, stdio: ['ignore', 'pipe', 'pipe'] });
    return row.goodVersion(said) ? path : null;
  } catch {
    return null; // Something else of that name: the cache decides.
  }
}

const failure = (error: unknown): string => {
  const { stderr, message } = error as { stderr?: Buffer; message: string };
  const text = stderr === undefined || stderr.length === 0 ? message : stderr.toString();
  return text.trim().split('\n').slice(-FAILURE_LINES_MAX).join(' | ');
};

const FAILURE_LINES_MAX = 3;
const VERSION_MS_MAX = 10_000;
