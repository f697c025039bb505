/** Resident memory while a long stream passes, and while the broker does not answer. */
import { setTimeout } from 'node:timers/promises';
import { connect } from 'millrace';
import type { EventProcessor, IngestReport } from 'millrace';
import { drawLayout } from '../../src/memory/layout.ts';
import { endlessStream, eventStream } from '../harness/event-chunks.ts';
import { measure } from '../harness/measure.ts';
import { rssBytes } from '../harness/procfs.ts';
import { median } from '../harness/statistics.ts';
import { checkTail } from '../harness/tail-check.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { STREAM, SUBJECT } from '../rivals/nats-stream.ts';
import { numberOf, textOf } from '../rivals/params.ts';

const MIB = 2 ** 20;
const EVENT_BYTES = 214;
const SAMPLE_MS = 100;
const SLABS = 8;
const SLAB_BYTES = 2_097_152;
const EVENT_BYTES_MAX = 8 * MIB;
/** Before the broker stops, and after it goes on. */
const FLOW_MS = 3_000;

/** Params: mode (stream, stopped, allocation); gigabytes of the stream; seconds without a broker. */
export async function run(request: RunRequest): Promise<RunResult> {
  const mode = textOf(request.params, 'mode', 'stream');
  if (mode === 'allocation') return (await import('./allocation.ts')).run(request);
  // The broker's disk stays small: old messages leave.
  const options = { workers: 1, slabs: SLABS, slabBytes: SLAB_BYTES, maxBytes: '512MiB', deadLetters: 'off' } as const;
  const processor = await connect(`nats+jetstream://${request.url.replace('nats://', '')}/${STREAM}`, options);
  await processor.publish(SUBJECT, { id: 'first' });
  const baseline = rssBytes('self');
  const memory = new MemoryWatch();
  const { brokerPid } = request;
  const work = mode === 'stopped' ? whileStopped : longStream;
  const { result, figures } = await measure(() => work(processor, request), {
    brokerPid,
    events: (done) => (done as Done).report.accepted,
  });
  const samples = memory.stop();
  const windowBytes = processor.stats().window?.bytes ?? 0;
  await processor.close();
  return {
    figures: { ...memoryFigures(samples, { baseline, windowBytes }), ...result.figures, ...figures },
    verified: await verify(request, result),
    notes: { rssMiB: thinned(samples) },
  };
}

interface Done {
  readonly report: IngestReport;
  readonly count: number;
  readonly unique: number;
  readonly figures: Readonly<Record<string, number>>;
}

const call = { subject: SUBJECT, id: '/id', format: 'ndjson' } as const;

async function longStream(processor: EventProcessor, { params, seed }: RunRequest): Promise<Done> {
  const { chunks, count, unique } = eventStream({ count: (numberOf(params, 'gigabytes', 1) * 1e9) / EVENT_BYTES, seed });
  return { report: await processor.ingest(chunks, call), count, unique, figures: {} };
}

/** The broker's process is stopped and continued by signals: its socket stays open and nobody answers. */
async function whileStopped(processor: EventProcessor, { params, seed, brokerPid }: RunRequest): Promise<Done> {
  let ended = false;
  const stream = endlessStream({ seed, ended: () => ended });
  const ingest = processor.ingest(stream.chunks, call);
  await Promise.race([setTimeout(FLOW_MS), ingest]);
  process.kill(brokerPid, 'SIGSTOP');
  const before = processor.stats().acked;
  try {
    await Promise.race([setTimeout(numberOf(params, 'seconds', 5) * 1_000), ingest]);
  } finally {
    process.kill(brokerPid, 'SIGCONT');
  }
  const continued = performance.now();
  const stalled = processor.stats().acked;
  while (processor.stats().acked === stalled) await Promise.race([setTimeout(1), ingest]);
  const resumedMs = performance.now() - continued;
  await Promise.race([setTimeout(FLOW_MS), ingest]);
  ended = true;
  const report = await ingest;
  return { report, ...stream.taken(), figures: { ackedWhileStopped: stalled - before, resumedMs } };
}

async function verify({ url, params }: RunRequest, { report, count, unique }: Done): Promise<string> {
  const { accepted, acked, duplicates } = report;
  if (accepted !== count || acked !== unique || acked + duplicates !== accepted)
    throw new Error(`${acked} acked and ${duplicates} duplicates of ${count}, not ${unique} acked`);
  const stopped = textOf(params, 'mode') === 'stopped';
  const tail = stopped ? '' : `; ${await checkTail(url, STREAM, report.messages + 1)}`;
  return `the ledger closes: ${acked} acked, ${duplicates} duplicates${tail}`;
}

interface Known {
  readonly baseline: number;
  readonly windowBytes: number;
}

function memoryFigures(samples: readonly number[], { baseline, windowBytes }: Known): Record<string, number> {
  const [late, middle] = [samples.slice(-samples.length / 4), samples.slice(samples.length / 2, (samples.length * 3) / 4)];
  const ring = ringBytes();
  return {
    peakRssMiB: Math.max(...samples) / MIB,
    baselineMiB: baseline / MIB,
    ringMiB: ring / MIB,
    windowMiB: windowBytes / MIB,
    aboveAllowedMiB: (Math.max(...samples) - baseline - ring - windowBytes) / MIB,
    growthMiB: (median(late) - median(middle)) / MIB,
  };
}

function ringBytes(): number {
  const { bytes } = drawLayout({ slabs: SLABS, slabBytes: SLAB_BYTES, workers: 1, eventBytesMax: EVENT_BYTES_MAX, windowBytes: 0 });
  return bytes;
}

class MemoryWatch {
  readonly #samples: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#samples.push(rssBytes('self')), SAMPLE_MS);
  }

  stop(): number[] {
    clearInterval(this.#timer);
    return [...this.#samples, rssBytes('self')];
  }
}

/** At most 100 of them, for the chart. */
function thinned(samples: readonly number[]): number[] {
  const step = Math.ceil(samples.length / 100);
  return samples.filter((_, index) => index % step === 0).map((bytes) => Math.round(bytes / MIB));
}
