/** Opens anything that a caller may name as a source; what cannot be read is one MILLRACE_SOURCE with name and reason. */
import type { Stats } from 'node:fs';
import { ReadStream, constants, createReadStream, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { MillraceError } from '../api/errors.ts';
import type { Source } from '../api/options.ts';
import { ChunkSource, itemError, kindOfItem, objectSource } from './source-chunks.ts';
import { FileSource } from './source-file.ts';
import { GzipSource } from './source-gzip.ts';
import { ItemReader, isPullable } from './source-items.ts';
import { isGzipName, isStdinName, pathOfSource } from './source-name.ts';
import type { ByteSource, ObjectSource, SourceOptions } from './source-types.ts';
import { abortedError, reasonOfSystemError, sourceError } from './source-types.ts';

/**
 * Paths and `file:` URLs, `-` for standard input, Node and web streams, iterables. An iterable's first item is pulled
 * here, as it decides between bytes and objects; everything else waits for the first read.
 */
export async function openSource(source: Source, options: SourceOptions = {}): Promise<ByteSource | ObjectSource> {
  if (typeof source === 'string' || source instanceof URL) return openPath(pathOfSource(source), options);
  // Bytes themselves are one chunk, not an iterable of numbers.
  const from: unknown =
    kindOfItem(source) === 'bytes' ? [source] : source instanceof Readable || isPullable(source) ? source : legacyStream(source);
  if (!isPullable(from))
    throw new MillraceError(
      'MILLRACE_USAGE',
      `a source is a path, a file: URL, a stream or an iterable, not ${from === null ? 'null' : typeof from}`,
    );
  if (from instanceof Readable) {
    const path = from instanceof ReadStream && typeof from.path === 'string' ? from.path : undefined;
    const name = isStdin(from) ? 'stdin' : (path ?? 'stream');
    const items = new ItemReader(name, from, options.signal);
    return from.readableObjectMode
      ? byFirstItem(items, options)
      : unpacked(new ChunkSource(items, path === undefined ? {} : { path }), options);
  }
  return byFirstItem(new ItemReader('getReader' in from || 'pipe' in from ? 'stream' : 'iterable', from, options.signal), options);
}

const SKIP_BYTES = 256 * 1_024;

/** Size on disk of all sources; null when one is not a regular file. A path that cannot be read is told by `openSource`. */
export async function totalBytes(sources: readonly Source[]): Promise<number | null> {
  let total = 0;
  for (const source of sources) {
    if (typeof source !== 'string' && !(source instanceof URL)) return null;
    const stats = await stat(pathOfSource(source)).catch(() => null);
    if (stats?.isFile() !== true) return null;
    total += stats.size;
  }
  return total;
}

async function openPath(path: string, options: SourceOptions): Promise<ByteSource> {
  if (options.signal?.aborted === true) throw abortedError(path, options.signal.reason);
  if (path === '-') return stdinSource(options);
  const stats = await stat(path).catch((error: unknown) => {
    throw sourceError(path, reasonOfSystemError(error), error);
  });
  if (stats.isFile()) return openFile(path, options);
  if ((options.from ?? 0) > 0) throw sourceError(path, 'only a regular file can be begun at a byte');
  if (isStdinName(path)) return stdinSource(options);
  const stream = openSpecial(path, stats);
  return unpacked(new ChunkSource(new ItemReader(path, stream, options.signal), { path }), options);
}

async function openFile(path: string, options: SourceOptions): Promise<ByteSource> {
  const file = await FileSource.open(path, options.signal);
  try {
    if (options.compression === 'none') return await begun(file, options.from ?? 0);
    const head = await file.peek(3);
    const magic = head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
    const gzip = magic || options.compression === 'gzip' || isGzipName(path);
    return await begun(gzip ? new GzipSource(file, options.signal) : file, options.from ?? 0);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** At byte `from`: a plain file jumps there, gzip is unpacked up to there. */
async function begun(source: FileSource | GzipSource, from: number): Promise<ByteSource> {
  let left = from;
  if (source instanceof FileSource) {
    source.startAt(from);
    left -= Math.min(from, source.bytesTotal);
  } else {
    const scratch = new Uint8Array(SKIP_BYTES);
    for (let bytes = -1; left > 0 && bytes !== 0; left -= bytes) bytes = await source.read(scratch.subarray(0, Math.min(left, SKIP_BYTES)));
  }
  if (left > 0) throw sourceError(source.name, `it has no byte ${from}: it ends ${left} B before`);
  return source;
}

/** FIFOs (also process substitution) and character devices. */
function openSpecial(path: string, stats: Stats): Readable {
  if (stats.isDirectory()) throw sourceError(path, 'it is a folder; name its files');
  if (stats.isCharacterDevice()) return createReadStream(path);
  if (!stats.isFIFO()) throw sourceError(path, stats.isSocket() ? 'it is a socket' : 'it is a block device');
  try {
    // Not through fs: a FIFO that nobody writes to would hold a thread of the pool, and nothing could end that wait.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    throw sourceError(path, reasonOfSystemError(error), error);
  }
}

function stdinSource(options: SourceOptions): ByteSource {
  return unpacked(new ChunkSource(new ItemReader('stdin', process.stdin, options.signal)), options);
}

async function byFirstItem(items: ItemReader, options: SourceOptions): Promise<ByteSource | ObjectSource> {
  try {
    const first = await items.next();
    const kind = first.done ? 'bytes' : kindOfItem(first.value);
    if (kind === null) throw itemError(items.name, 0, first.value, null);
    return kind === 'bytes' ? unpacked(new ChunkSource(items, { first }), options) : objectSource(items, first);
  } catch (error) {
    await items.close();
    throw error;
  }
}

/** A stream is gzip by option, or by the name it was opened with. */
function unpacked(source: ByteSource, { compression, signal }: SourceOptions): ByteSource {
  const gzip = compression === 'gzip' || (compression === undefined && isGzipName(source.name));
  return gzip ? new GzipSource(source, signal) : source;
}

function isStdin(stream: Readable): boolean {
  return 'fd' in stream && stream.fd === 0;
}

/** A Node stream of another copy of the streams library, or an old one that has events only. */
function legacyStream(source: unknown): unknown {
  const isStream = typeof source === 'object' && source !== null && typeof (source as { readonly pipe?: unknown }).pipe === 'function';
  return isStream ? new Readable().wrap(source as NodeJS.ReadableStream) : source;
}
