/** Objects to msgpack and back: exact integers and exact bytes, or an error; the only place that knows msgpackr. */
// Not 'msgpackr': that loads a native reader of strings, which takes 15 ms and which `unpackPlain` leaves nothing to do.
import { Packr } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';
import { MillraceError, messageOf } from '../api/errors.ts';
import { reasonOf } from '../api/reject-reasons.ts';
import { MsgpackChecker } from './msgpack-check.ts';
import { unpackPlain } from './msgpack-fast.ts';
import { packable } from './packable.ts';

/** Tells msgpackr to write the next value over this one, and to give its buffer with two members that say where in it the bytes are. */
const REUSE_AND_RESET = 512 | 1_024;

type PackOver = (value: unknown, mode: number) => Buffer & { readonly start: number; readonly end: number };

// Records would be readable by msgpackr only; fixed map16 heads would not be the smallest form. toJSON was called before.
const packr = new Packr({ useRecords: false, variableMapSize: true, useToJSON: false } as object);
// Copies bins: the bytes they come from may be a slab that is overwritten. `auto` = bigint beyond 2^53 only.
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'auto', copyBuffers: true } as object);
const checker = new MsgpackChecker();

/** The msgpack bytes of an event in their smallest form. Throws MILLRACE_EVENT_INVALID with the place of what has none. */
export function packEvent(value: unknown): Uint8Array {
  const exact = packable(value);
  try {
    return packr.pack(exact);
  } catch (error) {
    throw new MillraceError('MILLRACE_EVENT_INVALID', messageOf(error), { cause: error });
  }
}

/** The same bytes, but good only until the next value is packed: nothing is made for each but a small view. */
export function packEventForNow(value: unknown): Uint8Array {
  const exact = packable(value);
  try {
    const { buffer, byteOffset, start, end } = (packr.pack as PackOver)(exact, REUSE_AND_RESET);
    return new Uint8Array(buffer, byteOffset + start, end - start);
  } catch (error) {
    throw new MillraceError('MILLRACE_EVENT_INVALID', messageOf(error), { cause: error });
  }
}

/**
 * The one value that all of `bytes` is; integers beyond 2^53 are bigint. Checked before anything is made of it: throws
 * MILLRACE_DECODE for bytes that are cut off, too many, never used (0xc1), nested over 512 deep, not UTF-8, or that have a
 * `__proto__` key or an extension other than the timestamp.
 */
export function unpackValue(bytes: Uint8Array): unknown {
  const plain = unpackPlain(bytes);
  return plain === undefined ? unpackCarefully(bytes) : plain;
}

/** The same for every value, in two passes; `unpackValue` gives up on what is not plain, and on every fault. */
export function unpackCarefully(bytes: Uint8Array): unknown {
  const end = checker.check(bytes, 0, bytes.length);
  if (end < 0) throw undecodable(reasonOf(checker.reason).replaceAll('_', ' '), checker.at);
  if (end < bytes.length) throw undecodable('more bytes after the value', end);
  if (checker.extended) throw undecodable('an extension type other than timestamp', 0);
  try {
    return unpackr.unpack(privateBytes(bytes));
  } catch (error) {
    throw new MillraceError('MILLRACE_DECODE', `msgpack: ${messageOf(error)}`, { cause: error });
  }
}

/** True when all of `bytes` is one value that `unpackValue` takes. */
export function isPacked(bytes: Uint8Array): boolean {
  return bytes.length > 0 && checker.check(bytes, 0, bytes.length) === bytes.length && !checker.extended;
}

/** Not shared (text decoders refuse shared memory, and it may change), and no Buffer (bins would become Buffers too). */
function privateBytes(bytes: Uint8Array): Uint8Array {
  if (!(bytes.buffer instanceof ArrayBuffer)) return new Uint8Array(bytes);
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
}

function undecodable(why: string, at: number): MillraceError {
  return new MillraceError('MILLRACE_DECODE', `msgpack: ${why} (byte ${at})`, { context: { byteOffset: at } });
}
