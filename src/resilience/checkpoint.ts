/**
 * Remembers how far each source is done, in one file and its previous copy. A torn, damaged or newer file is never
 * trusted: the previous copy is used with a warning, and when that is no better, opening fails. One process per file.
 */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MillraceError, messageOf } from '../api/errors.ts';
import { decodeLine, encodeLine } from './checked-line.ts';
import type { LockFile } from './lock-file.ts';
import { acquireLock } from './lock-file.ts';
import type { SegmentFiles } from './segment-files.ts';
import { nodeFiles } from './segment-files.ts';

const VERSION = 1;

/** All below `position` is settled. */
export interface CheckpointEntry {
  /** Of the file itself, without its generation. */
  readonly identity: string;
  /** How often the same file turned out to hold something else. */
  readonly generation: number;
  /** In the unpacked bytes. */
  readonly position: number;
  /** Records before it. */
  readonly lines: number;
  /** Of the file on disk, when the entry was made. */
  readonly bytesTotal: number;
  /** Hash of the last bytes before the position; null for gzip. */
  readonly hashBefore: string | null;
  /** Last sequence of the target's stream that is acked; null where there is none. */
  readonly sequence: number | null;
}

export interface CheckpointOptions {
  /** Told what was wrong with the newest copy, when the previous one is used. */
  readonly onWarning?: (message: string) => void;
  readonly files?: SegmentFiles;
}

type Entries = Map<string, CheckpointEntry>;

export class Checkpoint {
  readonly path: string;
  readonly #files: SegmentFiles;
  readonly #lock: LockFile;
  readonly #entries: Entries;
  #saving: Promise<void> = Promise.resolve();
  #changed = false;
  /** False while the newest copy is the damaged one: it must not push out the good one. */
  #keepPrevious: boolean;
  #closing: Promise<void> | null = null;

  private constructor(
    path: string,
    lock: LockFile,
    state: { readonly files: SegmentFiles; readonly entries: Entries; readonly keepPrevious: boolean },
  ) {
    this.path = path;
    this.#lock = lock;
    this.#files = state.files;
    this.#entries = state.entries;
    this.#keepPrevious = state.keepPrevious;
  }

  /** Fails with MILLRACE_CHECKPOINT when another process holds it, or when no copy can be trusted. */
  static async open(path: string, { onWarning = () => undefined, files = nodeFiles }: CheckpointOptions = {}): Promise<Checkpoint> {
    const lock = await acquireLock(`${path}.lock`, 'MILLRACE_CHECKPOINT');
    try {
      const newest = await readCopy(path);
      if (typeof newest !== 'string') {
        const previous = newest === null ? await readCopy(previousPath(path)) : null;
        // A crash between the two renames of a save leaves the previous copy alone: older, and so safe.
        if (previous !== null)
          return new Checkpoint(path, lock, { files, entries: trusted(path, previous, 'is missing', onWarning), keepPrevious: false });
        return new Checkpoint(path, lock, { files, entries: newest ?? new Map(), keepPrevious: newest !== null });
      }
      const entries = trusted(path, await readCopy(previousPath(path)), newest, onWarning);
      return new Checkpoint(path, lock, { files, entries, keepPrevious: false });
    } catch (error) {
      await lock.release();
      throw error instanceof MillraceError ? error : failed(path, messageOf(error), error);
    }
  }

  get(key: string): CheckpointEntry | null {
    return this.#entries.get(key) ?? null;
  }

  /** In memory; `save` makes it durable. */
  set(key: string, entry: CheckpointEntry): void {
    this.#entries.set(key, entry);
    this.#changed = true;
  }

  /** Resolves when all that was set before is on the disk. Saves that come while one is at work become one. */
  save(): Promise<void> {
    const saved = this.#saving.then(() => (this.#changed ? this.#write() : undefined));
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  /** Idempotent; saves first. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    try {
      await this.save();
    } finally {
      await this.#lock.release();
    }
  }

  async #write(): Promise<void> {
    const { path } = this;
    const temporary = `${path}.tmp`; // One name is enough: the lock is ours.
    this.#changed = false;
    try {
      await this.#files.remove(temporary);
      const file = await this.#files.create(temporary);
      try {
        const bytes = encodeLine({ version: VERSION, entries: Object.fromEntries(this.#entries) });
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at), at);
        await file.datasync();
      } finally {
        await file.close();
      }
      if (this.#keepPrevious) await this.#files.rename(path, previousPath(path));
      await this.#files.rename(temporary, path);
      this.#keepPrevious = true;
      await this.#files.syncFolder(dirname(path));
    } catch (error) {
      this.#changed = true;
      await this.#files.remove(temporary).catch(() => undefined);
      throw failed(path, messageOf(error), error);
    }
  }
}

/** The entries of the previous copy; fails when it is no better than the newest. */
function trusted(path: string, previous: Entries | string | null, reason: string, onWarning: (message: string) => void): Entries {
  if (previous === null || typeof previous === 'string') {
    const other = previous === null ? 'there is no previous copy' : `the previous copy ${previous}`;
    throw failed(path, `it ${reason}, and ${other}; remove both files to read the sources from their start`);
  }
  onWarning(`checkpoint ${path} ${reason}; its previous copy is used, so some events are read again`);
  return previous;
}

/** Its entries; what is wrong with it, in words; null when there is no such file. */
async function readCopy(path: string): Promise<Entries | string | null> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw failed(path, messageOf(error), error);
  });
  if (bytes === null) return null;
  if (bytes.length === 0) return 'is empty';
  const line = decodeLine(bytes);
  if (line === null || line.end + 1 !== bytes.length || bytes[line.end] !== 0x0a) return 'is damaged';
  const { version, entries } = line.value as { readonly version: unknown; readonly entries: Readonly<Record<string, CheckpointEntry>> };
  if (version !== VERSION) return `has version ${String(version)}, and this program knows version ${VERSION}`;
  return new Map(Object.entries(entries));
}

function previousPath(path: string): string {
  return `${path}.previous`;
}

function failed(path: string, reason: string, cause?: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  return new MillraceError('MILLRACE_CHECKPOINT', `cannot use checkpoint ${path}: ${reason}`, { cause, context: { file: path } });
}
