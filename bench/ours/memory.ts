/** A long stream of events passes: resident memory over time, allocation of the main thread, and the loop's delay. */
import { Session } from 'node:inspector/promises';
import type { HeapProfiler } from 'node:inspector';
import { connect } from '../../src/index.ts';
import { drawLayout } from '../../src/memory/layout.ts';
import { inputFile } from '../harness/input.ts';
import { measure } from '../harness/measure.ts';
import { rssBytes } from '../harness/procfs.ts';
import { median } from '../harness/statistics.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { STREAM, SUBJECT } from '../rivals/nats-stream.ts';
import { numberOf } from '../rivals/params.ts';

const MIB = 2 ** 20;
const EVENT_BYTES = 214;
const SAMPLE_MS = 100;
const SLABS = 16;
const SLAB_BYTES = 262_144;
const EVENT_BYTES_MAX = 8 * MIB;
/** Bytes between two samples of the allocation profile. */
const ALLOCATION_INTERVAL = 16_384;
const SITES_KEPT = 15;

/** Params: mebibytes (of the stream), allocation (true: profile the main thread's allocation instead of memory). */
export async function run(request: RunRequest): Promise<RunResult> {
  const { params } = request;
  const count = Math.round((numberOf(params, 'mebibytes', 500) * MIB) / EVENT_BYTES);
  const input = await inputFile({ count, duplicates: 0.02, seed: request.seed });
  // The broker's disk stays small: old messages leave.
  const options = { workers: 1, slabs: SLABS, slabBytes: SLAB_BYTES, maxBytes: '512MiB', deadLetters: 'off' } as const;
  const processor = await connect(`nats+jetstream://${request.url.replace('nats://', '')}/${STREAM}`, options);
  await processor.publish(SUBJECT, { id: 'warm-up' });
  const baseline = rssBytes('self');
  const memory = new MemoryWatch();
  const stopProfile = params['allocation'] === true ? await profileAllocation() : null;
  const { result: report, figures } = await measure(() => processor.ingest(input, { subject: SUBJECT, id: '/id' }), {
    brokerPid: request.brokerPid,
    events: () => count,
  });
  const allocated = stopProfile === null ? null : await stopProfile();
  const samples = memory.stop();
  const windowBytes = processor.stats().window?.bytes ?? 0;
  await processor.close();
  if (report.acked + report.duplicates !== count) throw new Error(`${report.acked} acked and ${report.duplicates} duplicates of ${count}`);
  const verified = `the ledger closes: ${report.acked} acked, ${report.duplicates} duplicates`;
  if (allocated !== null)
    return {
      figures: { allocatedPerEvent: allocated.bytes / count, ...figures },
      verified,
      notes: { topBytesPerEvent: topSites(allocated, count) },
    };
  const allowed = baseline + ringBytes() + windowBytes;
  const [late, middle] = [samples.slice(-samples.length / 4), samples.slice(samples.length / 2, (samples.length * 3) / 4)];
  return {
    figures: {
      peakRssMiB: Math.max(...samples) / MIB,
      baselineMiB: baseline / MIB,
      ringMiB: ringBytes() / MIB,
      windowMiB: windowBytes / MIB,
      aboveAllowedMiB: (Math.max(...samples) - allowed) / MIB,
      growthMiB: (median(late) - median(middle)) / MIB,
      ...figures,
    },
    verified,
    notes: { rssMiB: thinned(samples) },
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

/** Estimates all bytes that this thread allocates on V8's heap until it is stopped. */
async function profileAllocation(): Promise<() => Promise<Allocation>> {
  const session = new Session();
  session.connect();
  const options = { samplingInterval: ALLOCATION_INTERVAL, includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
  await session.post('HeapProfiler.startSampling', options);
  return async () => {
    const { profile } = await session.post('HeapProfiler.stopSampling');
    session.disconnect();
    const sites = new Map<string, number>();
    return { bytes: collect(profile.head, sites), sites };
  };
}

interface Allocation {
  readonly bytes: number;
  /** By function. */
  readonly sites: ReadonlyMap<string, number>;
}

function collect({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode, sites: Map<string, number>): number {
  const place = `${callFrame.functionName || '(anonymous)'} ${callFrame.url.split('/').at(-1)}`;
  sites.set(place, (sites.get(place) ?? 0) + selfSize);
  return children.reduce((sum, child) => sum + collect(child, sites), selfSize);
}

function topSites({ sites }: Allocation, count: number): Record<string, number> {
  const top = [...sites].toSorted(([, a], [, b]) => b - a).slice(0, SITES_KEPT);
  return Object.fromEntries(top.map(([place, bytes]) => [place, Number((bytes / count).toFixed(3))]));
}
