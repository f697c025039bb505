/** Sizes, times, counts and rates as people write them: each parser gives the base unit, or null for text it does not fully understand. */

const KIB = 1_024;
const sizeUnits: Readonly<Record<string, number>> = {
  b: 1,
  kib: KIB,
  mib: KIB ** 2,
  gib: KIB ** 3,
  tib: KIB ** 4,
  k: KIB,
  m: KIB ** 2,
  g: KIB ** 3,
  t: KIB ** 4,
  kb: 1_000,
  mb: 1_000 ** 2,
  gb: 1_000 ** 3,
  tb: 1_000 ** 4,
};

const timeUnits: Readonly<Record<string, number>> = {
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const NUMBER_AND_UNIT = /^(\d+(?:\.\d+)?)\s*([a-zµ]*)$/i;
const DECIMAL_INTEGER = /^\d+$/;

/** Bytes: a number, `4096`, `64KiB`, `1.5MiB`, `10MB`. One letter (`64k`) counts by 1,024. */
export function parseSize(raw: unknown): number | null {
  const bytes = withUnit(raw, sizeUnits, 'b');
  return bytes === null || !Number.isInteger(bytes) ? null : bytes;
}

/** Milliseconds: a number, `250`, `5ms`, `1.5s`, `2m`, `1h`, `7d`, and sums such as `1m30s`. */
export function parseTime(raw: unknown): number | null {
  if (typeof raw !== 'string') return withUnit(raw, timeUnits, 'ms');
  const parts = raw.trim().match(/\d+(?:\.\d+)?[a-zµ]+/gi);
  if (parts === null || parts.length < 2) return withUnit(raw, timeUnits, 'ms');
  if (parts.join('') !== raw.trim()) return null;
  let sum = 0;
  for (const part of parts) {
    const milliseconds = withUnit(part, timeUnits, 'ms');
    if (milliseconds === null) return null;
    sum += milliseconds;
  }
  return sum;
}

/** A whole number: `1000000`, and `1_000_000` or `1,000,000`, which people paste. */
export function parseCount(raw: unknown): number | null {
  if (typeof raw === 'number') return Number.isSafeInteger(raw) && raw >= 0 ? raw : null;
  if (typeof raw !== 'string') return null;
  const text = /^\d{1,3}([_,]\d{3})+$/.test(raw.trim()) ? raw.trim().replaceAll(/[_,]/g, '') : raw.trim();
  if (!DECIMAL_INTEGER.test(text)) return null;
  const count = Number(text);
  return Number.isSafeInteger(count) ? count : null;
}

/** Events per second: a number, `5000`, `5000/s`. */
export function parseRate(raw: unknown): number | null {
  return parseCount(typeof raw === 'string' ? raw.trim().replace(/\s*\/s(ec(ond)?)?$/i, '') : raw);
}

/** A share from 0 to 1: a number, `0.02`, `2%`. */
export function parseShare(raw: unknown): number | null {
  if (typeof raw === 'number') return raw >= 0 && raw <= 1 ? raw : null;
  if (typeof raw !== 'string') return null;
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(raw.trim());
  if (match === null) return null;
  const share = match[2] === '%' ? Number(match[1]) / 100 : Number(match[1]);
  return share >= 0 && share <= 1 ? share : null;
}

const truths: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

export function parseBoolean(raw: unknown): boolean | null {
  if (typeof raw === 'boolean') return raw;
  return typeof raw === 'string' ? (truths[raw.trim().toLowerCase()] ?? null) : null;
}

/** Texts apart by commas, or an array of texts; empty ones are left out. */
export function parseList(raw: unknown): readonly string[] | null {
  const parts: readonly unknown[] | null = typeof raw === 'string' ? raw.split(',') : Array.isArray(raw) ? raw : null;
  if (parts === null) return null;
  const texts: string[] = [];
  for (const part of parts) {
    if (typeof part !== 'string') return null;
    if (part.trim() !== '') texts.push(part.trim());
  }
  return texts;
}

/** `256KiB`, `1.5MiB`, `1000B`: the largest unit of which there is at least one, with at most one decimal. */
export function printSize(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB'] as const) {
    const of = bytes / sizeUnits[unit.toLowerCase()]!;
    if (of >= 1) return `${Number.isInteger(of) ? of : of.toFixed(1)}${unit}`;
  }
  return bytes === 0 ? '0' : `${bytes}B`;
}

/** `5ms`, `2m`, `1.5s`: the largest unit that says it exactly, and seconds with at most one decimal. */
export function printTime(milliseconds: number): string {
  if (milliseconds === 0) return '0';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const of = milliseconds / timeUnits[unit]!;
    if (of >= 1 && Number.isInteger(of)) return `${of}${unit}`;
    if (of >= 1 && unit === 's') return `${Number(of.toFixed(1))}s`;
  }
  return `${Number(milliseconds.toFixed(3))}ms`;
}

function withUnit(raw: unknown, units: Readonly<Record<string, number>>, base: string): number | null {
  if (typeof raw === 'number') return Number.isFinite(raw) && raw >= 0 ? raw : null;
  if (typeof raw !== 'string') return null;
  const match = NUMBER_AND_UNIT.exec(raw.trim());
  if (match === null) return null;
  const unit = match[2]! === '' ? base : match[2]!.toLowerCase();
  const factor = Object.hasOwn(units, unit) ? units[unit]! : null;
  return factor === null ? null : Number(match[1]) * factor;
}
