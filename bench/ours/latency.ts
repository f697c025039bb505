/** One publish at a time from an open-loop generator in another thread: from the moment it was due to its ack. */
import { Worker } from 'node:worker_threads';
import { pack } from 'msgpackr';
import { connect } from 'millrace';
import type { EventProcessor } from 'millrace';
import { measure } from '../harness/measure.ts';
import { percentile } from '../harness/statistics.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { clockMs } from '../rivals/load-generator.ts';
import type { LoadPlan } from '../rivals/load-generator.ts';
import { openStream, STREAM, SUBJECT } from '../rivals/nats-stream.ts';
import { numberOf, textOf } from '../rivals/params.ts';
import { sampleEvents } from './sample-events.ts';

/** At any measured rate: V8 compiles by how often code has run, and 1,000 a second would take half a minute to get there. */
const WARM_UP = { perSecond: 10_000, count: 30_000 } as const;

interface Publisher {
  readonly publish: (event: object) => Promise<unknown>;
  /** Messages in the stream, after all. */
  readonly stored: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Params: system (millrace, client, none), perSecond, seconds. `none` acks at once: what the harness itself adds. */
export async function run(request: RunRequest): Promise<RunResult> {
  const perSecond = numberOf(request.params, 'perSecond', 1_000);
  const plan = [WARM_UP, { perSecond, count: perSecond * numberOf(request.params, 'seconds', 5) }] as const;
  const count = WARM_UP.count + plan[1].count;
  const publisher = await openPublisher(textOf(request.params, 'system'), request.url);
  const latencies = new Float64Array(count);
  const events = sampleEvents(1_000, request.seed);
  await publisher.publish(events[0]!);
  const { figures } = await measure(() => play(plan, { publisher, latencies, events }), {
    brokerPid: request.brokerPid,
    events: () => count,
    watchLoop: false,
  });
  const stored = await publisher.stored();
  await publisher.close();
  if (stored !== count + 1) throw new Error(`${stored} of ${count + 1} events are in the stream`);
  const sorted = latencies.subarray(WARM_UP.count).toSorted();
  const at = (share: number): number => percentile(sorted, share);
  return {
    figures: { p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), p999Ms: at(0.999), maxMs: at(1), ...figures },
    verified: `${stored} messages counted; ${sorted.length} latencies, each from the moment it was due`,
  };
}

interface Players {
  readonly publisher: Publisher;
  readonly latencies: Float64Array;
  readonly events: readonly object[];
}

async function play(plan: LoadPlan, { publisher, latencies, events }: Players): Promise<void> {
  const generator = new Worker(new URL('../rivals/load-generator.js', import.meta.url), { workerData: plan });
  const { length: count } = latencies;
  let sent = 0;
  let acked = 0;
  await new Promise<void>((resolve, reject) => {
    generator.once('error', reject);
    generator.on('message', (dueMs: number) => {
      const index = sent;
      sent += 1;
      publisher.publish(events[index % events.length]!).then(() => {
        latencies[index] = clockMs() - dueMs;
        acked += 1;
        if (acked === count) resolve();
      }, reject);
    });
  });
  await generator.terminate();
}

async function openPublisher(system: string, url: string): Promise<Publisher> {
  if (system === 'none') return openNothing();
  if (system === 'client') return openClient(url);
  const processor: EventProcessor = await connect(`nats+jetstream://${url.replace('nats://', '')}/${STREAM}`);
  let last = 0;
  return {
    publish: async (event) => {
      last = Math.max(last, (await processor.publish(SUBJECT, event)).sequence);
    },
    stored: () => Promise.resolve(last),
    close: () => processor.close(),
  };
}

function openNothing(): Publisher {
  let published = 0;
  return { publish: () => Promise.resolve((published += 1)), stored: () => Promise.resolve(published), close: () => Promise.resolve() };
}

async function openClient(url: string): Promise<Publisher> {
  const connection = await openStream(url);
  const client = connection.jetstream();
  let last = 0;
  return {
    publish: async (event) => {
      last = Math.max(last, (await client.publish(SUBJECT, pack(event))).seq);
    },
    stored: () => Promise.resolve(last),
    close: () => connection.close(),
  };
}
