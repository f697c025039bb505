/** `true`, `false` and `null`: the offset after the word, or 0. What follows is for the caller to judge. */
import { setOut } from './string';

export function writeLiteral(at: usize, out: usize): usize {
  const word = load<u32>(at);
  setOut(out + 1);
  if (word == 0x65757274) { // true
    store<u8>(out, 0xc3);
    return at + 4;
  }
  if (word == 0x736c6166 && load<u8>(at, 4) == 0x65) { // false
    store<u8>(out, 0xc2);
    return at + 5;
  }
  if (word != 0x6c6c756e) return 0; // null
  store<u8>(out, 0xc0);
  return at + 4;
}
