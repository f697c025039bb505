/** The limit: batches of 64 KiB made beforehand, published by the plain client; no reading, parsing, ids or packing. */
import { pack } from 'msgpackr';
import { inputFile } from '../harness/input.ts';
import { measure } from '../harness/measure.ts';
import { checkStream } from '../harness/stream-check.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { Flight } from './flight.ts';
import { linesOf } from './lines.ts';
import { openStream, STREAM, SUBJECT } from './nats-stream.ts';
import { inputOf, numberOf } from './params.ts';

const WINDOW = 64;
const BATCH = 360; // About 64 KiB.

export async function run(request: RunRequest): Promise<RunResult> {
  const input = await inputFile(inputOf(request));
  const batches = await makeBatches(input, numberOf(request.params, 'batch', BATCH));
  const connection = await openStream(request.url);
  const client = connection.jetstream();
  const flight = new Flight(WINDOW);
  const { figures } = await measure(
    async () => {
      let events = 0;
      for (const { bytes, count } of batches) {
        events += count;
        const full = flight.add(client.publish(SUBJECT, bytes));
        if (full !== null) await full;
      }
      await flight.drain();
      return events;
    },
    { brokerPid: request.brokerPid, events: (events) => events as number },
  );
  await connection.close();
  return { figures, verified: await checkStream({ url: request.url, stream: STREAM, input, deduped: false, form: 'batch' }) };
}

async function makeBatches(input: string, size: number): Promise<{ readonly bytes: Uint8Array; readonly count: number }[]> {
  const batches: { readonly bytes: Uint8Array; readonly count: number }[] = [];
  let events: unknown[] = [];
  const close = (): void => {
    batches.push({ bytes: pack(events).slice(), count: events.length });
    events = [];
  };
  for await (const lines of linesOf(input)) {
    for (const line of lines) if (events.push(JSON.parse(line)) === size) close();
  }
  if (events.length > 0) close();
  return batches;
}
