/** Says whether bytes are UTF-8 as the standard has it: no overlong form, no surrogate, nothing above U+10FFFF; reads nothing outside its range. */

/** Offset of the first byte that is not UTF-8 in [start, end), or -1 when all of it is. Own code: `buffer.isUtf8` needs a view object per call. */
export function utf8Fault(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const lead = bytes[at]!;
    if (lead < 0x80) {
      at++;
      continue;
    }
    const next = sequenceEnd(bytes, at, end);
    if (next < 0) return at;
    at = next;
  }
  return -1;
}

/** Offset after the multi-byte sequence at `at`, or -1 when it is none. The second byte carries the limits of Unicode's table 3-7. */
function sequenceEnd(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0xc2 || lead > 0xf4 || at + 1 >= end) return -1;
  const second = bytes[at + 1]!;
  if (lead < 0xe0) return (second & 0xc0) === 0x80 ? at + 2 : -1;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest || at + 2 >= end || (bytes[at + 2]! & 0xc0) !== 0x80) return -1;
  if (lead < 0xf0) return at + 3;
  return at + 3 < end && (bytes[at + 3]! & 0xc0) === 0x80 ? at + 4 : -1;
}
