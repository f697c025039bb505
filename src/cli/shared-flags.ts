/** Flags of commands that name their own addresses: every option of `connect` is one, and help lists those that matter. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ConnectOptionName } from '../config/table.ts';
import { connectGroups } from '../config/table.ts';
import { addRows } from './row-flags.ts';

export function addShared(command: Command, shown: readonly ConnectOptionName[]): Command {
  for (const { rows } of connectGroups) addRows(command, rows, { heading: 'Options:', shown: new Set(shown) });
  return command
    .addOption(new Option('--config <FILE>', 'JSON file of options'))
    .addOption(new Option('--json', 'print the result as one JSON object'))
    .addOption(new Option('--verbose', 'print causes and stacks of errors'))
    .addHelpText('after', '\nEvery other option (connection, TLS, stream, memory, delivery) is a flag too: millrace config --help');
}
