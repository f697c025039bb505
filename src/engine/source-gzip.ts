/**
 * Unpacks any byte source that is gzip, of one member or many, within a fixed buffer. Truncated or corrupt data is an
 * error, and so is anything but zero padding after the last member: Node alone would end quietly before it.
 */
import type { Gunzip } from 'node:zlib';
import { createGunzip } from 'node:zlib';
import type { Format } from '../api/options.ts';
import type { MillraceError } from '../api/errors.ts';
import { ChunkSource } from './source-chunks.ts';
import { ItemReader } from './source-items.ts';
import type { ByteSource } from './source-types.ts';
import { sourceError } from './source-types.ts';

/** Packed bytes that are at work at once, and unpacked bytes of a chunk. */
const CHUNK_BYTES = 256 * 1_024;

export class GzipSource implements ByteSource {
  readonly kind = 'bytes' as const;
  readonly name: string;
  readonly bytesTotal: number | null;
  readonly format: Format | null;
  readonly compressed = true;
  readonly identity: string;
  readonly #packed: ByteSource;
  readonly #unpacker: Unpacker;
  readonly #chunks: ChunkSource;
  #closing: Promise<void> | null = null;

  constructor(packed: ByteSource, signal?: AbortSignal) {
    this.name = packed.name;
    this.bytesTotal = packed.bytesTotal;
    this.format = packed.format;
    this.identity = packed.identity;
    this.#packed = packed;
    this.#unpacker = new Unpacker(packed);
    this.#chunks = new ChunkSource(new ItemReader(this.name, this.#unpacker.chunks(), signal));
  }

  get rawBytesRead(): number {
    return this.#packed.rawBytesRead;
  }

  read(target: Uint8Array, from?: number, to?: number): Promise<number> {
    return this.#chunks.read(target, from, to);
  }

  ready(): Promise<void> {
    return this.#chunks.ready();
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const closed = this.#chunks.close(); // First: a pending read ends as aborted, not as corrupt.
    this.#unpacker.destroy();
    await Promise.all([closed, this.#packed.close()]);
  }
}

/** Drives one zlib stream by hand: a packed chunk is read when all that came of the last one has been taken. */
class Unpacker {
  readonly #packed: ByteSource;
  readonly #gunzip: Gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  /** What the stream told since it was last asked. */
  #fault: unknown = null;
  #written = false;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(packed: ByteSource) {
    this.#packed = packed;
    this.#gunzip.on('error', (error) => ((this.#fault = error), this.#wake()));
    this.#gunzip.on('readable', () => this.#wake());
    this.#gunzip.on('end', () => ((this.#ended = true), this.#wake()));
    this.#gunzip.on('close', () => this.#wake());
  }

  destroy(): void {
    this.#gunzip.destroy();
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      let fed = 0;
      for (;;) {
        const chunk = await this.#readPacked();
        if (chunk.length === 0) break;
        fed += chunk.length;
        this.#written = false;
        this.#gunzip.write(chunk, () => ((this.#written = true), this.#wake()));
        yield* this.#take(() => this.#written);
        const rest = fed - this.#gunzip.bytesWritten;
        // zlib leaves bytes untaken only where a zero follows a member: padding, and only more of it may follow.
        if (rest > 0) return await this.#padding(chunk.subarray(chunk.length - rest));
      }
      // No bytes at all: zlib would call that a truncated member, but an empty file is simply empty.
      if (fed === 0) return;
      this.#gunzip.end();
      yield* this.#take(() => this.#ended);
    } finally {
      this.#gunzip.destroy();
    }
  }

  /** All unpacked chunks until `done`. */
  async *#take(done: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#gunzip.read() as Uint8Array | null;
      if (this.#fault !== null) throw this.#corrupt(this.#fault);
      if (chunk !== null) yield chunk;
      else if (done()) return;
      else if (this.#gunzip.destroyed) throw sourceError(this.#packed.name, 'it was closed');
      // Nothing can come between the test and the wait: the stream's events need a later turn of the loop.
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #readPacked(): Promise<Uint8Array> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    return chunk.subarray(0, await this.#packed.read(chunk));
  }

  async #padding(rest: Uint8Array): Promise<void> {
    for (let chunk = rest; chunk.length > 0; chunk = await this.#readPacked()) {
      if (chunk.some((byte) => byte !== 0))
        throw sourceError(this.#packed.name, `other data follows the gzip data, which ends at byte ${this.#gunzip.bytesWritten}`);
    }
  }

  #corrupt(thrown: unknown): MillraceError {
    const { code, message } = thrown as NodeJS.ErrnoException;
    const at = `within its first ${this.#packed.rawBytesRead} B`; // As near as a chunk: zlib does not say where.
    const reason = code === 'Z_BUF_ERROR' ? `the gzip data is truncated ${at}` : `the gzip data is corrupt ${at} (${message})`;
    return sourceError(this.#packed.name, reason, thrown);
  }
}
