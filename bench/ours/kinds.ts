/** In and out again by one kind, with the same calls for each: what a change of the URL costs or brings. */
import { connect } from 'millrace';
import type { EventProcessor } from 'millrace';
import { expectationOf } from '../harness/expectation.ts';
import { inputFile } from '../harness/input.ts';
import { measure } from '../harness/measure.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { STREAM, SUBJECT } from '../rivals/nats-stream.ts';
import { inputOf, textOf } from '../rivals/params.ts';
import { Tally } from './tally.ts';

/** Of events; enough that several batches are on their way. */
const IN_FLIGHT_MAX = 50_000;

/** Params: target (embedded, or what the broker's URL says), framing, events. Ids are not claimed: not every kind has a window. */
export async function run(request: RunRequest): Promise<RunResult> {
  const input = await inputFile(inputOf(request));
  const framing = textOf(request.params, 'framing', 'batch') as 'batch' | 'each';
  const expected = await expectationOf(input, 'id');
  const processor = await connect(targetOf(request), { deadLetters: 'off' });
  try {
    const options = { brokerPid: request.brokerPid, events: () => expected.lines };
    const into = await measure(() => processor.ingest(input, { subject: SUBJECT, id: 'none', framing }), options);
    if (into.result.acked !== expected.lines) throw new Error(`${into.result.acked} of ${expected.lines} events were acked`);
    const tally = new Tally();
    const out = await measure(() => readBack(processor, expected.lines, tally), options);
    tally.check(expected);
    return {
      figures: {
        ...into.figures,
        outRate: out.figures['rate']!,
        outCpuPerMillion: out.figures['cpuPerMillion']!,
        messages: into.result.messages,
      },
      verified: `${tally.events} events came back, checksum equal`,
    };
  } finally {
    await processor.close();
  }
}

function targetOf({ params, url, folder }: RunRequest): string {
  const target = textOf(params, 'target', '');
  if (target === 'embedded') return `embedded:${folder}/store`;
  return target === 'kafka' ? `${url}/${STREAM}` : url;
}

async function readBack(processor: EventProcessor, wanted: number, tally: Tally): Promise<void> {
  let finish = (): void => undefined;
  const all = new Promise<void>((resolve) => (finish = resolve));
  const subscription = await processor.subscribe(
    SUBJECT,
    (event) => {
      tally.add(event);
      if (tally.events === wanted) finish();
    },
    { durable: 'bench', start: 'all', maxInFlight: IN_FLIGHT_MAX },
  );
  await Promise.race([all, subscription.closed]);
  await subscription.drain();
}
