/** One line of JSON for any event, without a loss that is not visible: exact integers, bytes as base64. */
import { MillraceError } from '../api/errors.ts';

const DEPTH_MAX = 1_024;
const DEPTH_PLAIN_MAX = 32;

/** bigint as its digits, bytes as {"$base64":"…"}, Date as ISO text, Map as object; NaN and Infinity as null; the rest as JSON.stringify. */
export function toJsonLine(value: unknown): string {
  return isPlain(value, 0) ? JSON.stringify(value) : (lineOf(value, 0) ?? 'null');
}

/** JSON.stringify says it without a loss, and three times as fast. Most events are such. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null) return true;
  if (typeof value !== 'object' || depth >= DEPTH_PLAIN_MAX) return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (!isPlain(value[index], depth + 1)) return false;
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key], depth + 1)) return false; // oxlint-disable-line guard-for-in -- of a plain object, all are its own
  return true;
}

/** Undefined for what JSON.stringify leaves out. */
function lineOf(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? 'null' : objectLine(value, depth);
    case 'string':
    case 'number':
    case 'boolean':
      return JSON.stringify(value);
    default:
      return undefined;
  }
}

function objectLine(value: object, depth: number): string {
  if (depth >= DEPTH_MAX)
    throw new MillraceError('MILLRACE_EVENT_INVALID', `event: more than ${DEPTH_MAX} levels deep, or it contains itself`);
  if (ArrayBuffer.isView(value)) return `{"$base64":"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"}`;
  if (Array.isArray(value)) return `[${Array.from(value, (element) => lineOf(element, depth + 1) ?? 'null').join(',')}]`;
  if (value instanceof Map)
    return membersLine(
      [...value].map(([key, member]) => [String(key), member]),
      depth,
    );
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') return lineOf(toJSON.call(value, ''), depth + 1) ?? 'null'; // Dates too; an invalid one is null.
  if (value instanceof Set) return objectLine([...value], depth);
  return membersLine(Object.entries(value), depth);
}

function membersLine(members: readonly (readonly [string, unknown])[], depth: number): string {
  const parts: string[] = [];
  for (const [key, member] of members) {
    const line = lineOf(member, depth + 1);
    if (line !== undefined) parts.push(`${JSON.stringify(key)}:${line}`);
  }
  return `{${parts.join(',')}}`;
}
