/** Writes the head of a msgpack string or map in its smallest form; the caller has made sure of the room. */

/** Bytes of the head of a string of so many bytes. */
export function stringHeadBytes(length: number): number {
  if (length < 32) return 1;
  if (length < 0x100) return 2;
  return length < 0x1_0000 ? 3 : 5;
}

export function writeStringHead(output: Uint8Array, at: number, length: number): number {
  if (length < 32) {
    output[at] = 0xa0 | length;
    return at + 1;
  }
  if (length < 0x100) {
    output[at] = 0xd9;
    output[at + 1] = length;
    return at + 2;
  }
  const wide = length >= 0x1_0000;
  output[at] = wide ? 0xdb : 0xda;
  return writeBytes(output, at + 1, length, wide ? 4 : 2);
}

export function writeMapHead(output: Uint8Array, at: number, pairs: number): number {
  if (pairs < 16) {
    output[at] = 0x80 | pairs;
    return at + 1;
  }
  const wide = pairs >= 0x1_0000;
  output[at] = wide ? 0xdf : 0xde;
  return writeBytes(output, at + 1, pairs, wide ? 4 : 2);
}

function writeBytes(output: Uint8Array, at: number, value: number, count: number): number {
  for (let i = count - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) output[at + i] = rest & 0xff;
  return at + count;
}
