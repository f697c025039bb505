/** The best a user would write for one thread: JSON.parse, a Set of ids, arrays of 400 packed by msgpackr, one `js.publish` each. */
import { pack } from 'msgpackr';
import { inputFile } from '../harness/input.ts';
import { inputRate, measure } from '../harness/measure.ts';
import { checkStream } from '../harness/stream-check.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { warmPageCache, warmUp } from '../harness/warm-up.ts';
import { Flight } from './flight.ts';
import { linesOf } from './lines.ts';
import { openStream, STREAM, SUBJECT } from './nats-stream.ts';
import { inputOf, numberOf, textOf } from './params.ts';

const BATCH = 400;
const WINDOW = 64;

/** Params: events, warmUp, duplicates, batch (events in an array). */
export async function run(request: RunRequest): Promise<RunResult> {
  const { params, url } = request;
  const input = await inputFile(inputOf(request));
  const data = textOf(params, 'data');
  const connection = await openStream(url);
  const play = player(connection.jetstream(), { size: numberOf(params, 'batch', BATCH), byContent: data === 'flights' });
  const warm = await warmUp(request, play);
  warmPageCache(input);
  const { figures } = await measure(() => play(input), { brokerPid: request.brokerPid, events: (events) => events as number });
  await connection.close();
  const inputs = [...warm.inputs, input];
  const identity = data === 'flights' ? 'json' : 'id';
  return {
    figures: { ...figures, ...inputRate(input, figures) },
    verified: await checkStream({ url, stream: STREAM, inputs, deduped: true, form: 'batch', generated: data === '', identity }),
    notes: { warmUpRates: warm.rates },
  };
}

type Client = ReturnType<Awaited<ReturnType<typeof openStream>>['jetstream']>;

/** Plays one file after another; each has a set of ids of its own. */
function player(
  client: Client,
  { size, byContent }: { readonly size: number; readonly byContent: boolean },
): (file: string) => Promise<number> {
  const flight = new Flight(WINDOW);
  let number = 0;
  return async (file) => {
    const seen = new Set<string>();
    let batch: unknown[] = [];
    let events = 0;
    const send = (): Promise<void> | null => {
      number += 1;
      const full = flight.add(client.publish(SUBJECT, pack(batch), { msgID: `b${number}` }));
      batch = [];
      return full;
    };
    for await (const lines of linesOf(file)) {
      for (const line of lines) {
        const event = JSON.parse(line) as { readonly id: string };
        const id = byContent ? line : event.id;
        events += 1;
        if (seen.has(id)) continue;
        seen.add(id);
        batch.push(event);
        const full = batch.length === size ? send() : null;
        if (full !== null) await full;
      }
    }
    if (batch.length > 0) await send();
    await flight.drain();
    return events;
  };
}
