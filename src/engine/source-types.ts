/** What the filler reads from: a source of bytes that writes into memory it is given, or a source of objects. */
import type { Format } from '../api/options.ts';
import { MillraceError, messageOf } from '../api/errors.ts';

export interface ByteSource {
  readonly kind: 'bytes';
  /** For rejects and errors: the path, else `stdin`, `stream` or `iterable`. */
  readonly name: string;
  /** Size on disk when it was opened; null when unknown. */
  readonly bytesTotal: number | null;
  /** By the name's extension (also before `.gz`); null when it tells nothing. */
  readonly format: Format | null;
  readonly compressed: boolean;
  /** 32 hex digits: hash of device, inode and birth time for files, else random. */
  readonly identity: string;
  /** Bytes taken from the disk or the stream so far, before decompression: progress against `bytesTotal`. */
  readonly rawBytesRead: number;
  /**
   * Writes to `target` (which may be shared memory) from `from` up to `to` at most, and says how many bytes;
   * 0 is the end, and stays it. One call at a time. Fails with MILLRACE_SOURCE, MILLRACE_SOURCE_CHANGED or MILLRACE_ABORTED.
   */
  read(target: Uint8Array, from?: number, to?: number): Promise<number>;
  /** Sources that may let one wait: resolves when the next `read` has something at once, be it the end or an error. */
  ready?(): Promise<void>;
  /** Idempotent; ends a pending read with MILLRACE_ABORTED and destroys what is underneath. */
  close(): Promise<void>;
}

/** Each object is one event. */
export interface ObjectSource {
  readonly kind: 'objects';
  readonly name: string;
  /** One call at a time. Fails with MILLRACE_SOURCE (naming the item's index) or MILLRACE_ABORTED. */
  next(): Promise<{ readonly done: boolean; readonly value: object | undefined }>;
  close(): Promise<void>;
}

export interface SourceOptions {
  /** Default: gzip when the name ends in `.gz` or a file begins as gzip does; `none` reads the bytes as they are. */
  readonly compression?: 'none' | 'gzip';
  /** Files: begin at this byte (of the unpacked bytes). Default 0. */
  readonly from?: number;
  readonly signal?: AbortSignal;
}

const reasonByCode: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'a part of the path is not a folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder; name its files',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files in this process',
  ENFILE: 'too many open files on this machine',
  EIO: 'the device failed',
};

/** The reason in plain words, with the system's code where there is one. */
export function reasonOfSystemError(thrown: unknown): string {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  const known = code === undefined ? undefined : reasonByCode[code];
  return known === undefined ? messageOf(thrown) : `${known} (${code})`;
}

/** A source that cannot be read; anything that already is a MillraceError stays as it is. */
export function sourceError(name: string, reason: string, cause?: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  return new MillraceError('MILLRACE_SOURCE', `cannot read ${name}: ${reason}`, { cause, context: { file: name } });
}

export function abortedError(name: string, cause?: unknown): MillraceError {
  return new MillraceError('MILLRACE_ABORTED', `reading ${name} was aborted`, { cause, context: { file: name } });
}
