/**
 * Bytes and objects out of items. A string is a chunk of UTF-8 text, not a line: it may end anywhere, even inside a
 * character. A surrogate that has no partner keeps its own three bytes, so its record is refused as invalid UTF-8 and
 * never becomes U+FFFD unseen.
 */
import type { Format } from '../api/options.ts';
import type { Item, ItemReader } from './source-items.ts';
import { formatOfName, randomIdentity } from './source-name.ts';
import type { ByteSource, ObjectSource } from './source-types.ts';
import { sourceError } from './source-types.ts';

export type ItemKind = 'bytes' | 'object';

const EMPTY = new Uint8Array(0);

/** Text and bytes are one kind: both are pieces of one byte stream. */
export function kindOfItem(value: unknown): ItemKind | null {
  if (typeof value === 'string') return 'bytes';
  if (typeof value !== 'object' || value === null) return null;
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer ? 'bytes' : 'object';
}

/** An item of the wrong kind, by its index. */
export function itemError(name: string, index: number, value: unknown, wanted: ItemKind | null): Error {
  const kind = kindOfItem(value);
  const is =
    value === null
      ? 'null'
      : kind === 'bytes'
        ? typeof value === 'string'
          ? 'a string'
          : 'bytes'
        : kind === 'object'
          ? 'an object'
          : `of type ${typeof value}`;
  const before =
    wanted === null
      ? 'expected bytes, strings or objects'
      : `the items before it are ${wanted === 'bytes' ? 'bytes or strings' : 'objects'}, and kinds cannot be mixed`;
  return sourceError(name, `item ${index} is ${is}; ${before}`);
}

export interface ChunkSourceOptions {
  /** An item that was pulled to learn the kind. */
  readonly first?: Item;
  /** Name to take the format from. */
  readonly path?: string;
}

/** A byte source over items that are bytes or text. Holds one chunk and asks for the next when that is used up. */
export class ChunkSource implements ByteSource {
  readonly kind = 'bytes' as const;
  readonly name: string;
  readonly bytesTotal = null;
  readonly format: Format | null;
  readonly compressed = false;
  readonly identity: string = randomIdentity();
  rawBytesRead = 0;
  readonly #items: ItemReader;
  #first: Item | null;
  #next: Promise<Item> | null = null; // Asked for by `ready`.
  #chunk: Uint8Array = EMPTY;
  #used = 0;
  #index = 0;
  /** High surrogate that ended the last string, waiting for its partner; '' = none. */
  #half = '';

  constructor(items: ItemReader, { first, path }: ChunkSourceOptions = {}) {
    this.#items = items;
    this.#first = first ?? null;
    this.name = items.name;
    this.format = path === undefined ? null : formatOfName(path);
  }

  async read(target: Uint8Array, from = 0, to: number = target.length): Promise<number> {
    this.#items.throwIfStopped();
    if (from === to) return 0;
    while (this.#used === this.#chunk.length) {
      if (!(await this.#nextChunk())) return 0;
    }
    const bytes = Math.min(to - from, this.#chunk.length - this.#used);
    target.set(this.#chunk.subarray(this.#used, this.#used + bytes), from);
    this.#used += bytes;
    this.rawBytesRead += bytes;
    return bytes;
  }

  async ready(): Promise<void> {
    if (this.#first !== null || this.#used < this.#chunk.length) return;
    this.#next ??= this.#items.next();
    await this.#next.then(
      () => undefined,
      () => undefined, // It is `read`'s to tell.
    );
  }

  close(): Promise<void> {
    this.#chunk = EMPTY;
    this.#used = 0;
    return this.#items.close();
  }

  /** False at the end. An empty chunk is no end. */
  async #nextChunk(): Promise<boolean> {
    const item = this.#first ?? (await (this.#next ?? this.#items.next()));
    this.#first = this.#next = null;
    this.#used = 0;
    this.#chunk = item.done ? this.#text('') : this.#bytesOf(item.value);
    this.#index += 1;
    return !item.done || this.#chunk.length > 0;
  }

  #bytesOf(value: unknown): Uint8Array {
    if (kindOfItem(value) !== 'bytes') throw itemError(this.name, this.#index, value, this.#index === 0 ? null : 'bytes');
    if (typeof value === 'string') return value === '' ? EMPTY : this.#text(value);
    const bytes = ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value as ArrayBuffer);
    return this.#half === '' ? bytes : Buffer.concat([this.#text(''), bytes]);
  }

  /** Ends the half character when the text does not go on ('' = it never will). */
  #text(next: string): Uint8Array {
    const text = this.#half + next;
    this.#half = '';
    if (next !== '' && isHigh(text.charCodeAt(text.length - 1))) {
      this.#half = text.slice(-1);
      return encodeText(text.slice(0, -1));
    }
    return encodeText(text);
  }
}

/** A source whose items are the events. */
export function objectSource(items: ItemReader, first: Item): ObjectSource {
  let waiting: Item | null = first;
  let index = 0;
  return {
    kind: 'objects',
    name: items.name,
    async next() {
      items.throwIfStopped();
      const item = waiting ?? (await items.next());
      waiting = null;
      if (item.done) return { done: true, value: undefined };
      if (kindOfItem(item.value) !== 'object') throw itemError(items.name, index, item.value, 'object');
      index += 1;
      return { done: false, value: item.value as object };
    },
    close: () => items.close(),
  };
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;

function encodeText(text: string): Uint8Array {
  // String.prototype.isWellFormed is in Node 20 and not yet in the ES2023 types.
  if ((text as unknown as { isWellFormed(): boolean }).isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (isHigh(unit) && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      at += 1;
      continue;
    }
    parts.push(
      Buffer.from(text.slice(from, at), 'utf8'),
      Buffer.from([0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 63), 0x80 | (unit & 63)]),
    );
    from = at + 1;
  }
  parts.push(Buffer.from(text.slice(from), 'utf8'));
  return Buffer.concat(parts);
}
