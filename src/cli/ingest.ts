/** `millrace ingest`: files, globs and stdin into a broker; the ledger at its end always adds up, also after a signal. */
import type { Command } from 'commander';
import { MillraceError } from '../api/errors.ts';
import type { Format, IngestOptions, Source } from '../api/options.ts';
import type { EventProcessor } from '../api/processor.ts';
import type { IngestReport } from '../api/report.ts';
import type { CommandLine } from './command-options.ts';
import { addCommon, readCommandLine } from './command-options.ts';
import { exitCodeOf, exitCodeOfLedger, exitCodes } from './exit-codes.ts';
import { moduleOf } from './module-file.ts';
import { note, paint, printLine } from './output.ts';
import { ProgressLine } from './progress.ts';
import { reportText } from './report-text.ts';
import { Stop } from './signals.ts';
import { STDIN, expandSources } from './sources.ts';
import { count } from './text.ts';

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
  const { connect } = await import('../index.ts');
  const processor = await connect(line.target, line.connectOptions);
  try {
    return await runIngest({ processor, sources, options, line });
  } finally {
    await processor.close();
  }
}

interface Run {
  readonly processor: EventProcessor;
  readonly sources: readonly Source[];
  readonly options: IngestOptions;
  readonly line: CommandLine;
}

async function runIngest({ processor, sources, options, line }: Run): Promise<number> {
  using stop = new Stop({ drainTimeoutMs: line.resolution.options.drainTimeoutMs, unsettled: () => processor.stats().inFlight });
  const progress = new ProgressLine();
  processor.on('warning', (message) => {
    progress.clear();
    note(`${paint('millrace: warning:', 'yellow')} ${message}`);
  });
  try {
    const report = await processor.ingest(sources.length === 1 ? sources[0]! : sources, {
      ...options,
      signal: stop.signal,
      onProgress: (now) => progress.update(now),
    });
    progress.clear();
    await printReport(report, line.json);
    return stop.exitCode(exitCodeOfLedger(report));
  } catch (error) {
    progress.clear();
    if (stop.received === null || !(error instanceof MillraceError) || error.code !== 'MILLRACE_ABORTED') throw error;
    return await endAfterAbort(processor, error, { json: line.json, stop });
  }
}

/** The intake was stopped by a signal and there is no report: what was taken is settled, and the ledger of it printed. */
async function endAfterAbort(
  processor: EventProcessor,
  error: MillraceError,
  { json, stop }: { readonly json: boolean; readonly stop: Stop },
): Promise<number> {
  const report = error.context['report'] as IngestReport | undefined;
  const ledger = report ?? (await processor.drain());
  if (report !== undefined) await printReport(report, json);
  else if (json) await printLine(JSON.stringify(ledger));
  else
    await printLine(
      `accepted ${count(ledger.accepted)}, acked ${count(ledger.acked)}, duplicates ${count(ledger.duplicates)}, rejected ${count(ledger.rejected)}, failed ${count(ledger.failed)}`,
    );
  return ledger.inFlight > 0 ? exitCodes.unsettled : stop.exitCode(exitCodeOf(error.code));
}

/** Options of the call; those that are the processor's own defaults too are said once more, in their resolved form. */
export function ingestOptions({ resolution: { call, options } }: CommandLine): IngestOptions {
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

export async function printReport(report: IngestReport, json: boolean): Promise<void> {
  await printLine(json ? JSON.stringify(report) : reportText(report));
}
