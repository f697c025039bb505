/** Turns what somebody wrote for an option into its base unit, or says what was expected instead. */
import { nearestName } from './nearest.ts';
import type { Check, OptionRow } from './rows.ts';
import { parseBoolean, parseCount, parseList, parseRate, parseSize, parseTime, printSize, printTime } from './units.ts';

export type OptionValue = string | number | boolean | readonly string[];

export type Parsed = { readonly value: OptionValue } | { readonly expected: string; readonly nearest: string | null };

/** The value of `raw` for this option. Text from a flag or the environment and typed values of the library are both taken. */
export function parseValue(row: OptionRow, raw: unknown): Parsed {
  const refused: Parsed = { expected: expectedOf(row), nearest: nearestChoice(row, raw) };
  switch (row.unit) {
    case 'size':
      return inRange(row, parseSize(raw)) ?? refused;
    case 'time':
      return inRange(row, parseTime(raw)) ?? refused;
    case 'count':
      return inRange(row, parseCount(raw)) ?? refused;
    case 'rate':
      return inRange(row, parseRate(raw)) ?? refused;
    case 'boolean': {
      const value = parseBoolean(raw);
      return value === null ? refused : { value };
    }
    case 'choice':
      return typeof raw === 'string' && (row.choices ?? []).includes(raw) ? { value: raw } : refused;
    case 'list': {
      const value = parseList(raw);
      return value === null ? refused : { value };
    }
    case 'text':
      return typeof raw === 'string' && passes(row.check, raw) ? { value: raw } : refused;
  }
}

/** What this option takes, in words, with its limits. */
export function expectedOf(row: OptionRow): string {
  switch (row.unit) {
    case 'size':
      return `a size such as 64KiB or 16MiB${limits(row, printSize)}${row.check === 'kib' ? ', a multiple of 1KiB' : ''}`;
    case 'time':
      return `a time such as 5ms, 30s or 2m${limits(row, printTime)}`;
    case 'count':
      return `a whole number${limits(row, String)}`;
    case 'rate':
      return `a rate such as 5000/s${limits(row, String)}`;
    case 'boolean':
      return 'true or false';
    case 'choice':
      return `one of ${(row.choices ?? []).join(', ')}`;
    case 'list':
      return 'a list of texts, apart by commas';
    case 'text':
      return row.check === undefined ? 'a text' : checks[row.check].expected;
  }
}

/** A value as people write it, for `millrace config` and the docs. */
export function printValue(row: OptionRow, value: OptionValue): string {
  if (row.unit === 'size' && typeof value === 'number') return printSize(value);
  if (row.unit === 'time' && typeof value === 'number') return printTime(value);
  return Array.isArray(value) ? value.join(',') : String(value);
}

function inRange(row: OptionRow, value: number | null): Parsed | null {
  if (value === null || value < (row.min ?? 0) || value > (row.max ?? Number.MAX_SAFE_INTEGER)) return null;
  return row.check === 'kib' && value % 1_024 !== 0 ? null : { value };
}

function limits(row: OptionRow, print: (value: number) => string): string {
  const { min = 0, max } = row;
  if (max !== undefined) return ` from ${print(min)} to ${print(max)}`;
  return min === 0 ? '' : ` of at least ${print(min)}`;
}

function nearestChoice(row: OptionRow, raw: unknown): string | null {
  if (typeof raw !== 'string') return null;
  const words =
    row.choices ?? (row.check === 'id' ? ['hash', 'offset', 'time', 'none'] : row.check === 'start' ? ['new', 'all', 'last'] : []);
  return nearestName(raw, words);
}

const POINTER = /^(\/([^~/]|~[01])*)+$/;

const checks: Readonly<Record<Check, { readonly expected: string; readonly passes: (text: string) => boolean }>> = {
  id: {
    expected: 'a JSON pointer such as /id, or hash, offset, time or none',
    passes: (text) => POINTER.test(text) || ['hash', 'offset', 'time', 'none'].includes(text),
  },
  start: { expected: 'new, all, last, seq:N, time:ISO such as time:2026-01-31T12:00:00Z, or ago:TIME such as ago:5m', passes: isStart },
  pointer: { expected: 'a JSON pointer such as /user/id', passes: (text) => POINTER.test(text) },
  stream: {
    expected: 'a name of letters, digits, - and _ (Kafka: also .), at most 249',
    passes: (text) => /^[^\s.*>/\\\p{Cc}]{1,249}$/u.test(text) || /^[A-Za-z0-9._-]{1,249}$/.test(text),
  },
  kib: { expected: '', passes: () => true },
};

function passes(check: Check | undefined, text: string): boolean {
  return check === undefined || checks[check].passes(text);
}

function isStart(text: string): boolean {
  if (['new', 'all', 'last'].includes(text)) return true;
  const colon = text.indexOf(':');
  const rest = text.slice(colon + 1);
  switch (text.slice(0, Math.max(colon, 0))) {
    case 'seq':
      return (parseCount(rest) ?? 0) >= 1;
    case 'time':
      return /^\d{4}-\d{2}-\d{2}/.test(rest) && !Number.isNaN(Date.parse(rest));
    case 'ago':
      return parseTime(rest) !== null;
    default:
      return false;
  }
}
