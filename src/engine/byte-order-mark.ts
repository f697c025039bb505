/** Where the text of a source begins: after its byte order mark, which counts only at the very start. */

const MARK = [0xef, 0xbb, 0xbf];

/** Bytes of the mark at `at`: 3 or 0. */
export function markBytes(bytes: Uint8Array, at: number, end: number): number {
  return end - at >= MARK.length && MARK.every((byte, index) => bytes[at + index] === byte) ? MARK.length : 0;
}
