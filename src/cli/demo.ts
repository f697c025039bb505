/** `millrace demo`, what `npm start` runs: a million sample events through the whole engine into a fresh store, and ten of them back. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { EventProcessor } from '../api/processor.ts';
import type { IngestReport } from '../api/report.ts';
import { exitCodeOfLedger } from './exit-codes.ts';
import { generateChunks } from './generator.ts';
import { note, paint, printLine } from './output.ts';
import { ProgressLine } from './progress.ts';
import { reportText } from './report-text.ts';
import { Stop } from './signals.ts';
import { count, megabytes } from './text.ts';

const EVENTS = 1_000_000;
const DUPLICATES = 0.02;
const READ_BACK = 10;
const STORE = '.millrace/demo';
const DRAIN_TIMEOUT_MS = 30_000;

const NEXT_STEPS = `What to try next:
  npx millrace consume --from embedded:${STORE} --count 5 --envelope
  npx millrace generate --count 1000000 | npx millrace ingest - --id /id
  npx millrace ingest events.ndjson --to nats+jetstream://127.0.0.1:4222/EVENTS
  npx millrace --help`;

export function addDemo(program: Command, done: (code: number) => void): void {
  program
    .command('demo', { hidden: true })
    .description('Generates a million events, ingests them into a fresh embedded store and reads ten back.')
    .option('--verbose', 'print causes and stacks of errors')
    .action(async () => done(await demo()));
}

async function demo(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'));
  try {
    const file = join(folder, 'events.ndjson');
    note(`Generating ${count(EVENTS)} events, ${DUPLICATES * 100} % of them duplicates …`);
    await writeSample(file);
    note(`${megabytes((await stat(file)).size)} written. Ingesting them by /id into embedded:${STORE} …`);
    await rm(STORE, { recursive: true, force: true });
    return await ingestAndRead(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeSample(file: string): Promise<void> {
  const stream = createWriteStream(file);
  for (const chunk of generateChunks({ count: EVENTS, duplicates: DUPLICATES }))
    if (!stream.write(chunk, 'latin1')) await once(stream, 'drain');
  stream.end();
  await once(stream, 'close');
}

async function ingestAndRead(file: string): Promise<number> {
  const { connect } = await import('../index.ts');
  const processor = await connect(`embedded:${STORE}`);
  try {
    using stop = new Stop({ drainTimeoutMs: DRAIN_TIMEOUT_MS, unsettled: () => processor.stats().inFlight });
    const progress = new ProgressLine();
    const report: IngestReport = await processor.ingest(file, {
      subject: 'events.{type}',
      id: '/id',
      signal: stop.signal,
      onProgress: (now) => progress.update(now),
    });
    progress.clear();
    await printLine(`\n${reportText(report)}\n`);
    if (stop.received === null) {
      await readBack(processor);
      await printLine(`\n${paint(NEXT_STEPS, 'dim', process.stdout)}`);
    }
    return stop.exitCode(exitCodeOfLedger(report));
  } finally {
    await processor.close();
  }
}

async function readBack(processor: EventProcessor): Promise<void> {
  const { toJsonLine } = await import('../index.ts');
  await printLine(`The first ${READ_BACK} events, read back:`);
  await using subscription = await processor.subscribe('>', { start: 'all', noAck: true });
  let left = READ_BACK;
  for await (const delivery of subscription) {
    await printLine(`  ${toJsonLine(delivery.event)}`);
    left -= 1;
    if (left === 0) break;
  }
}
