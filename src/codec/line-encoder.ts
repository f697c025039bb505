/** Encodes a line of text as one msgpack string. */
import { reasonCode } from '../api/reject-reasons.ts';
import { stringHeadBytes, writeStringHead } from './msgpack-write.ts';
import { ENCODE_FULL, ENCODE_REJECT } from './record-encoder.ts';
import type { FieldPath, RecordEncoder } from './record-encoder.ts';
import { utf8Fault } from './utf8.ts';

const INVALID_UTF8 = reasonCode('invalid_utf8');

export class LineEncoder implements RecordEncoder {
  readonly pickStart: Int32Array;
  readonly pickEnd: Int32Array;
  reason = 0;
  errorAt = 0;
  /** 1 for a path that names the whole event; a string has no fields. */
  readonly #whole: readonly boolean[];

  constructor(paths: readonly FieldPath[]) {
    this.pickStart = new Int32Array(paths.length).fill(-1);
    this.pickEnd = new Int32Array(paths.length).fill(-1);
    this.#whole = paths.map((path) => path.length === 0);
  }

  // oxlint-disable-next-line max-params -- as the interface
  encode(input: Uint8Array, start: number, end: number, output: Uint8Array, outStart: number, outEnd: number): number {
    const length = end - start;
    if (outStart + stringHeadBytes(length) + length > outEnd) return ENCODE_FULL;
    let at = writeStringHead(output, outStart, length);
    let bits = 0;
    for (let from = start; from < end; from++) {
      const byte = input[from]!;
      bits |= byte;
      output[at++] = byte;
    }
    const fault = bits < 0x80 ? -1 : utf8Fault(input, start, end);
    if (fault >= 0) {
      this.reason = INVALID_UTF8;
      this.errorAt = fault;
      return ENCODE_REJECT;
    }
    for (let path = 0; path < this.#whole.length; path++) {
      if (!this.#whole[path]) continue;
      this.pickStart[path] = outStart;
      this.pickEnd[path] = at;
    }
    return at;
  }
}
