/** Passes one msgpack value on as it is, after every byte of its structure was checked. */
import { reasonCode } from '../api/reject-reasons.ts';
import { MsgpackChecker } from './msgpack-check.ts';
import { MsgpackPicker } from './msgpack-scan.ts';
import { ENCODE_FULL, ENCODE_REJECT } from './record-encoder.ts';
import type { FieldPath, RecordEncoder } from './record-encoder.ts';

const INVALID = reasonCode('invalid_msgpack');
/** Below this a loop copies faster than a view can be made. */
const VIEW_BYTES_MIN = 2_048;

export class MsgpackEncoder implements RecordEncoder {
  readonly pickStart: Int32Array;
  readonly pickEnd: Int32Array;
  reason = 0;
  errorAt = 0;
  readonly #checker = new MsgpackChecker();
  readonly #picker: MsgpackPicker;

  constructor(paths: readonly FieldPath[]) {
    this.#picker = new MsgpackPicker(paths);
    this.pickStart = this.#picker.pickStart;
    this.pickEnd = this.#picker.pickEnd;
  }

  // oxlint-disable-next-line max-params -- as the interface
  encode(input: Uint8Array, start: number, end: number, output: Uint8Array, outStart: number, outEnd: number): number {
    const checked = this.#checker.check(input, start, end);
    if (checked !== end) {
      this.reason = checked < 0 ? this.#checker.reason : INVALID; // Whole, but with bytes behind it.
      this.errorAt = checked < 0 ? this.#checker.at : checked;
      return ENCODE_REJECT;
    }
    const length = end - start;
    if (outStart + length > outEnd) return ENCODE_FULL;
    if (length < VIEW_BYTES_MIN) for (let i = 0; i < length; i++) output[outStart + i] = input[start + i]!;
    else output.set(input.subarray(start, end), outStart);
    this.#picker.pick(output, outStart, outStart + length);
    return outStart + length;
  }
}
