/** JSON numbers to the shortest msgpack integer or an exact double; digits that would need more care are left to others. */
import { setOut } from './string';

const DIGITS_MAX: i32 = 18; // Exact in 63 bits.
const EXPONENT_DIGITS_MAX: usize = 4; // A bound on reading past the run, where zeros may lie.
const POWER_10: StaticArray<f64> = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

// @ts-ignore: decorator
@inline
function digitAt(at: usize): u32 {
  return (load<u8>(at) as u32) - 0x30;
}

/** Returns the offset after the number, or 0. What follows is for the caller to judge. */
export function writeNumber(from: usize, out: usize): usize {
  let at = from;
  const negative = load<u8>(at) == 0x2d;
  if (negative) at += 1;
  const first = at;
  let value: u64 = 0;
  let digit = digitAt(at);
  while (digit <= 9) {
    value = value * 10 + (digit as u64);
    at += 1;
    digit = digitAt(at);
    if (at - first > <usize>DIGITS_MAX) return 0;
  }
  if (at == first || (at > first + 1 && load<u8>(first) == 0x30)) return 0;
  const next = load<u8>(at);
  if (next == 0x2e || (next | 0x20) == 0x65) return writeReal(at, out, negative, value, (at - first) as i32);
  if (negative && value == 0) {
    writeFloat(out, -0.0);
    return at;
  }
  writeInteger(out, negative, value);
  return at;
}

function writeInteger(out: usize, negative: bool, value: u64): void {
  if (!negative) {
    if (value < 0x80) {
      store<u8>(out, value as u8);
      setOut(out + 1);
    } else if (value < 0x100) {
      store<u8>(out, 0xcc);
      store<u8>(out, value as u8, 1);
      setOut(out + 2);
    } else if (value < 0x10000) {
      store<u8>(out, 0xcd);
      store<u16>(out, bswap<u16>(value as u16), 1);
      setOut(out + 3);
    } else if (value <= 0xffffffff) {
      store<u8>(out, 0xce);
      store<u32>(out, bswap<u32>(value as u32), 1);
      setOut(out + 5);
    } else writeWide(out, value as i64);
    return;
  }
  const minus = -(value as i64);
  if (minus >= -0x20) {
    store<u8>(out, minus as u8);
    setOut(out + 1);
  } else if (minus >= -0x80) {
    store<u8>(out, 0xd0);
    store<u8>(out, minus as u8, 1);
    setOut(out + 2);
  } else if (minus >= -0x8000) {
    store<u8>(out, 0xd1);
    store<u16>(out, bswap<u16>(minus as u16), 1);
    setOut(out + 3);
  } else if (minus >= -0x80000000) {
    store<u8>(out, 0xd2);
    store<u32>(out, bswap<u32>(minus as u32), 1);
    setOut(out + 5);
  } else writeWide(out, minus);
}

function writeWide(out: usize, value: i64): void {
  store<u8>(out, 0xd3);
  store<u64>(out, bswap<u64>(value as u64), 1);
  setOut(out + 9);
}

function writeFloat(out: usize, value: f64): void {
  store<u8>(out, 0xcb);
  store<u64>(out, bswap<u64>(reinterpret<u64>(value)), 1);
  setOut(out + 9);
}

/** Exact when mantissa and power of ten both are exact doubles: then one rounding is the right one (Clinger). */
function writeReal(from: usize, out: usize, negative: bool, head: u64, headDigits: i32): usize {
  let at = from;
  let mantissa = head;
  let digits = headDigits;
  let scale: i32 = 0;
  if (load<u8>(at) == 0x2e) {
    at += 1;
    let digit = digitAt(at);
    if (digit > 9) return 0;
    while (digit <= 9) {
      mantissa = mantissa * 10 + (digit as u64);
      digits += 1;
      scale -= 1;
      at += 1;
      if (digits > DIGITS_MAX) return 0;
      digit = digitAt(at);
    }
  }
  if ((load<u8>(at) | 0x20) == 0x65) {
    at += 1;
    const sign = load<u8>(at);
    if (sign == 0x2b || sign == 0x2d) at += 1;
    let digit = digitAt(at);
    if (digit > 9) return 0;
    let exponent: i32 = 0;
    const exponentEnd = at + EXPONENT_DIGITS_MAX;
    while (digit <= 9) {
      exponent = exponent * 10 + (digit as i32);
      at += 1;
      if (at > exponentEnd) return 0;
      digit = digitAt(at);
    }
    scale += sign == 0x2d ? -exponent : exponent;
  }
  if (mantissa > 9007199254740991 || scale < -22 || scale > 22) return 0;
  let value = mantissa as f64;
  value = scale < 0 ? value / unchecked(POWER_10[-scale]) : value * unchecked(POWER_10[scale]);
  writeValue(out, negative ? -value : value);
  return at;
}

/** A double as msgpackr writes it: an integer where one of 32 bits says the same. */
function writeValue(out: usize, value: f64): void {
  if (value == 0 && reinterpret<u64>(value) != 0) writeFloat(out, value);
  else if (value >= 0 && value <= 4294967295.0 && Math.trunc(value) == value) writeInteger(out, false, value as u64);
  else if (value < 0 && value >= -2147483648.0 && Math.trunc(value) == value) writeInteger(out, true, (-value) as u64);
  else writeFloat(out, value);
}
