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

interface Batch {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Params: events, times (how often they are published while timed), warmUpTimes. Without ids the same may go again. */
export async function run(request: RunRequest): Promise<RunResult> {
  const { params, url } = request;
  const input = await inputFile(inputOf(request));
  const batches = await makeBatches(input, numberOf(params, 'batch', BATCH));
  const [warmUpTimes, times] = [numberOf(params, 'warmUpTimes'), numberOf(params, 'times', 1)];
  const connection = await openStream(url);
  const client = connection.jetstream();
  const flight = new Flight(WINDOW);
  const play = async (turns: number): Promise<number> => {
    let events = 0;
    for (let turn = 0; turn < turns; turn += 1) {
      for (const { bytes, count } of batches) {
        events += count;
        const full = flight.add(client.publish(SUBJECT, bytes));
        if (full !== null) await full;
      }
    }
    await flight.drain();
    return events;
  };
  await play(warmUpTimes);
  const { figures } = await measure(() => play(times), { brokerPid: request.brokerPid, events: (events) => events as number });
  await connection.close();
  const check = {
    url,
    stream: STREAM,
    inputs: [input],
    times: warmUpTimes + times,
    deduped: false,
    form: 'batch',
    generated: true,
  } as const;
  return { figures, verified: await checkStream(check) };
}

async function makeBatches(input: string, size: number): Promise<Batch[]> {
  const batches: Batch[] = [];
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
