/** What a source's name tells: its format, whether it is gzip, and which file stands behind a path or URL. */
import { createHash, randomBytes } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Format } from '../api/options.ts';
import { sourceError } from './source-types.ts';

const formats: Readonly<Record<string, Format>> = {
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
  csv: 'csv',
  txt: 'lines',
  log: 'lines',
  msgpack: 'msgpack',
  mp: 'msgpack',
};

/** Names of this process's standard input; opened anew they fail when it is a socket, so they are read as `-`. */
const stdinNames: ReadonlySet<string> = new Set(['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']);
const IDENTITY_HEX = 32;

export function formatOfName(name: string): Format | null {
  const extension = /\.([a-z]+)(?:\.gz)?$/iu.exec(name)?.[1]?.toLowerCase();
  return (extension === undefined ? undefined : formats[extension]) ?? null;
}

export function isGzipName(name: string): boolean {
  return /\.gz$/iu.test(name);
}

export function isStdinName(path: string): boolean {
  return stdinNames.has(path);
}

/** The path of a string or a `file:` URL. The text of another URL is not repeated: it may hold a password. */
export function pathOfSource(source: string | URL): string {
  if (source === '') throw sourceError("''", 'the path is empty');
  if (typeof source === 'string') return source;
  if (source.protocol !== 'file:') throw sourceError(`a ${source.protocol} URL`, 'only file: URLs name a source');
  try {
    return fileURLToPath(source);
  } catch (error) {
    throw sourceError(source.pathname, 'the URL does not name a local file', error);
  }
}

/** The same for a file whatever its name and contents; another one for a file that replaced it. */
export function identityOfFile(stats: BigIntStats): string {
  return createHash('sha256').update(`${stats.dev}:${stats.ino}:${stats.birthtimeNs}`).digest('hex').slice(0, IDENTITY_HEX);
}

export function randomIdentity(): string {
  return randomBytes(IDENTITY_HEX / 2).toString('hex');
}
