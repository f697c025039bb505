/** The best a user would write for one thread: JSON.parse, a Set of ids, arrays of 400 packed by msgpackr, one `js.publish` each. */
import { pack } from 'msgpackr';
import { inputFile } from '../harness/input.ts';
import { inputRate, measure } from '../harness/measure.ts';
import { checkStream } from '../harness/stream-check.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { Flight } from './flight.ts';
import { linesOf } from './lines.ts';
import { openStream, STREAM, SUBJECT } from './nats-stream.ts';
import { inputOf, numberOf } from './params.ts';

const BATCH = 400;
const WINDOW = 64;

/** Params: events, duplicates, batch (events in an array). */
export async function run(request: RunRequest): Promise<RunResult> {
  const input = await inputFile(inputOf(request));
  const size = numberOf(request.params, 'batch', BATCH);
  const byContent = request.params['data'] === 'flights';
  const connection = await openStream(request.url);
  const client = connection.jetstream();
  const flight = new Flight(WINDOW);
  const { figures } = await measure(
    async () => {
      const seen = new Set<string>();
      let batch: unknown[] = [];
      let events = 0;
      let number = 0;
      const send = (): Promise<void> | null => {
        number += 1;
        const full = flight.add(client.publish(SUBJECT, pack(batch), { msgID: `b${number}` }));
        batch = [];
        return full;
      };
      for await (const lines of linesOf(input)) {
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
    },
    { brokerPid: request.brokerPid, events: (events) => events as number },
  );
  await connection.close();
  return {
    figures: { ...figures, ...inputRate(input, figures) },
    verified: await checkStream({
      url: request.url,
      stream: STREAM,
      input,
      deduped: true,
      form: 'batch',
      identity: byContent ? 'json' : 'id',
    }),
  };
}
