/** The shape of one row of the option table, and the names that are derived from a row's own name. */
import type { ProcessorKind } from '../api/capabilities.ts';

export type Unit = 'size' | 'time' | 'count' | 'rate' | 'text' | 'choice' | 'list' | 'boolean';

/** Rules beyond the unit; `parse.ts` has one function for each. */
export type Check = 'id' | 'start' | 'pointer' | 'stream' | 'kib';

export interface OptionRow {
  readonly unit: Unit;
  /** As a user would write it; '' = none. */
  readonly default: string | number | boolean;
  /** One sentence without a full stop at its end. */
  readonly help: string;
  /** Absent = every kind. */
  readonly kinds?: readonly ProcessorKind[];
  /** Limits in the base unit (bytes, milliseconds, number). */
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  readonly check?: Check;
  /** Never printed; `<ENV>_FILE` names a file to read it from. */
  readonly secret?: boolean;
  /** Other names of the same option, as option, query parameter, env and file key. */
  readonly aliases?: readonly string[];
  /** Flag without dashes, where it is not the option's name in kebab-case. */
  readonly flag?: string;
  /** What the flag takes, where the unit's own word says too little. */
  readonly value?: string;
  /** The default is computed at start; `default` describes it. */
  readonly computed?: boolean;
}

export type Rows = Readonly<Record<string, OptionRow>>;

/** The type of an option in the library. */
export type OptionInput<Row> = Row extends { readonly check: 'id' }
  ? `/${string}` | 'hash' | 'offset' | 'time' | 'none'
  : Row extends { readonly unit: 'choice'; readonly choices: readonly (infer Choice)[] }
    ? Choice
    : Row extends { readonly unit: 'size' | 'time' | 'rate' }
      ? number | string
      : Row extends { readonly unit: 'count' }
        ? number
        : Row extends { readonly unit: 'boolean' }
          ? boolean
          : Row extends { readonly unit: 'list' }
            ? string | readonly string[]
            : string;

/** `slabBytes` → `MILLRACE_SLAB_BYTES`. */
export function envName(name: string): string {
  return `MILLRACE_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** `slabBytes` → `slab-bytes`. */
export function flagName(name: string, row: OptionRow): string {
  return row.flag ?? name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** What a flag of this row takes, as help and docs print it; '' for a switch. */
export function valueWord(row: OptionRow): string {
  if (row.value !== undefined) return row.value;
  switch (row.unit) {
    case 'size':
      return 'SIZE';
    case 'time':
      return 'TIME';
    case 'count':
      return 'N';
    case 'rate':
      return 'N/s';
    case 'choice':
      return (row.choices ?? []).join('|');
    case 'list':
      return 'LIST';
    case 'text':
      return 'TEXT';
    case 'boolean':
      return '';
  }
}
