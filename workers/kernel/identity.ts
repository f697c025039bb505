/** The text of an event's id: a string where it lies, an integer in decimal, or the hash of the event in hex. The rest is left to the other stages. */
import { bodyHash } from './body-hash';
import { NONE } from './scan';
import { fingerprint } from './siphash';
import { STATE } from './state';

const INTEGER_BYTES_MAX: usize = 20;
const HASH_BYTES: usize = 16;
const ID_NONE: u32 = 0;
const ID_HASH: u32 = 2;

/** Where the text lies. */
let textStart: usize = 0;
let textEnd: usize = 0;

/** Copies the picked ranges into the row; makes the id's text and hashes id and body where that is asked for. */
export function identify(S: usize, row: usize, picks: i32): void {
  for (let pick: i32 = 0; pick < picks; pick += 1) {
    store<u64>(row + (<usize>pick << 3), load<u64>(S + STATE.PICK_RANGES + (<usize>pick << 3)), STATE.ROW_PICKS);
  }
  store<u32>(row, 0, 20);
  const rule = load<u32>(S, STATE.ID_RULE);
  if (rule == ID_NONE) return;
  const found = rule == ID_HASH ? hashId(S, row) : fieldId(S);
  if (!found) return; // The other stages find it, or say what is wrong.
  store<u32>(row, textStart as u32, 20);
  store<u32>(row, textEnd as u32, 24);
  if (load<u32>(S, STATE.WINDOWED) == 0) return;
  fingerprint(S + STATE.KEY, textStart, textEnd, row + 32);
  store<u32>(row, bodyHash(load<u32>(row, 12), load<u32>(row, 16)), 28);
}

/** Of the first pick. */
function fieldId(S: usize): bool {
  const start: usize = load<u32>(S, STATE.PICK_RANGES);
  const end: usize = load<u32>(S, STATE.PICK_RANGES + 4);
  if (start == NONE) return false;
  const head = load<u8>(start);
  if ((head & 0xe0) == 0xa0 || head == 0xd9) {
    textStart = start + (head == 0xd9 ? 2 : 1);
    textEnd = end;
    return end > textStart;
  }
  if (head < 0x80) return integer(S, head as u64, false);
  if (head >= 0xe0) return integer(S, (0x100 - (head as u32)) as u64, true);
  if (head == 0xcc) return integer(S, load<u8>(start, 1) as u64, false);
  if (head == 0xcd) return integer(S, bswap<u16>(load<u16>(start, 1)) as u64, false);
  if (head == 0xce) return integer(S, bswap<u32>(load<u32>(start, 1)) as u64, false);
  if (head < 0xd0 || head > 0xd3) return false;
  let value: i64 = 0;
  if (head == 0xd0) value = load<i8>(start, 1) as i64;
  else if (head == 0xd1) value = bswap<u16>(load<u16>(start, 1)) as i16 as i64;
  else if (head == 0xd2) value = bswap<u32>(load<u32>(start, 1)) as i32 as i64;
  else value = bswap<u64>(load<u64>(start, 1)) as i64;
  return integer(S, value < 0 ? (0 - (value as u64)) : (value as u64), value < 0);
}

function integer(S: usize, value: u64, negative: bool): bool {
  const at: usize = load<u32>(S, STATE.TEXT);
  if (at + INTEGER_BYTES_MAX > <usize>load<u32>(S, STATE.TEXT_END)) return false;
  let end = at + (negative ? 2 : 1);
  for (let rest = value; rest >= 10; rest /= 10) end += 1;
  if (negative) store<u8>(at, 0x2d);
  let rest = value;
  let to = end;
  do {
    to -= 1;
    store<u8>(to, (0x30 + rest % 10) as u8);
    rest /= 10;
  } while (rest > 0);
  return take(S, at, end);
}

/** Lower-case hex of the unkeyed hash of the whole event. */
function hashId(S: usize, row: usize): bool {
  const at: usize = load<u32>(S, STATE.TEXT);
  if (at + 2 * HASH_BYTES > <usize>load<u32>(S, STATE.TEXT_END)) return false;
  const print = S + STATE.PRINT;
  fingerprint(S + STATE.NO_KEY, load<u32>(row, 12), load<u32>(row, 16), print);
  const bytes = v128.load(print);
  const high = i8x16.shr_u(bytes, 4);
  const low = v128.and(bytes, i8x16.splat(15));
  v128.store(at, digits(i8x16.shuffle(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)));
  v128.store(at, digits(i8x16.shuffle(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)), 16);
  return take(S, at, at + 2 * HASH_BYTES);
}

// @ts-ignore: decorator
@inline
function digits(nibbles: v128): v128 {
  return i8x16.swizzle(i8x16(0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66), nibbles);
}

function take(S: usize, start: usize, end: usize): bool {
  textStart = start;
  textEnd = end;
  store<u32>(S, end as u32, STATE.TEXT);
  return true;
}
