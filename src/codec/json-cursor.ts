/** Where one JSON record is being read and written, and why it was given up: the one state all json-* files share. */
import { reasonCode } from '../api/reject-reasons.ts';
import { ENCODE_FULL, ENCODE_REJECT } from './record-encoder.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_VIEW: DataView = new DataView(NO_BYTES.buffer);

/**
 * Functions over a cursor return the next input offset, or -1 after `fail` or `full`; the next output offset is in `out`.
 * Input and output are read from here once per function, so that the loops run over locals.
 */
export class JsonCursor {
  input: Uint8Array = NO_BYTES;
  end = 0;
  output: Uint8Array = NO_BYTES;
  outEnd = 0;
  out = 0;
  exponent = 0; // second result of reading one
  /** The same ranges for four bytes at a time; made anew only when a caller brings other views. */
  inputView: DataView = NO_VIEW;
  outputView: DataView = NO_VIEW;
  outcome = 0; // ENCODE_REJECT or ENCODE_FULL once -1 was returned
  reason = 0;
  errorAt = -1;
}

/**
 * The one cursor: a record is read in one call, without a pause, so all transcoders of a thread share it. Being one object it is
 * a constant to the compiler, and its fields are read without a check of what it is.
 */
const cursor: JsonCursor = new JsonCursor();
export const theCursor: JsonCursor = cursor;

/** Sets the bytes to read and to write. */
export function aim(input: Uint8Array, output: Uint8Array): void {
  if (cursor.input !== input) cursor.inputView = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (cursor.output !== output) cursor.outputView = new DataView(output.buffer, output.byteOffset, output.byteLength);
  cursor.input = input;
  cursor.output = output;
}

export const INVALID_JSON: number = reasonCode('invalid_json');
export const INVALID_UTF8: number = reasonCode('invalid_utf8');
export const TRUNCATED: number = reasonCode('truncated');
export const TOO_DEEP: number = reasonCode('too_deep');
export const INTEGER_RANGE: number = reasonCode('integer_range');
export const NUMBER_RANGE: number = reasonCode('number_range');
export const LONE_SURROGATE: number = reasonCode('lone_surrogate');
export const PROTO_KEY: number = reasonCode('proto_key');

/** Refuses the record; returns the -1 that its callers hand on. */
export function fail(at: number, reason: number): number {
  cursor.outcome = ENCODE_REJECT;
  cursor.reason = reason;
  cursor.errorAt = at;
  return -1;
}

/** The byte at `at` is not what JSON asks for here; past the end it is the record that stops too early. */
export function unexpected(at: number): number {
  return fail(at, at < cursor.end ? INVALID_JSON : TRUNCATED);
}

/** Gives up for want of room; the record itself may be fine. */
export function full(): number {
  cursor.outcome = ENCODE_FULL;
  return -1;
}

/** The first offset from `at` on whose byte is no JSON whitespace, or the end. */
export function skipSpace(from: number): number {
  const { input, end } = cursor;
  let at = from;
  while (at < end) {
    const byte = input[at]!;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at += 1;
  }
  return at;
}
