/** JSON strings to msgpack strings: sixteen bytes at a time while they are plain ASCII; escapes and UTF-8 one by one, checked. */
import { specials } from './scan';

/** End of the output after the last value written. */
export let resultOut: usize = 0;

export function setOut(out: usize): void {
  resultOut = out;
}

/** `from` is after the quote. Returns the offset after the closing quote, or 0. */
export function writeString(from: usize, out: usize, inEnd: usize): usize {
  const first = v128.load(from);
  let mask = specials(first);
  if (mask != 0) {
    const length = ctz(mask) as usize;
    if (load<u8>(from + length) != 0x22) return writeOdd(from, out, inEnd);
    store<u8>(out, 0xa0 | (length as u8));
    v128.store(out + 1, first);
    resultOut = out + 1 + length;
    return from + length + 1;
  }
  const second = v128.load(from, 16);
  mask = specials(second);
  if (mask != 0) {
    const length: usize = 16 + (ctz(mask) as usize);
    if (load<u8>(from + length) != 0x22) return writeOdd(from, out, inEnd);
    store<u8>(out, 0xa0 | (length as u8));
    v128.store(out + 1, first);
    v128.store(out + 1, second, 16);
    resultOut = out + 1 + length;
    return from + length + 1;
  }
  return writeLong(from, out, inEnd);
}

/** 32 bytes or more: the length comes first, then one copy. */
function writeLong(from: usize, out: usize, inEnd: usize): usize {
  let at = from + 32;
  let mask: i32 = 0;
  while (at < inEnd) {
    mask = specials(v128.load(at));
    if (mask != 0) break;
    at += 16;
  }
  if (mask == 0) return 0;
  at += ctz(mask) as usize;
  if (at >= inEnd) return 0;
  if (load<u8>(at) != 0x22) return writeOdd(from, out, inEnd);
  const length = at - from;
  const text = head(out, length);
  memory.copy(text, from, length);
  resultOut = text + length;
  return at + 1;
}

/** Of 32 bytes or more. */
function head(out: usize, length: usize): usize {
  if (length < 256) {
    store<u8>(out, 0xd9);
    store<u8>(out, length as u8, 1);
    return out + 2;
  }
  if (length < 65536) {
    store<u8>(out, 0xda);
    store<u8>(out, (length >> 8) as u8, 1);
    store<u8>(out, length as u8, 2);
    return out + 3;
  }
  store<u8>(out, 0xdb);
  store<u32>(out, bswap<u32>(length as u32), 1);
  return out + 5;
}

/** With escapes or beyond ASCII: written behind the longest head, then moved to where its own head ends. */
function writeOdd(from: usize, out: usize, inEnd: usize): usize {
  const text = out + 5;
  let at = from;
  let to = text;
  while (at < inEnd) {
    const chunk = v128.load(at);
    const mask = specials(chunk);
    v128.store(to, chunk);
    if (mask == 0) {
      at += 16;
      to += 16;
      continue;
    }
    const plain = ctz(mask) as usize;
    at += plain;
    to += plain;
    const byte = load<u8>(at);
    if (byte == 0x22) {
      const length = to - text;
      let start = out + 1;
      if (length < 32) store<u8>(out, 0xa0 | (length as u8));
      else start = head(out, length);
      if (start != text) memory.copy(start, text, length);
      resultOut = start + length;
      return at >= inEnd ? 0 : at + 1;
    }
    if (byte == 0x5c) at = escape(at, to);
    else if (byte >= 0x80) at = multibyte(at, to);
    else return 0; // A control character.
    if (at == 0) return 0;
    to = resultOut;
  }
  return 0;
}

/** Copies one UTF-8 sequence of two to four bytes, if it is well-formed (RFC 3629). */
function multibyte(at: usize, to: usize): usize {
  const lead = load<u8>(at);
  const second = load<u8>(at, 1);
  if (lead < 0xc2 || lead > 0xf4 || (second & 0xc0) != 0x80) return 0;
  let length: usize = 2;
  if (lead >= 0xe0) {
    if ((load<u8>(at, 2) & 0xc0) != 0x80) return 0;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
    length = 3;
    if (lead >= 0xf0) {
      if ((load<u8>(at, 3) & 0xc0) != 0x80) return 0;
      if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
      length = 4;
    }
  }
  store<u32>(to, load<u32>(at));
  resultOut = to + length;
  return at + length;
}

function escape(at: usize, to: usize): usize {
  const kind = load<u8>(at, 1);
  if (kind == 0x75) return unicode(at + 2, to);
  let byte: u8 = 0;
  if (kind == 0x22 || kind == 0x5c || kind == 0x2f) byte = kind;
  else if (kind == 0x6e) byte = 10;
  else if (kind == 0x72) byte = 13;
  else if (kind == 0x74) byte = 9;
  else if (kind == 0x62) byte = 8;
  else if (kind == 0x66) byte = 12;
  else return 0;
  store<u8>(to, byte);
  resultOut = to + 1;
  return at + 2;
}

/** `at` is after `\u`. Half a pair is left to the stages that can say why. */
function unicode(at: usize, to: usize): usize {
  let code = hex4(at);
  let next = at + 4;
  if (code < 0) return 0;
  if (code >= 0xd800 && code < 0xe000) {
    if (code >= 0xdc00 || load<u16>(next) != 0x755c) return 0; // `\u`
    const low = hex4(next + 2);
    if (low < 0xdc00 || low >= 0xe000) return 0;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    next += 6;
  }
  if (code < 0x80) {
    store<u8>(to, code as u8);
    resultOut = to + 1;
  } else if (code < 0x800) {
    store<u8>(to, (0xc0 | (code >> 6)) as u8);
    store<u8>(to, (0x80 | (code & 63)) as u8, 1);
    resultOut = to + 2;
  } else if (code < 0x10000) {
    store<u8>(to, (0xe0 | (code >> 12)) as u8);
    store<u8>(to, (0x80 | ((code >> 6) & 63)) as u8, 1);
    store<u8>(to, (0x80 | (code & 63)) as u8, 2);
    resultOut = to + 3;
  } else {
    store<u8>(to, (0xf0 | (code >> 18)) as u8);
    store<u8>(to, (0x80 | ((code >> 12) & 63)) as u8, 1);
    store<u8>(to, (0x80 | ((code >> 6) & 63)) as u8, 2);
    store<u8>(to, (0x80 | (code & 63)) as u8, 3);
    resultOut = to + 4;
  }
  return next;
}

function hex4(at: usize): i32 {
  let value: i32 = 0;
  for (let index: usize = 0; index < 4; index += 1) {
    const byte = load<u8>(at + index) as i32;
    const lower = byte | 0x20;
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
    if (digit < 0) return -1;
    value = (value << 4) | digit;
  }
  return value;
}
