/** The one shape of every encoder: the bytes of one record become the msgpack bytes of one event, without any allocation. */

/** The record is refused: `reason` (reject-reasons.ts) and `errorAt` (offset in the input) say why and where. */
export const ENCODE_REJECT = -1;
/** The output range is too small; nothing is wrong with the record. */
export const ENCODE_FULL = -2;

/** Path of object keys (or array indexes as text) from the root of an event: the tokens of a JSON pointer. */
export type FieldPath = readonly string[];

export interface RecordEncoder {
  /** For each path given at creation: where its value lies in the output (msgpack bytes), or -1 when the event has none. */
  readonly pickStart: Int32Array;
  readonly pickEnd: Int32Array;
  readonly reason: number;
  readonly errorAt: number;
  /** Returns the output offset after the event, or ENCODE_REJECT, or ENCODE_FULL. Never throws on any bytes. */
  encode(input: Uint8Array, start: number, end: number, output: Uint8Array, outStart: number, outEnd: number): number; // oxlint-disable-line max-params -- hot path: an options object per record would allocate
}
