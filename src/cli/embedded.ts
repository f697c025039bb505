/** `millrace embedded`: looks at a store, copies it and gives its free room back; a store is never made or harmed by it. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { StoreInfo } from '../index.ts';
import { MillraceError } from '../api/errors.ts';
import { DEFAULT_TARGET } from '../config/target.ts';
import { exitCodes } from './exit-codes.ts';
import { paint, printLine } from './output.ts';
import { columns, count, megabytes } from './text.ts';

const EXAMPLES = `Examples:
  millrace embedded info .millrace
  millrace embedded backup .millrace --to /backups/millrace-monday
  millrace embedded compact embedded:/var/lib/events --json
`;

export function addEmbedded(program: Command, done: (code: number) => void): void {
  const embedded = program
    .command('embedded')
    .summary('info, backup and compact of an embedded store')
    .description('Looks after the folder of an embedded store.')
    .addHelpText('before', EXAMPLES);
  const info = embedded
    .command('info')
    .description('messages, times, bytes and durable subscriptions of a store; others may be at work on it')
    .addHelpText('before', exampleOf(0));
  addPath(info).action(async (path: string) => done(await printInfo(path, info)));
  const backup = embedded
    .command('backup')
    .description('copies a store to a new folder, without the room that is free in it; others may be at work on it')
    .addHelpText('before', exampleOf(1));
  addPath(backup)
    .addOption(new Option('--to <FOLDER>', 'folder of the copy, missing or empty').makeOptionMandatory())
    .action(async (path: string) => done(await backUp(path, backup)));
  const compact = embedded
    .command('compact')
    .description('gives the room of removed messages back to the disk; nobody else may have the store open')
    .addHelpText('before', exampleOf(2));
  addPath(compact).action(async (path: string) => done(await compactIt(path, compact)));
}

function exampleOf(index: number): string {
  const [title, ...lines] = EXAMPLES.split('\n');
  return `${title}\n${lines[index]}\n`;
}

function addPath(command: Command): Command {
  return command
    .argument('[path]', 'folder of the store, or embedded:PATH', DEFAULT_TARGET)
    .addOption(new Option('--json', 'print the result as one JSON object'))
    .addOption(new Option('--verbose', 'print causes and stacks of errors'));
}

async function printInfo(path: string, command: Command): Promise<number> {
  const { storeInfo } = await import('../index.ts');
  const info = await storeInfo(path);
  await printLine(isJson(command) ? JSON.stringify(info) : infoText(info));
  return exitCodes.ok;
}

async function backUp(path: string, command: Command): Promise<number> {
  const { backupStore } = await import('../index.ts');
  const to = String(command.getOptionValue('to'));
  if (to === '') throw new MillraceError('MILLRACE_USAGE', '--to is empty; name the folder of the copy');
  const bytes = await backupStore(path, to);
  await printLine(isJson(command) ? JSON.stringify({ to, bytes }) : `${megabytes(bytes)} copied to ${to}`);
  return exitCodes.ok;
}

async function compactIt(path: string, command: Command): Promise<number> {
  const { compactStore } = await import('../index.ts');
  const { bytesBefore, bytesAfter } = await compactStore(path);
  await printLine(
    isJson(command)
      ? JSON.stringify({ bytesBefore, bytesAfter })
      : `${megabytes(bytesBefore)} before, ${megabytes(bytesAfter)} after compaction`,
  );
  return exitCodes.ok;
}

function isJson(command: Command): boolean {
  return command.getOptionValue('json') === true;
}

function infoText({ path, format, durables, ...info }: StoreInfo): string {
  const { messages, firstSequence, lastSequence, firstTime, lastTime, bytes, fileBytes } = info;
  const rows = [
    ['store', `${path} (format ${format})`],
    [
      'messages',
      messages === 0 ? `none, last sequence ${lastSequence}` : `${count(messages)}, sequence ${firstSequence} to ${lastSequence}`,
    ],
    ...(firstTime === null || lastTime === null ? [] : [['stored', `${firstTime.toISOString()} to ${lastTime.toISOString()}`]]),
    ['bytes', `${megabytes(bytes)} in messages, ${megabytes(fileBytes)} on disk`],
  ];
  if (durables.length === 0) return columns(rows);
  const table = durables.map(({ name, filter, position, pending }) => [name, filter, String(position), String(pending)]);
  const [head, ...lines] = columns([['durable', 'filter', 'done up to', 'in hand'], ...table], [2, 3]).split('\n');
  return [columns(rows), '', paint(head!, 'bold', process.stdout), ...lines].join('\n');
}
