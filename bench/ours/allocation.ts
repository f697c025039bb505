/** What the main thread allocates per event while bytes are ingested, sampled by V8's own heap profiler after a warm-up. */
import { Session } from 'node:inspector/promises';
import type { HeapProfiler } from 'node:inspector';
import { connect } from 'millrace';
import type { IngestReport } from 'millrace';
import { inputFile } from '../harness/input.ts';
import { measure } from '../harness/measure.ts';
import { checkStream } from '../harness/stream-check.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { warmPageCache, warmUp } from '../harness/warm-up.ts';
import { STREAM, SUBJECT } from '../rivals/nats-stream.ts';
import { inputOf } from '../rivals/params.ts';

/** Bytes between two samples. */
const INTERVAL = 16_384;
const SITES_KEPT = 15;
const call = { subject: SUBJECT, id: '/id' } as const;

/** Params: events, warmUp, duplicates. */
export async function run(request: RunRequest): Promise<RunResult> {
  const { url, brokerPid } = request;
  const input = await inputFile(inputOf(request));
  const processor = await connect(`nats+jetstream://${url.replace('nats://', '')}/${STREAM}`, { workers: 1, deadLetters: 'off' });
  const warm = await warmUp(request, async (file) => (await processor.ingest(file, call)).accepted);
  warmPageCache(input);
  // Inside of what is timed: the harness reads /proc before and after, and makes more garbage by it than the ingest.
  const profiled = async (): Promise<{ readonly report: IngestReport; readonly allocated: Allocation }> => {
    const stop = await profileAllocation();
    const report = await processor.ingest(input, call);
    return { report, allocated: await stop() };
  };
  const { result, figures } = await measure(profiled, { brokerPid, events: ({ report }) => report.accepted });
  const { report, allocated } = result;
  await processor.close();
  const inputs = [...warm.inputs, input];
  return {
    figures: { allocatedPerEvent: allocated.bytes / report.accepted, ...figures },
    verified: await checkStream({ url, stream: STREAM, inputs, deduped: true, form: 'batch', generated: true }),
    notes: { topBytesPerEvent: topSites(allocated, report.accepted) },
  };
}

/** Estimates all bytes that this thread allocates on V8's heap until it is stopped. */
async function profileAllocation(): Promise<() => Promise<Allocation>> {
  const session = new Session();
  session.connect();
  const options = { samplingInterval: INTERVAL, includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
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
