/** `millrace ingest`: files, globs and stdin into a broker; the ledger at its end always adds up, also after a signal. */
import type { Command } from 'commander';
import type { Format, IngestOptions, Source } from '../api/options.ts';
import type { CommandLine } from './command-options.ts';
import { addCommon, readCommandLine } from './command-options.ts';
import { moduleOf } from './module-file.ts';
import { ingestAndReport, withProcessor } from './session.ts';
import { STDIN, expandSources } from './sources.ts';

const EXAMPLES = `Examples:
  millrace ingest events.ndjson                                    into the embedded store of this folder
  millrace ingest 'logs/*.ndjson.gz' --to nats+jetstream://127.0.0.1:4222/EVENTS
  millrace ingest events.ndjson --subject 'events.{type}' --id /id --to nats+dedupe://127.0.0.1:4222/EVENTS
  zcat big.gz | millrace ingest - --to nats://127.0.0.1:4222 --json
`;

export function addIngest(program: Command, done: (code: number) => void): void {
  const command = program
    .command('ingest')
    .summary('files, globs, .gz, or - for stdin into a broker')
    .description('Reads events from files and publishes them, in batches, until the broker has acknowledged all of them.')
    .argument('<source...>', 'files, globs in quotes, or - for stdin')
    .addHelpText('before', EXAMPLES);
  addCommon(command, { address: 'to', call: 'ingest' }).action(async (sources: string[]) => done(await ingest(sources, command)));
}

async function ingest(given: readonly string[], command: Command): Promise<number> {
  const line = readCommandLine(command, { address: 'to', call: 'ingest' });
  const options = ingestOptions(line);
  const paths = await expandSources(given);
  const sources = paths.map((path): Source => (path === STDIN ? process.stdin : path));
  const connectOptions = { ...line.connectOptions, dryRun: options.dryRun === true };
  const { drainTimeoutMs } = line.resolution.options;
  return withProcessor({ target: line.target, connectOptions, drainTimeoutMs }, (session) =>
    ingestAndReport(session, sources.length === 1 ? sources[0]! : sources, { ...options, json: line.json }),
  );
}

/** Options of the call; those that are the processor's own defaults too are said once more, in their resolved form. */
function ingestOptions({ resolution: { call, options } }: CommandLine): IngestOptions {
  const text = (name: string): string => String(call[name]);
  const { id, framing, ordering, onFull, deadLetters } = options;
  const transform = moduleOf('transform', text('transform'));
  const schema = moduleOf('schema', text('schema'));
  return {
    subject: text('subject'),
    ordering,
    onFull,
    deadLetters,
    checkpoint: text('checkpoint'),
    dryRun: call['dryRun'] === true,
    ...(id === null ? {} : { id }),
    ...(framing === null ? {} : { framing }),
    ...(call['format'] === '' ? {} : { format: text('format') as Format }),
    ...(call['gzip'] === 'auto' ? {} : { compression: call['gzip'] === 'yes' ? 'gzip' : 'none' }),
    ...(transform === undefined ? {} : { transform }),
    ...(schema === undefined ? {} : { schema }),
    ...(call['eventKey'] === '' ? {} : { key: text('eventKey') }),
    ...(call['maxRate'] === '' ? {} : { maxRate: Number(call['maxRate']) }),
    ...(call['limit'] === '' ? {} : { limit: Number(call['limit']) }),
  };
}
