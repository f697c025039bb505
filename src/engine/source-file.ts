/**
 * Reads a regular file straight into the caller's memory, up to the end as it is when the end is reached: what is
 * appended meanwhile is read, and a file that became shorter than it was is an error and not a quiet end.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { read } from 'node:fs';
import type { Format } from '../api/options.ts';
import { MillraceError } from '../api/errors.ts';
import { formatOfName, identityOfFile } from './source-name.ts';
import type { ByteSource } from './source-types.ts';
import { abortedError, reasonOfSystemError, sourceError } from './source-types.ts';

/** One system call holds a thread of the pool for so long at most (some 150 µs from the page cache). */
const READ_BYTES_MAX = 2 * 1_024 * 1_024;
const TAIL_BYTES = 1_024;

export class FileSource implements ByteSource {
  readonly kind = 'bytes' as const;
  readonly name: string;
  readonly bytesTotal: number;
  readonly format: Format | null;
  readonly compressed = false;
  readonly identity: string;
  readonly #file: FileHandle;
  readonly #signal: AbortSignal | undefined;
  #position = 0;
  #ended = false;
  #closing: Promise<void> | null = null;
  /** The read at work: its descriptor must not be closed, for another file may get the same number. */
  #reading: Promise<number> = Promise.resolve(0);
  /** Its ends. One read at a time, so that neither they nor the callback are made anew for each. */
  #resolve: (bytes: number) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  readonly #keep = (resolve: (bytes: number) => void, reject: (error: Error) => void): void => {
    this.#resolve = resolve;
    this.#reject = reject;
  };
  readonly #onRead = (error: Error | null, bytes: number): void => this.#read(error, bytes);

  private constructor(
    name: string,
    file: FileHandle,
    opened: { readonly bytes: number; readonly identity: string; readonly signal: AbortSignal | undefined },
  ) {
    this.name = name;
    this.#file = file;
    this.bytesTotal = opened.bytes;
    this.identity = opened.identity;
    this.format = formatOfName(name);
    this.#signal = opened.signal;
  }

  static async open(path: string, signal?: AbortSignal): Promise<FileSource> {
    let file: FileHandle | null = null;
    try {
      file = await open(path, 'r');
      const stats = await file.stat({ bigint: true });
      return new FileSource(path, file, { bytes: Number(stats.size), identity: identityOfFile(stats), signal });
    } catch (error) {
      await file?.close();
      throw sourceError(path, reasonOfSystemError(error), error);
    }
  }

  get rawBytesRead(): number {
    return this.#position;
  }

  /** A read writes into views of shared memory as into any other (Node 20: no copy, no error). */
  read(target: Uint8Array, from = 0, to: number = target.length): Promise<number> {
    const stopped = this.#stopped();
    if (stopped !== null) return Promise.reject(stopped);
    if (this.#ended || from === to) return Promise.resolve(0);
    this.#reading = new Promise<number>(this.#keep);
    // By descriptor, and with one callback for all: reads of the handle make four times as much garbage.
    read(this.#file.fd, target, from, Math.min(to - from, READ_BYTES_MAX), this.#position, this.#onRead);
    return this.#reading;
  }

  /** The first bytes, without moving the position. */
  async peek(bytes: number): Promise<Uint8Array> {
    const head = new Uint8Array(bytes);
    const { bytesRead } = await this.#file.read(head, 0, bytes, 0).catch((error: unknown) => {
      throw sourceError(this.name, reasonOfSystemError(error), error);
    });
    return head.subarray(0, bytesRead);
  }

  /** Before the first read. */
  startAt(position: number): void {
    this.#position = position;
  }

  /** Hash of the bytes before `position`, which a checkpoint keeps to know the file again; null when they are not there. */
  async hashBefore(position: number): Promise<string | null> {
    const bytes = Math.min(position, TAIL_BYTES);
    const tail = new Uint8Array(bytes);
    const { bytesRead } = await this.#file.read(tail, 0, bytes, position - bytes).catch((error: unknown) => {
      throw sourceError(this.name, reasonOfSystemError(error), error);
    });
    return bytesRead < bytes ? null : createHash('sha256').update(tail).digest('hex').slice(0, 32);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#reading.then(
      () => this.#file.close(),
      () => this.#file.close(),
    ));
  }

  #stopped(): MillraceError | null {
    return this.#closing !== null || this.#signal?.aborted === true ? abortedError(this.name, this.#signal?.reason) : null;
  }

  /** The bytes of a read that was overtaken by close or abort are in the caller's memory, and are not reported. */
  #read(error: Error | null, bytes: number): void {
    const stopped = this.#stopped();
    if (stopped !== null) return this.#reject(stopped);
    if (error !== null) return this.#reject(sourceError(this.name, `${reasonOfSystemError(error)} at byte ${this.#position}`, error));
    this.#position += bytes;
    if (bytes > 0) return this.#resolve(bytes);
    this.#end().then(() => this.#resolve(0), this.#reject);
  }

  /** Files of /proc and /sys give fewer bytes than their size says; only a size that went down is a change. */
  async #end(): Promise<void> {
    this.#ended = true;
    if (this.#position >= this.bytesTotal) return;
    const { size } = await this.#file.stat();
    if (size >= this.bytesTotal) return;
    const message = `${this.name} shrank from ${this.bytesTotal} B to ${size} B while it was read; read up to byte ${this.#position}`;
    throw new MillraceError('MILLRACE_SOURCE_CHANGED', message, { context: { file: this.name, byteOffset: this.#position } });
  }
}
