/** `millrace demo`, what `npm start` runs: a million sample events through the whole engine into a fresh store, and ten of them back. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { EventProcessor } from '../api/processor.ts';
import { exitCodes } from './exit-codes.ts';
import { generateChunks } from './generator.ts';
import { note, paint, printLine } from './output.ts';
import { ingestAndReport, withProcessor } from './session.ts';
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
    const code = await writeSample(file);
    if (code !== exitCodes.ok) return code;
    note(`${megabytes((await stat(file)).size)} written. Ingesting them by /id into embedded:${STORE} …`);
    await rm(STORE, { recursive: true, force: true });
    return await ingestAndRead(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A signal ends it with the temporary file removed. */
async function writeSample(file: string): Promise<number> {
  using stop = new Stop({ drainTimeoutMs: DRAIN_TIMEOUT_MS, unsettled: () => 0 });
  const stream = createWriteStream(file);
  for (const chunk of generateChunks({ count: EVENTS, duplicates: DUPLICATES })) {
    if (stop.signal.aborted) break;
    if (!stream.write(chunk, 'latin1')) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'close');
  return stop.exitCode(exitCodes.ok);
}

async function ingestAndRead(file: string): Promise<number> {
  return withProcessor({ target: `embedded:${STORE}`, connectOptions: {}, drainTimeoutMs: DRAIN_TIMEOUT_MS }, async (session) => {
    const code = await ingestAndReport(session, file, { subject: 'events.{type}', id: '/id', json: false });
    await readBack(session.processor);
    await printLine(`\n${paint(NEXT_STEPS, 'dim', process.stdout)}`);
    return code;
  });
}

async function readBack(processor: EventProcessor): Promise<void> {
  const { toJsonLine } = await import('../index.ts');
  await printLine(`\nThe first ${READ_BACK} events, read back:`);
  await using subscription = await processor.subscribe('>', { start: 'all', noAck: true });
  let left = READ_BACK;
  for await (const delivery of subscription) {
    await printLine(`  ${toJsonLine(delivery.event)}`);
    left -= 1;
    if (left === 0) break;
  }
}
