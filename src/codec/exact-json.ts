/** JSON.parse that keeps integers beyond 2^53 exact (as bigint) and bounds the depth. */
import { MillraceError } from '../api/errors.ts';
import { DEPTH_MAX } from './msgpack-tokens.ts';

/** Integers with fewer digits are always exact. */
const DIGITS_MIN = 16;
const LONG_DIGITS = /\d{16}/;
/** A number, from where the search is told to begin. */
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** In the second pass strings that begin with this and `i` stand for integers, with this and `s` for strings that began with it before. */
const MARK = '\ue000';
const DIGITS_MAX = 1_000;
/** 2^53: a number holds it exactly, but not only it. */
const EDGE = /^-?9007199254740992$/;
const QUOTE = 0x22;
const MINUS = 0x2d;

/** Throws SyntaxError as JSON.parse does, and MILLRACE_DECODE for what is JSON but not for us. */
export function parseExactJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (text.length > DEPTH_MAX && deepest(text) > DEPTH_MAX)
    throw new MillraceError('MILLRACE_DECODE', `JSON: more than ${DEPTH_MAX} levels deep`);
  return LONG_DIGITS.test(text) ? withBigints(text, value) : value;
}

/** The text is valid JSON, so only strings must be known from the rest. */
function deepest(text: string): number {
  let depth = 0;
  let most = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at);
    else if (code === 0x7b || code === 0x5b) most = Math.max(most, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return most;
}

function stringEnd(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === QUOTE) return at;
  }
}

/** Second pass, for the few texts that have such integers: they travel as marked strings. */
function withBigints(text: string, value: unknown): unknown {
  const parts: string[] = [];
  let found = false;
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      if (text[at + 1] === MARK || /^\\u[eE]000$/.test(text.slice(at + 1, at + 7))) {
        parts.push(text.slice(copied, at + 1), MARK, 's');
        copied = at + 1;
      }
      at = stringEnd(text, at);
    } else if (code === MINUS || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = at;
      const number = NUMBER.exec(text)![0];
      if (isLong(number)) {
        parts.push(text.slice(copied, at), `"${MARK}i${number}"`);
        copied = at + number.length;
        found = true;
      }
      at += number.length - 1;
    }
  }
  if (!found) return value;
  parts.push(text.slice(copied));
  return restored(JSON.parse(parts.join('')));
}

function isLong(number: string): boolean {
  if (number.length < DIGITS_MIN || /[.eE]/.test(number) || Number.isSafeInteger(Number(number)) || EDGE.test(number)) return false;
  if (number.length > DIGITS_MAX) throw new MillraceError('MILLRACE_DECODE', `JSON: an integer of ${number.length} digits`);
  return true;
}

/** Undoes the marks; keys were marked like any string. Not a reviver: that one would lose a member named __proto__. */
function restored(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith(MARK) ? (value[1] === 'i' ? BigInt(value.slice(2)) : value.slice(2)) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(restored);
  const entries = Object.entries(value).map(([key, member]) => [key.startsWith(MARK) ? key.slice(2) : key, restored(member)] as const);
  return Object.fromEntries(entries); // Defines members, so __proto__ stays a plain one.
}
