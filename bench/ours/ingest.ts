/** Millrace's own side of every ingest scenario: `connect`, `ingest`, and the report's figures beside those measured from outside. */
import { connect } from 'millrace';
import type { ConnectOptions, EventProcessor, IngestOptions, IngestReport } from 'millrace';
import { eventStream } from '../harness/event-chunks.ts';
import { inputFile } from '../harness/input.ts';
import { inputRate, measure } from '../harness/measure.ts';
import { peakRssBytes } from '../harness/procfs.ts';
import { checkSink } from '../harness/sink-check.ts';
import { checkStream } from '../harness/stream-check.ts';
import { checkTail } from '../harness/tail-check.ts';
import { checkTopic } from '../harness/topic-check.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { warmPageCache, warmUp } from '../harness/warm-up.ts';
import type { WarmUp } from '../harness/warm-up.ts';
import { STREAM } from '../rivals/nats-stream.ts';
import { inputOf, numberOf, textOf } from '../rivals/params.ts';
import { checkStore } from './check-store.ts';

/**
 * Params: events, warmUp, duplicates, bytes; target, options, ingest (options of the two calls); dryRun.
 * generated: events are made on the way instead of read from a file. halfRate: timed at half the rate of the warm-up's last part.
 */
export async function run(request: RunRequest): Promise<RunResult> {
  const { params } = request;
  const target = targetOf(textOf(params, 'target', 'jetstream'), request);
  const dryRun = params['dryRun'] === true;
  const options = { deadLetters: 'off', ...(params['options'] as ConnectOptions | undefined), dryRun };
  const call: IngestOptions = { subject: 'bench.events', ...(params['ingest'] as IngestOptions | undefined) };
  const processor = await connect(target, options);
  try {
    return await (params['generated'] === true ? runGenerated : runFile)(request, { processor, call, target });
  } finally {
    await processor.close();
  }
}

interface Ours {
  readonly processor: EventProcessor;
  readonly call: IngestOptions;
  readonly target: string;
}

async function runFile(request: RunRequest, ours: Ours): Promise<RunResult> {
  const { processor, call } = ours;
  const input = await inputFile(inputOf(request));
  const warm = await warmUp(request, async (file) => checkLedger(await processor.ingest(file, call)).accepted);
  warmPageCache(input);
  const pace = request.params['halfRate'] === true ? { maxRate: Math.round(warm.rates.at(-1)! / 2) } : {};
  const { result, figures } = await measure(() => processor.ingest(input, { ...call, ...pace }), measureOptions(request));
  checkLedger(result);
  return {
    figures: { ...figures, ...inputRate(input, figures), ...ownFigures(result, figures) },
    verified: await verify(request, { ...ours, input, warm, report: result }),
    notes: { warmUpRates: warm.rates },
  };
}

async function runGenerated(request: RunRequest, { processor, call }: Ours): Promise<RunResult> {
  const { params, seed, url } = request;
  const asBytes: IngestOptions = { ...call, format: 'ndjson' };
  const warm = eventStream({ count: numberOf(params, 'warmUp', 1), seed, number: 1 });
  const first = await processor.ingest(warm.chunks, asBytes);
  const timed = eventStream({ count: numberOf(params, 'events'), seed });
  const { result, figures } = await measure(() => processor.ingest(timed.chunks, asBytes), measureOptions(request));
  for (const [report, { count, unique }] of [[first, warm] as const, [result, timed] as const]) {
    checkLedger(report);
    if (report.accepted !== count || report.acked !== unique) throw new Error(`${report.acked} of ${unique} events were acked`);
  }
  return {
    figures: { ...figures, nsPerEvent: (figures['elapsedMs']! * 1e6) / result.accepted, ...ownFigures(result, figures) },
    verified: await checkTail(url, STREAM, first.messages + result.messages),
  };
}

const measureOptions = ({ brokerPid }: RunRequest): Parameters<typeof measure>[1] => ({
  brokerPid,
  events: (report) => (report as IngestReport).accepted,
});

function ownFigures(
  { messages, bytesOut, accepted }: IngestReport,
  { elapsedMs, cpuPerMillion }: Readonly<Record<string, number>>,
): Record<string, number> {
  return {
    peakRssMiB: peakRssBytes('self') / 2 ** 20,
    messages,
    bytesOutPerEvent: bytesOut / accepted,
    nsPerMessage: (elapsedMs! * 1e6) / messages,
    cpuMicrosPerMessage: (cpuPerMillion! * accepted) / messages,
  };
}

function targetOf(kind: string, { url, folder }: RunRequest): string {
  if (kind === 'embedded') return `embedded:${folder}/store`;
  return kind === 'kafka' ? `${url}/${STREAM}` : `nats+jetstream://${url.replace('nats://', '')}/${STREAM}`;
}

interface Done extends Ours {
  readonly input: string;
  readonly warm: WarmUp;
  readonly report: IngestReport;
}

async function verify({ params, url }: RunRequest, { input, warm, target, call, processor, report }: Done): Promise<string> {
  if (params['dryRun'] === true) return 'nothing was stored; the ledger closes';
  const inputs = [...warm.inputs, input];
  const deduped = call.id?.startsWith('/') === true || call.id === 'hash';
  if (target.startsWith('embedded:')) return checkStore(processor, { inputs, deduped });
  if (params['sink'] === true) return checkSink(url, inputs, deduped);
  const form = report.framing;
  if (target.startsWith('kafka:')) return checkTopic(url, { inputs, deduped, form });
  const data = textOf(params, 'data');
  return checkStream({ url, stream: STREAM, inputs, deduped, form, generated: data === '', identity: data === 'flights' ? 'json' : 'id' });
}

function checkLedger(report: IngestReport): IngestReport {
  const { accepted, acked, duplicates, rejected, failed, dropped, inFlight } = report;
  if (accepted !== acked + duplicates + rejected + failed + dropped + inFlight) throw new Error('the ledger does not close');
  if (rejected + failed + dropped + inFlight > 0) throw new Error(`not all events were stored: ${JSON.stringify(report)}`);
  return report;
}
