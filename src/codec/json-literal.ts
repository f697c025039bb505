/** `true`, `false` and `null`, letter by letter. */
import { full, unexpected, theCursor } from './json-cursor.ts';
import type { JsonCursor } from './json-cursor.ts';

/** A constant of this module is a constant to the compiler; an imported one is loaded each time. */
const cursor: JsonCursor = theCursor;

const TRUE: Uint8Array = Uint8Array.from([0x74, 0x72, 0x75, 0x65]);
const FALSE: Uint8Array = Uint8Array.from([0x66, 0x61, 0x6c, 0x73, 0x65]);
const NULL: Uint8Array = Uint8Array.from([0x6e, 0x75, 0x6c, 0x6c]);

/** `at` is the offset of any byte that begins no other value: most of them begin none at all. */
export function writeLiteral(at: number): number {
  const first = cursor.input[at];
  if (first === TRUE[0]) return writeWord(at, TRUE, 0xc3);
  if (first === FALSE[0]) return writeWord(at, FALSE, 0xc2);
  return writeWord(at, NULL, 0xc0);
}

function writeWord(at: number, word: Uint8Array, byte: number): number {
  const { input, end, out } = cursor;
  for (let index = 0; index < word.length; index += 1) {
    if (at + index >= end || input[at + index] !== word[index]) return unexpected(at + index);
  }
  if (out >= cursor.outEnd) return full();
  cursor.output[out] = byte;
  cursor.out = out + 1;
  return at + word.length;
}
