/** `millrace dlq`: dead letters seen, published again and removed; a letter goes only when its event is stored, or when somebody says so. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { MillraceError } from '../api/errors.ts';
import { connectRows } from '../config/table.ts';
import type { DeadLetter } from '../resilience/dead-letter-types.ts';
import { addFilterFlags, filterOf, openLetters, tellDamage } from './dead-letter-flags.ts';
import { letterJson, letterText } from './dead-letter-text.ts';
import { addLetterReplay } from './dlq-replay.ts';
import { exitCodes } from './exit-codes.ts';
import { note, paint, printLine, writeOutput } from './output.ts';
import { addRows } from './row-flags.ts';
import { columns, count } from './text.ts';

const EXAMPLES = `Examples:
  millrace dlq list --reason invalid_json
  millrace dlq show 3fa9c1d2-17
  millrace dlq list --dead-letters nats+jetstream://127.0.0.1:4222/DEAD
  millrace dlq replay --all --to nats+jetstream://127.0.0.1:4222/EVENTS
  millrace dlq purge --before 2026-01-01T00:00:00Z --yes
`;
const LIST_MAX = 1_000;
const MESSAGE_CHARS = 60;

export function addDeadLetters(program: Command, done: (code: number) => void): void {
  const dlq = program
    .command('dlq')
    .summary('work with dead letters')
    .description('Events that were given up, with reason, origin and raw bytes.')
    .addHelpText('before', EXAMPLES);
  const list = dlq.command('list').description('one line for each letter, oldest first');
  common(addFilterFlags(list).addOption(new Option('--limit <N>', 'lines at most').default(String(LIST_MAX)))).action(async () =>
    done(await listLetters(list)),
  );
  const show = dlq
    .command('show')
    .description('everything of one letter, its bytes as text or base64')
    .argument('<id>', 'id of the letter');
  common(show).action(async (id: string) => done(await showLetter(show, id)));
  addLetterReplay(dlq, done);
  const purge = dlq.command('purge').description('removes letters for good').argument('[id...]', 'ids of letters');
  common(
    addFilterFlags(purge)
      .addOption(new Option('--all', 'every letter'))
      .addOption(new Option('--yes', 'do it: without this, the letters are only counted')),
  ).action(async (ids: string[]) => done(await purgeLetters(purge, ids)));
}

function common(command: Command): Command {
  addRows(command, { deadLetters: connectRows.deadLetters }, { heading: 'Options:', shown: null });
  return command
    .addOption(new Option('--config <FILE>', 'JSON file of options'))
    .addOption(new Option('--json', 'print the result as one JSON object (list: one per line)'))
    .addOption(new Option('--verbose', 'print causes and stacks of errors'));
}

async function listLetters(command: Command): Promise<number> {
  const filter = filterOf(command, []);
  const limit = Number(command.getOptionValue('limit'));
  if (!Number.isInteger(limit) || limit < 1)
    throw new MillraceError('MILLRACE_CONFIG', `flag --limit: "${String(command.getOptionValue('limit'))}" is no whole number from 1`);
  const json = command.getOptionValue('json') === true;
  const place = await openLetters(command);
  const rows: string[][] = [];
  let letters = 0;
  for await (const letter of place.list(filter, { onDamage: tellDamage })) {
    letters += 1;
    if (letters > limit) continue; // Counted.
    if (json) await printLine(letterJson(letter));
    else rows.push(rowOf(letter));
  }
  await place.close();
  if (!json && rows.length > 0) {
    const [head, ...lines] = columns([['id', 'time', 'reason', 'attempts', 'subject', 'origin', 'message'], ...rows], [3]).split('\n');
    await printLine([paint(head!, 'bold', process.stdout), ...lines].join('\n'));
  }
  if (letters > limit) note(`millrace: ${count(letters)} letters, the first ${count(limit)} are shown; see --limit`);
  else if (!json) note(`millrace: ${count(letters)} letters in ${place.name}`);
  return exitCodes.ok;
}

function rowOf({ id, time, reason, attempts, subject, origin, message }: DeadLetter): string[] {
  const text = message.replaceAll(/\s+/g, ' ');
  return [
    id,
    time.toISOString(),
    reason,
    String(attempts),
    subject ?? '-',
    placeOf(origin),
    text.length > MESSAGE_CHARS ? `${text.slice(0, MESSAGE_CHARS)}…` : text,
  ];
}

function placeOf(origin: DeadLetter['origin']): string {
  if (origin === null) return '-';
  if (origin.file !== null) return `${origin.file}:${origin.line ?? ''}`;
  return origin.sequence === null ? '-' : `${origin.stream ?? ''}#${origin.sequence}.${origin.index ?? 0}`;
}

async function showLetter(command: Command, id: string): Promise<number> {
  const place = await openLetters(command);
  const letter = await firstOf(place.list({ ids: new Set([id]) }, { onDamage: tellDamage }));
  await place.close();
  if (letter === null) throw new MillraceError('MILLRACE_USAGE', `no letter ${JSON.stringify(id)} in ${place.name}; see millrace dlq list`);
  await writeOutput(command.getOptionValue('json') === true ? `${letterJson(letter)}\n` : letterText(letter));
  return exitCodes.ok;
}

async function firstOf(letters: AsyncIterable<DeadLetter>): Promise<DeadLetter | null> {
  for await (const letter of letters) return letter;
  return null;
}

async function purgeLetters(command: Command, ids: readonly string[]): Promise<number> {
  const filter = filterOf(command, ids);
  if (Object.keys(filter).length === 0 && command.getOptionValue('all') !== true)
    throw new MillraceError('MILLRACE_USAGE', 'which letters? Give ids, --reason, --of-subject, --before, --after or --all');
  const place = await openLetters(command);
  try {
    if (place.removes && command.getOptionValue('yes') !== true) {
      let letters = 0;
      for await (const _ of place.list(filter, { onDamage: tellDamage })) letters += 1;
      throw new MillraceError(
        'MILLRACE_USAGE',
        `${count(letters)} letters would be removed from ${place.name} for good; say --yes to do it`,
      );
    }
    const removed = await place.purge(filter);
    await printLine(command.getOptionValue('json') === true ? JSON.stringify({ removed }) : `${count(removed)} letters removed`);
    return exitCodes.ok;
  } finally {
    await place.close();
  }
}
