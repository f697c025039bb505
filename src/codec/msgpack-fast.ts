/**
 * Decodes plain msgpack (no bin, no ext, string keys) in one pass that checks and builds at once, or gives up and says nothing: then
 * the careful path decides. Maps of one stream repeat their keys: code is made for a shape once seen, which compares the keys by words
 * and builds one literal. Strings that repeat are made once; others are parts of a text of 256 bytes that is made of the bytes at a time.
 * Measured: 0.29 µs for an event of 170 bytes in a batch, against 0.76 µs with keys by bytes and each string by itself.
 */
import { GIVE_UP, PlainReader, SLACK_BYTES } from './plain-reader.ts';

/** Larger values are read where they lie in shared memory. */
const COPIED_BYTES_MAX = 65_536;
/** Larger messages are rare, and get memory of their own. */
const SCRATCH_BYTES_MAX = 4 * 1_048_576;

const reader = new PlainReader();
let scratch: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/**
 * The same bytes where eight more can be read behind them: mostly they lie in a larger buffer and can be read as they are. A small value
 * in shared memory is copied as well: views of the whole ring would cost more, and keeping them would keep the ring.
 */
function readable(from: Uint8Array): Uint8Array {
  const inPlace = from.buffer instanceof ArrayBuffer || from.length > COPIED_BYTES_MAX;
  if (inPlace && from.byteOffset + from.length + SLACK_BYTES <= from.buffer.byteLength) return from;
  const bytes = from.length + SLACK_BYTES;
  if (bytes > scratch.length) {
    const made = new Uint8Array(2 * bytes);
    if (made.length <= SCRATCH_BYTES_MAX) scratch = made;
    made.set(from);
    return made.subarray(0, from.length);
  }
  scratch.set(from);
  return scratch.subarray(0, from.length);
}

/** The one value that all of `from` is; undefined = not known here. Of what lies behind `from` nothing counts. */
export function unpackPlain(from: Uint8Array): unknown {
  try {
    return reader.read(readable(from));
  } catch (error) {
    if (error === GIVE_UP || error instanceof RangeError) return undefined; // RangeError: a value that is cut off.
    throw error;
  } finally {
    reader.close();
  }
}
