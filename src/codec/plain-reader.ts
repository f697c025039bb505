/** Reads plain msgpack (no bin, no ext, string keys): checks and builds at once, in one pass. */
import { MapShapes } from './map-shapes.ts';
import { NOT_ASCII, tailOf } from './repeated-strings.ts';
import type { PlainSource } from './repeated-strings.ts';
import { utf8Fault } from './utf8.ts';

/** Words are read whole: so many bytes behind the value must be there, and count for nothing. */
export const SLACK_BYTES = 8;

/** Deeper values go the careful way, which has the limit and its message. */
const DEPTH_FAST_MAX = 64;
/** A string that somebody keeps may hold on to so many bytes of its neighbours, and no more. */
const TEXT_BYTES = 256;
/** A larger buffer is not kept for the next value. */
const KEPT_BYTES_MAX = 8 * 1_048_576;

/** Thrown for what is not plain, or not whole. Made once: an error object costs a stack each. */
export const GIVE_UP: Error = new Error('not plain msgpack');
const NONE = new Uint8Array(8);

/** The Buffer's own reader takes every Uint8Array; without it each call makes a Buffer first. */
const { latin1Slice } = Buffer.prototype as unknown as { readonly latin1Slice?: (this: Uint8Array, start: number, end: number) => string };
const latin1: (from: Uint8Array, start: number, stop: number) => string =
  latin1Slice === undefined
    ? (from, start, stop) => Buffer.from(from.buffer, from.byteOffset + start, stop - start).toString('latin1')
    : (from, start, stop) => latin1Slice.call(from, start, stop);

/** One for all values of a thread: one at a time is read, and nothing of a user is called meanwhile. Places are those in the buffer. */
export class PlainReader implements PlainSource {
  /** The whole buffer that the value lies in. */
  bytes: Uint8Array = NONE;
  view: DataView = new DataView(NONE.buffer);
  at = 0;
  end = 0;
  #depth = 0;
  #text = '';
  #textFrom = 0;
  #textTo = 0;
  readonly #shapes: MapShapes = new MapShapes();

  /** The one value that all of `from` is; throws GIVE_UP, or a RangeError past the end of the buffer. */
  read(from: Uint8Array): unknown {
    if (this.bytes.buffer !== from.buffer) {
      this.bytes = new Uint8Array(from.buffer);
      this.view = new DataView(from.buffer);
    }
    this.at = from.byteOffset;
    this.end = from.byteOffset + from.length;
    this.#depth = this.#textTo = 0;
    const value = this.value();
    if (this.at !== this.end) throw GIVE_UP;
    return value;
  }

  /** Its buffer is kept for the next value, which mostly lies in the same one; a large one is let go. */
  close(): void {
    this.#text = '';
    if (this.bytes.length <= KEPT_BYTES_MAX) return;
    this.bytes = NONE;
    this.view = new DataView(NONE.buffer);
  }

  value(): unknown {
    const token = this.bytes[this.at++]!; // Past the buffer: undefined, which is no token of any kind.
    if (token < 0x80) return token;
    if (token < 0x90) return this.#map(token & 0x0f);
    if (token < 0xa0) return this.#array(token & 0x0f);
    if (token < 0xc0) return this.string(token & 0x1f);
    if (token >= 0xe0) return token - 256;
    return this.#tagged(token);
  }

  /** The string of `length` bytes at `at`. Up to 12 characters are a copy; longer ones are a part of 256 bytes of text. */
  string(length: number): string {
    const { view, at } = this;
    const stop = at + length;
    if (stop > this.end) throw GIVE_UP;
    const full = at + (length & ~3);
    let all = tailOf(view, full, length & 3);
    for (let p = at; p < full; p += 4) all |= view.getInt32(p, true);
    if ((all & NOT_ASCII) !== 0) return this.#unicode(length);
    if (length > TEXT_BYTES) return this.copy(length);
    this.at = stop;
    if (stop > this.#textTo) this.#nextText(at);
    return this.#text.substring(at - this.#textFrom, stop - this.#textFrom);
  }

  /** The same of ASCII bytes, on its own. */
  copy(length: number): string {
    const { bytes, at } = this;
    this.at = at + length;
    return latin1(bytes, at, at + length);
  }

  /** To read on from an earlier place. */
  moveBack(at: number): void {
    this.at = at;
    this.#textTo = 0; // The text may begin behind this place by now.
  }

  #nextText(at: number): void {
    this.#textFrom = at;
    this.#textTo = Math.min(this.end, at + TEXT_BYTES);
    this.#text = latin1(this.bytes, at, this.#textTo);
  }

  #unicode(length: number): string {
    const { bytes, at } = this;
    if (utf8Fault(bytes, at, at + length) >= 0) throw GIVE_UP;
    this.at = at + length;
    return Buffer.from(bytes.subarray(at, at + length)).toString('utf8'); // A copy: text is not decoded from shared memory.
  }

  #tagged(token: number): unknown {
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xd9:
        return this.string(this.#unsigned(1));
      case 0xda:
        return this.string(this.#unsigned(2));
      case 0xdb:
        return this.string(this.#unsigned(4));
      case 0xdc:
        return this.#array(this.#unsigned(2));
      case 0xdd:
        return this.#array(this.#unsigned(4));
      case 0xde:
        return this.#map(this.#unsigned(2));
      case 0xdf:
        return this.#map(this.#unsigned(4));
      default:
        return this.#number(token);
    }
  }

  #number(token: number): unknown {
    if (token >= 0xcc && token <= 0xce) return this.#unsigned(1 << (token - 0xcc));
    const { view, at } = this;
    switch (token) {
      case 0xca:
        this.at = at + 4;
        return view.getFloat32(at);
      case 0xcb:
        this.at = at + 8;
        return view.getFloat64(at);
      case 0xcf:
        this.at = at + 8;
        return exact(view.getBigUint64(at));
      case 0xd0:
        this.at = at + 1;
        return view.getInt8(at);
      case 0xd1:
        this.at = at + 2;
        return view.getInt16(at);
      case 0xd2:
        this.at = at + 4;
        return view.getInt32(at);
      case 0xd3:
        this.at = at + 8;
        return exact(view.getBigInt64(at));
      default:
        throw GIVE_UP;
    }
  }

  #unsigned(bytes: number): number {
    const { view, at } = this;
    this.at = at + bytes;
    return bytes === 1 ? view.getUint8(at) : bytes === 2 ? view.getUint16(at) : view.getUint32(at);
  }

  #array(length: number): unknown[] {
    // A claim of more than there is ends at once: each element takes a byte at least.
    if (length > this.end - this.at || ++this.#depth > DEPTH_FAST_MAX) throw GIVE_UP;
    const items: unknown[] = [];
    for (let i = 0; i < length; i++) items.push(this.value());
    this.#depth--;
    return items;
  }

  #map(count: number): object {
    if (count * 2 > this.end - this.at || ++this.#depth > DEPTH_FAST_MAX) throw GIVE_UP;
    const map = this.#shapes.tryRead(count, this) ?? this.#any(count);
    this.#depth--;
    return map;
  }

  #any(count: number): object {
    const map: Record<string, unknown> = {};
    const names: string[] = [];
    const heads: Uint8Array[] = [];
    const learns = this.#shapes.hasRoom(count);
    for (let i = 0; i < count; i++) {
      const start = this.at;
      const name = this.value();
      if (typeof name !== 'string' || name === '__proto__') throw GIVE_UP;
      if (learns) heads.push(this.bytes.slice(start, this.at));
      names.push(name);
      map[name] = this.value();
    }
    if (learns) this.#shapes.learn(names, heads);
    return map;
  }
}

/** A number where that is exact, as the careful path has it: up to 2^53 inclusive. */
function exact(value: bigint): number | bigint {
  return value >= -EDGE && value <= EDGE ? Number(value) : value;
}

const EDGE: bigint = 2n ** 53n;
