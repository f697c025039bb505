/** The least of scanning: words of eight bytes, white space within a line (a line break ends the record, whatever JSON says), and no node. */

export const NONE: usize = 0xffffffff;

// @ts-ignore: decorator
@inline
export function isSpace(byte: u8): bool {
  return byte == 0x20 || byte == 10 || byte == 13 || byte == 9;
}

// @ts-ignore: decorator
@inline
export function skipSpace(from: usize, end: usize): usize {
  let at = from;
  while (at < end) {
    const byte = load<u8>(at);
    if (byte != 0x20 && byte != 13 && byte != 9) break;
    at += 1;
  }
  return at;
}

/** Bytes of the 16 at `at` that end a plain run of a string: quote, backslash, control characters, and all beyond ASCII. */
// @ts-ignore: decorator
@inline
export function specials(chunk: v128): i32 {
  const odd = i8x16.lt_s(chunk, i8x16.splat(0x20)); // Signed: 0x80 and above are negative.
  const quote = i8x16.eq(chunk, i8x16.splat(0x22));
  const slash = i8x16.eq(chunk, i8x16.splat(0x5c));
  return i8x16.bitmask(v128.or(odd, v128.or(quote, slash)));
}

/** Up to eight bytes before `end`. Reads up to 7 bytes past it, which the ring has. */
// @ts-ignore: decorator
@inline
export function wordAt(at: usize, end: usize): u64 {
  const word = load<u64>(at);
  return end - at >= 8 ? word : word & (~(<u64>0) >> (64 - (((end - at) as u64) << 3)));
}
