/**
 * Appends lines to segments of this process's own. A line counts as safe when fdatasync has covered it, and stays in
 * memory until then: after a failed write or sync it is written again, elsewhere if need be, and never taken for written.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { MillraceError } from '../api/errors.ts';
import { folderError, sealedPath } from './dead-letter-segment.ts';
import { processPlace } from './process-place.ts';
import type { SegmentFile, SegmentFiles } from './segment-files.ts';

/** One write and one fdatasync cover at most so much. */
const GROUP_BYTES_MAX = 4 * 1_024 * 1_024;

export interface WriterOptions {
  readonly folder: string;
  readonly segmentBytesMax: number;
  readonly files: SegmentFiles;
  readonly now: () => Date;
  /** Called once for each failure; nothing is written after it until the next `flush`. */
  readonly onError: (error: MillraceError) => void;
}

interface OpenSegment {
  readonly file: SegmentFile;
  readonly path: string;
  readonly base: string;
  /** Bytes that are safe; whatever is behind them is not a part of the segment. */
  bytes: number;
}

interface Waiter {
  readonly lines: number;
  resolve(): void;
  reject(error: unknown): void;
}

export class DeadLetterWriter {
  readonly #options: WriterOptions;
  /** Lines that are not safe yet, oldest first. */
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #appended = 0;
  #safe = 0;
  #segment: OpenSegment | null = null;
  #waiters: Waiter[] = [];
  #running = false;
  #failed = false;
  /** End of the last operation on the segment: they run one after another. */
  #tail: Promise<void> = Promise.resolve();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get appended(): number {
    return this.#appended;
  }

  get safe(): number {
    return this.#safe;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  append(line: Buffer): void {
    this.#queue.push(line);
    this.#queuedBytes += line.length;
    this.#appended += 1;
    if (!this.#failed) this.#start();
  }

  /** Resolves when all lines appended before are safe. After a failure it tries again. */
  flush(): Promise<void> {
    if (this.#safe === this.#appended) return Promise.resolve();
    const done = new Promise<void>((resolve, reject) => this.#waiters.push({ lines: this.#appended, resolve, reject }));
    this.#start();
    return done;
  }

  /** Ends the segment, so that from now on it can be rewritten; the next line starts another. */
  seal(): Promise<void> {
    return this.#exclusively(() => this.#seal());
  }

  #exclusively(work: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => undefined);
    return done;
  }

  /** Waits for the end of this turn first: what is appended together is written and synced together. */
  #start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#failed = false;
    const write = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      while (this.#queue.length > 0) await this.#writeGroup();
    };
    void this.#exclusively(write).then(
      () => {
        this.#running = false;
        if (this.#queue.length > 0) this.#start(); // Came between the last look at the queue and now.
      },
      (error: unknown) => this.#fail(folderError(this.#options.folder, error, 'write')),
    );
  }

  #fail(error: MillraceError): void {
    this.#running = false;
    this.#failed = true;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
    this.#options.onError(error);
  }

  async #writeGroup(): Promise<void> {
    const segment = (this.#segment ??= await this.#create());
    let lines = 0;
    let bytes = 0;
    while (lines < this.#queue.length && (lines === 0 || bytes + this.#queue[lines]!.length <= GROUP_BYTES_MAX))
      bytes += this.#queue[lines++]!.length;
    await this.#write(segment, Buffer.concat(this.#queue.slice(0, lines), bytes));
    segment.bytes += bytes;
    this.#queue = this.#queue.slice(lines);
    this.#queuedBytes -= bytes;
    this.#safe += lines;
    this.#resolveWaiters();
    if (segment.bytes >= this.#options.segmentBytesMax) await this.#seal();
  }

  async #write(segment: OpenSegment, group: Buffer): Promise<void> {
    let written = false;
    try {
      for (let at = 0; at < group.length;) at += await segment.file.write(group.subarray(at), segment.bytes + at);
      written = true;
      await segment.file.datasync();
    } catch (error) {
      // Takes back a half-written group, which also gives back the room on a full disk.
      const whole = await segment.file.truncate(segment.bytes).then(
        () => true,
        () => false,
      );
      // After a failed sync nobody knows what the disk holds: this file is never written to again.
      if (written || !whole) await this.#seal().catch(() => undefined);
      throw error;
    }
  }

  async #create(): Promise<OpenSegment> {
    const { folder, files, now } = this.#options;
    await files.makeFolder(folder);
    const base = `${now().toISOString().replaceAll(/[-:.]/gu, '')}-${randomBytes(4).toString('hex')}`;
    const path = join(folder, `${base}.${processPlace}.${process.pid}.open`);
    const file = await files.create(path);
    try {
      await files.syncFolder(folder);
    } catch (error) {
      await file.close();
      await files.remove(path);
      throw error;
    }
    return { file, path, base, bytes: 0 };
  }

  async #seal(): Promise<void> {
    const { folder, files } = this.#options;
    const segment = this.#segment;
    if (segment === null) return;
    this.#segment = null;
    await segment.file.close();
    if (segment.bytes === 0) await files.remove(segment.path);
    else await files.rename(segment.path, sealedPath(folder, segment.base));
    await files.syncFolder(folder);
  }

  #resolveWaiters(): void {
    const waiting = this.#waiters;
    this.#waiters = waiting.filter(({ lines }) => lines > this.#safe);
    for (const waiter of waiting) if (waiter.lines <= this.#safe) waiter.resolve();
  }
}
