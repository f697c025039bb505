/** Millrace's own side of every ingest scenario: `connect`, `ingest`, and the report's figures beside those measured from outside. */
import { connect } from '../../src/index.ts';
import type { ConnectOptions, EventProcessor, IngestOptions, IngestReport } from '../../src/index.ts';
import { inputFile } from '../harness/input.ts';
import { inputRate, measure } from '../harness/measure.ts';
import { peakRssBytes } from '../harness/procfs.ts';
import { checkTopic } from '../harness/topic-check.ts';
import { checkStream } from '../harness/stream-check.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { STREAM } from '../rivals/nats-stream.ts';
import { inputOf, textOf } from '../rivals/params.ts';
import { checkStore } from './check-store.ts';

/** Params: events, duplicates, bytes; target, options, ingest (options of the two calls); dryRun. */
export async function run(request: RunRequest): Promise<RunResult> {
  const { params } = request;
  const input = await inputFile(inputOf(request));
  const target = targetOf(textOf(params, 'target', 'jetstream'), request);
  const dryRun = params['dryRun'] === true;
  const options = { deadLetters: 'off', ...(params['options'] as ConnectOptions | undefined), dryRun };
  const call: IngestOptions = { subject: 'bench.events', ...(params['ingest'] as IngestOptions | undefined) };
  const processor = await connect(target, options);
  try {
    const { result, figures } = await measure(() => processor.ingest(input, call), {
      brokerPid: request.brokerPid,
      events: (report) => (report as IngestReport).accepted,
    });
    checkLedger(result);
    const extra = {
      peakRssMiB: peakRssBytes('self') / 2 ** 20,
      messages: result.messages,
      bytesOutPerEvent: result.bytesOut / result.accepted,
    };
    return {
      figures: { ...figures, ...inputRate(input, figures), ...extra },
      verified: await verify(request, { input, target, call, processor, report: result }),
    };
  } finally {
    await processor.close();
  }
}

function targetOf(kind: string, { url, folder }: RunRequest): string {
  if (kind === 'embedded') return `embedded:${folder}/store`;
  return kind === 'kafka' ? `${url}/${STREAM}` : `nats+jetstream://${url.replace('nats://', '')}/${STREAM}`;
}

interface Done {
  readonly input: string;
  readonly target: string;
  readonly call: IngestOptions;
  readonly processor: EventProcessor;
  readonly report: IngestReport;
}

async function verify(request: RunRequest, { input, target, call, processor, report }: Done): Promise<string> {
  if (request.params['dryRun'] === true) return 'nothing was stored; the ledger closes';
  const deduped = call.id?.startsWith('/') === true || call.id === 'hash';
  if (target.startsWith('embedded:')) return checkStore(processor, { input, deduped, acked: report.acked });
  const form = report.framing;
  if (target.startsWith('kafka:')) return checkTopic(request.url, { input, deduped, form });
  const identity = request.params['data'] === 'flights' ? 'json' : 'id';
  return checkStream({ url: request.url, stream: STREAM, input, deduped, form, identity });
}

function checkLedger(report: IngestReport): void {
  const { accepted, acked, duplicates, rejected, failed, dropped, inFlight } = report;
  if (accepted !== acked + duplicates + rejected + failed + dropped + inFlight) throw new Error('the ledger does not close');
  if (rejected + failed + dropped + inFlight > 0) throw new Error(`not all events were stored: ${JSON.stringify(report)}`);
}
