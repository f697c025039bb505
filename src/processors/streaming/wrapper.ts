/**
 * STAN has no headers. A message whose only header says msgpack travels as the bare event; any other as one msgpack ext value of type 77
 * that holds the map `{ headers, payload }`. Both directions; what is not exactly such a value is read as bare.
 */
import type { Headers } from '../../api/event.ts';
import { parseHeaderBlock } from '../embedded/header-block.ts';

export const WRAPPER_TYPE = 77;
export const MSGPACK_TYPE = 'application/msgpack';

const EXT_8 = 0xc7;
const EXT_16 = 0xc8;
const EXT_32 = 0xc9;
const MAP_OF_2 = 0x82;
const HEADERS = Buffer.from('\xa7headers', 'latin1');
const PAYLOAD = Buffer.from('\xa7payload', 'latin1');
/** Below this byte msgpack text can look like JSON to a reader that has no content type. */
const UNMISTAKABLE = 0x80;
/** What the wrapper adds at most to a header block and a payload. */
export const WRAPPER_BYTES_MAX = 64;

export interface Unwrapped {
  readonly headers: Headers;
  readonly payload: Buffer;
}

/** A private copy: the library may hold what it is given, and the memory is shared. */
export function wrap(memory: Uint8Array, start: number, payloadStart: number, end: number): Buffer {
  const bytes = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength);
  const payload = bytes.subarray(payloadStart, end);
  const headers = payloadStart === start ? {} : parseHeaderBlock(bytes.toString('utf8', start, payloadStart));
  const names = Object.keys(headers);
  if (isBare(names, headers, payload)) return Buffer.concat([payload]);
  const parts: Uint8Array[] = [Buffer.of(MAP_OF_2), HEADERS, sized(names.length, { fix: 0x80, fixMax: 15, wide: [0, 0xde, 0xdf] })];
  for (const name of names) parts.push(text(name), text(headers[name]!));
  parts.push(PAYLOAD, sized(payload.length, { fix: 0, fixMax: -1, wide: [0xc4, 0xc5, 0xc6] }), payload);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([extHead(length), ...parts]);
}

function isBare(names: readonly string[], headers: Headers, payload: Buffer): boolean {
  if (startsAsWrapper(payload)) return false;
  if (names.length === 0) return true;
  const onlyType = names.length === 1 && names[0]!.toLowerCase() === 'content-type' && headers[names[0]!] === MSGPACK_TYPE;
  return onlyType && payload.length > 0 && payload[0]! >= UNMISTAKABLE;
}

function startsAsWrapper(bytes: Uint8Array): boolean {
  const at = extTypeAt(bytes[0]);
  return at > 0 && bytes[at] === WRAPPER_TYPE;
}

const extTypeAt = (marker: number | undefined): number => (marker === EXT_8 ? 2 : marker === EXT_16 ? 3 : marker === EXT_32 ? 5 : 0);

/** Null: not a wrapper, so the bytes are the payload. */
export function unwrap(bytes: Buffer): Unwrapped | null {
  if (!startsAsWrapper(bytes)) return null;
  const body = extTypeAt(bytes[0]) + 1;
  const length = body === 3 ? bytes[1]! : body === 4 ? bytes.readUInt16BE(1) : bytes.readUInt32BE(1);
  if (body + length !== bytes.length) return null;
  const reader = new Reader(bytes, body);
  if (!reader.literal(Buffer.of(MAP_OF_2)) || !reader.literal(HEADERS)) return null;
  const count = reader.size({ fix: 0x80, fixMax: 15, wide: [0, 0xde, 0xdf] });
  const headers = Object.create(null) as Record<string, string>;
  for (let index = 0; index < count; index++) {
    const name = reader.text();
    const value = reader.text();
    if (name === null || value === null) return null;
    headers[name] = value;
  }
  if (count < 0 || !reader.literal(PAYLOAD)) return null;
  const payload = reader.take(reader.size({ fix: 0, fixMax: -1, wide: [0xc4, 0xc5, 0xc6] }));
  return payload === null || !reader.done ? null : { headers, payload };
}

/** How a family of msgpack values writes its size: in the marker itself, or in 1, 2 or 4 bytes after one of `wide` (0 = no such form). */
interface SizeForm {
  readonly fix: number;
  readonly fixMax: number;
  readonly wide: readonly [number, number, number];
}

const TEXT: SizeForm = { fix: 0xa0, fixMax: 31, wide: [0xd9, 0xda, 0xdb] };

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([sized(bytes.length, TEXT), bytes]);
}

function sized(size: number, { fix, fixMax, wide }: SizeForm): Buffer {
  if (size <= fixMax) return Buffer.of(fix | size);
  if (size <= 0xff && wide[0] !== 0) return Buffer.of(wide[0], size);
  if (size <= 0xffff) return Buffer.of(wide[1], size >> 8, size & 0xff);
  const head = Buffer.of(wide[2], 0, 0, 0, 0);
  head.writeUInt32BE(size, 1);
  return head;
}

function extHead(length: number): Buffer {
  const head = sized(length, { fix: 0, fixMax: -1, wide: [EXT_8, EXT_16, EXT_32] });
  return Buffer.concat([head, Buffer.of(WRAPPER_TYPE)]);
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  literal(expected: Uint8Array): boolean {
    return this.take(expected.length)?.equals(expected) === true;
  }

  /** -1: there is no such value here. */
  size({ fix, fixMax, wide }: SizeForm): number {
    const marker = this.take(1)?.[0];
    if (marker === undefined) return -1;
    if (fixMax >= 0 && marker >= fix && marker <= fix + fixMax) return marker - fix;
    const form = wide.indexOf(marker);
    if (form < 0 || marker === 0) return -1;
    const digits = this.take(2 ** form);
    return digits === null ? -1 : digits.readUIntBE(0, digits.length);
  }

  text(): string | null {
    return this.take(this.size(TEXT))?.toString() ?? null;
  }

  take(bytes: number): Buffer | null {
    if (bytes < 0 || this.#at + bytes > this.#bytes.length) return null;
    this.#at += bytes;
    return this.#bytes.subarray(this.#at - bytes, this.#at);
  }
}
