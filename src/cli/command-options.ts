/** What the commands that reach a broker have in common: target, config file, every option of the table, `--json` and `--verbose`. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ConfigFile } from '../config/file.ts';
import { readConfigFile } from '../config/file.ts';
import type { Resolution } from '../config/resolve.ts';
import { resolveOptions } from '../config/resolve.ts';
import type { CallName, ConnectOptions } from '../config/table.ts';
import { callRows, connectGroups, connectRows } from '../config/table.ts';
import { stderrLogger } from './log.ts';
import { note, paint } from './output.ts';
import { addRows, typedFlags } from './row-flags.ts';

export interface CommandLine {
  readonly resolution: Resolution;
  readonly target: string;
  /** Only what was typed: the rest is found again by `connect`, from the same environment and file. */
  readonly connectOptions: ConnectOptions;
  readonly json: boolean;
}

/** Options of `connect` that the help of a command lists; the others are flags as well, listed by `millrace config --help`. */
const shownConnect: Readonly<Record<CallName, ReadonlySet<string>>> = {
  ingest: new Set(['id', 'framing', 'workers', 'deadLetters', 'ordering', 'onFull', 'dedupeWindow']),
  consume: new Set(['workers']),
};

/** Adds them. `call` decides which options come first and what the target flag is called. */
export function addCommon(
  command: Command,
  { address, call }: { readonly address: 'to' | 'from'; readonly call: CallName | null },
): Command {
  command.addOption(
    new Option(`--${address} <URL>`, `${address === 'to' ? 'broker to write to' : 'broker to read from'} (default: embedded:.millrace)`),
  );
  if (call !== null) addRows(command, callRows[call], { heading: 'Options:', shown: null });
  for (const { title, rows } of connectGroups)
    addRows(command, rows, { heading: call === null ? `${title}:` : 'Options:', shown: call === null ? null : shownConnect[call] });
  command.addOption(new Option('--config <FILE>', 'JSON file of options'));
  command.addOption(new Option('--json', 'print the result as one JSON object'));
  command.addOption(new Option('--verbose', 'print causes and stacks of errors'));
  if (call !== null)
    command.addHelpText('after', '\nEvery other option (connection, TLS, stream, memory, delivery) is a flag too: millrace config --help');
  return command;
}

/** Resolves what was typed with environment and file; throws one error that lists every fault. */
export function readCommandLine(
  command: Command,
  { address, call }: { readonly address: 'to' | 'from'; readonly call: CallName | null },
): CommandLine {
  const connectFlags = typedFlags(command, connectRows);
  const callFlags = call === null ? {} : typedFlags(command, callRows[call]);
  const config = configPath(command);
  const file: ConfigFile | null = config === '' ? null : readConfigFile(config);
  const resolution = resolveOptions({
    target: textOption(command, address),
    options: { ...connectFlags, ...callFlags },
    source: 'flag',
    env: process.env,
    file,
    address,
    ...(call === null ? {} : { call }),
  });
  for (const warning of resolution.warnings) note(`${paint('millrace: warning:', 'yellow')} ${warning}`);
  const connectOptions: ConnectOptions = {
    ...connectFlags,
    ...(config === '' ? {} : { config }),
    logger: stderrLogger(process.env['LOG_LEVEL']),
  };
  return { resolution, target: resolution.target, connectOptions, json: command.getOptionValue('json') === true };
}

export function textOption(command: Command, name: string): string | undefined {
  const value: unknown = command.getOptionValue(name);
  return typeof value === 'string' ? value : undefined;
}

function configPath(command: Command): string {
  return textOption(command, 'config') ?? process.env['MILLRACE_CONFIG'] ?? '';
}
