/** Makes sure that a value has exact msgpack bytes: what would be lost, renamed or guessed at is refused with its place. */
import { MillraceError } from '../api/errors.ts';
import { DEPTH_MAX } from './msgpack-tokens.ts';

const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

/** Keys from the root to the value at hand; one per thread, for messages only. */
const trail: (string | number)[] = [];

/**
 * The value itself, or a copy of the parts that need another form: members that are undefined are left out, integers beyond 32 bits become bigint (they are written as
 * 64-bit integers, as the JSON transcoder does), small bigints become numbers, `toJSON` is called. Throws MILLRACE_EVENT_INVALID.
 */
export function packable(value: unknown): unknown {
  return packableAt(value, 0);
}

function packableAt(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return packableText(value, depth);
    case 'number':
      return Number.isSafeInteger(value) && (value > 0xffff_ffff || value < -0x8000_0000) ? BigInt(value) : value;
    case 'boolean':
      return value;
    case 'bigint':
      if (value < INT64_MIN || value > UINT64_MAX) throw refused(depth, `the integer ${value} is beyond 64 bits`);
      return value >= -0x8000_0000n && value <= 0xffff_ffffn ? Number(value) : value;
    case 'object':
      return value === null ? null : packableObject(value, depth);
    default:
      throw refused(depth, `${typeof value} has no msgpack form`);
  }
}

function packableText(text: string, depth: number): string {
  // One-byte strings answer at once. The type library knows the method only from ES2024 on.
  if (!(text as string & { isWellFormed(): boolean }).isWellFormed())
    throw refused(depth, 'the text has half of a surrogate pair, which UTF-8 cannot hold');
  return text;
}

function packableObject(value: object, depth: number): unknown {
  if (depth >= DEPTH_MAX) throw refused(depth, `it is more than ${DEPTH_MAX} levels deep, or contains itself`);
  if (Array.isArray(value)) return packableArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    if (value instanceof Uint8Array) return value;
    if (value instanceof Date) {
      if (Number.isNaN(value.getTime())) throw refused(depth, 'the date is invalid');
      return value;
    }
    if (value instanceof Map) return packableMap(value, depth);
  }
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') {
    const json: unknown = toJSON.call(value, '');
    if (json === value) throw refused(depth, 'its toJSON returns the same object');
    return packableAt(json, depth + 1);
  }
  const tag = Object.prototype.toString.call(value);
  if (tag !== '[object Object]') throw refused(depth, `${tag.slice(8, -1)} has no msgpack form`);
  return packableMembers(value as Record<string, unknown>, depth);
}

function packableArray(value: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | null = value.constructor === Array ? null : [...value];
  for (let index = 0; index < value.length; index++) {
    trail[depth] = index;
    const element = packableAt(value[index], depth + 1);
    if (copy === null && element !== value[index] && element === element) copy = [...value]; // oxlint-disable-line no-self-compare -- NaN is no change
    if (copy !== null) copy[index] = element;
  }
  return copy ?? value;
}

function packableMembers(value: Record<string, unknown>, depth: number): object {
  let copy: Record<string, unknown> | null = null;
  for (const key of Object.keys(value)) {
    packableKey(key, depth);
    const before = value[key];
    if (before === undefined) {
      copy ??= { ...value };
      delete copy[key]; // As JSON.stringify does: a member that is not there.
      continue;
    }
    const after = packableAt(before, depth + 1);
    if (copy === null && after !== before && after === after) copy = { ...value }; // oxlint-disable-line no-self-compare -- NaN is no change
    if (copy !== null) copy[key] = after;
  }
  return copy ?? value;
}

function packableMap(value: ReadonlyMap<unknown, unknown>, depth: number): Map<string, unknown> {
  const copy = new Map<string, unknown>();
  for (const [key, member] of value) {
    if (typeof key !== 'string') throw refused(depth, `a key of the Map is ${typeof key}; keys must be strings`);
    packableKey(key, depth);
    copy.set(key, packableAt(member, depth + 1));
  }
  return copy;
}

function packableKey(key: string, depth: number): void {
  trail[depth] = key;
  if (key === '__proto__') throw refused(depth + 1, 'no member may have this name');
  packableText(key, depth + 1);
}

function refused(depth: number, why: string): MillraceError {
  const path = trail.slice(0, depth).map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`);
  const place = path.join('');
  const shown = place.length > 200 ? `${place.slice(0, 200)}…` : place;
  return new MillraceError('MILLRACE_EVENT_INVALID', `event${shown === '' ? '' : ` at ${shown}`}: ${why}`);
}
