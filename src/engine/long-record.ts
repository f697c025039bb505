/** A record longer than any slab, of which its bytes pass by once: kept are a prefix, the hash and how long it was. */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';

const PREFIX_BYTES_MAX = 64 * 1_024; // For its dead letter.
const LF = 10;

export class LongRecord {
  readonly #prefix: Uint8Array[] = [];
  readonly #hash: Hash = createHash('sha256');
  length = 0;
  lines = 0;

  add(bytes: Uint8Array, start: number, end: number): void {
    const piece = bytes.slice(start, end);
    if (this.length < PREFIX_BYTES_MAX) this.#prefix.push(piece.slice(0, PREFIX_BYTES_MAX - this.length));
    this.#hash.update(piece);
    this.length += piece.length;
    for (let at = piece.indexOf(LF); at >= 0; at = piece.indexOf(LF, at + 1)) this.lines += 1;
  }

  /** Once, when it is over. */
  seen(): { readonly prefix: Uint8Array; readonly length: number; readonly sha256: string } {
    return { prefix: new Uint8Array(Buffer.concat(this.#prefix)), length: this.length, sha256: this.#hash.digest('hex') };
  }
}
