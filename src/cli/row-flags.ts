/** Makes a command's flags out of the option table, and reads back only those that somebody typed. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { OptionRow, Rows } from '../config/rows.ts';
import { flagName, valueWord } from '../config/rows.ts';

/** Adds a flag for each row. `shown` names the ones `--help` lists; null = all. */
export function addRows(
  command: Command,
  rows: Rows,
  { heading, shown }: { readonly heading: string; readonly shown: ReadonlySet<string> | null },
): void {
  for (const [name, row] of Object.entries(rows)) {
    for (const option of optionsOf(name, row)) {
      option.helpGroup(heading);
      if (shown !== null && !shown.has(name)) option.hideHelp();
      command.addOption(option);
    }
  }
}

/** Values of the flags that were typed, by option name, as text (switches: boolean). */
export function typedFlags(command: Command, rows: Rows): Record<string, unknown> {
  const typed: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(rows)) {
    for (const option of optionsOf(name, row)) {
      const attribute = option.attributeName();
      if (command.getOptionValueSource(attribute) !== 'cli') continue;
      const value: unknown = command.getOptionValue(attribute);
      // `--no-ack` is the switch noAck: commander tells it as ack = false.
      typed[name] = isNegativeName(row, name) ? value === false : value;
    }
  }
  return typed;
}

function optionsOf(name: string, row: OptionRow): readonly Option[] {
  const flag = flagName(name, row);
  const help = row.default === '' || row.default === false || row.default === true ? row.help : `${row.help} (default: ${row.default})`;
  if (row.unit !== 'boolean') return [new Option(`--${flag} <${valueWord(row)}>`, help)];
  if (row.default !== true) return [new Option(`--${flag}`, row.help)];
  return [new Option(`--${flag}`, `${row.help} (default)`).hideHelp(), new Option(`--no-${flag}`, `do not: ${row.help}`)];
}

function isNegativeName(row: OptionRow, name: string): boolean {
  return row.unit === 'boolean' && flagName(name, row).startsWith('no-');
}
