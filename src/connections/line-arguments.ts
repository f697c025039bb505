/** The arguments of a line of the NATS protocol, split where the line lies: no string, no object for each line. */

const SPACE = 0x20;
const CR = 0x0d;
const DIGIT_0 = 0x30;
const ARGUMENTS_MAX = 5;

export class LineArguments {
  /** Where each begins and ends. */
  readonly starts: Int32Array = new Int32Array(ARGUMENTS_MAX + 1);
  readonly ends: Int32Array = new Int32Array(ARGUMENTS_MAX + 1);
  count = 0;

  /** Splits the line at single spaces; the offset of its CR, or -1 when that has not come. */
  split(bytes: Uint8Array, from: number): number {
    const { starts, ends } = this;
    let count = 0;
    starts[0] = from;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte > SPACE) continue;
      if (byte !== SPACE && byte !== CR) break;
      if (at === starts[count]! || count === ARGUMENTS_MAX) break;
      ends[count++] = at;
      if (byte === CR) {
        this.count = count;
        return at;
      }
      starts[count] = at + 1;
    }
    // No line of the kind that servers write: whole, it is the client's; else the rest must come.
    this.count = 0;
    return bytes.indexOf(CR, from);
  }

  /** Not a number: NaN, so that no comparison with it holds. */
  number(bytes: Uint8Array, index: number): number {
    let value = 0;
    for (let at = this.starts[index]!; at < this.ends[index]!; at++) {
      const digit = bytes[at]! - DIGIT_0;
      if (digit < 0 || digit > 9) return Number.NaN;
      value = value * 10 + digit;
    }
    return value;
  }
}
