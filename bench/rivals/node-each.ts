/** What most code does: JSON.parse, msgpackr, one `js.publish` with the event's id per event, 1,024 in flight. The broker removes the duplicates. */
import { pack } from 'msgpackr';
import { inputFile } from '../harness/input.ts';
import { measure } from '../harness/measure.ts';
import { checkStream } from '../harness/stream-check.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { Flight } from './flight.ts';
import { linesOf } from './lines.ts';
import { openStream, STREAM, SUBJECT } from './nats-stream.ts';
import { inputOf, numberOf } from './params.ts';

const WINDOW = 1_024;

/** Params: events, duplicates; ids (default true). */
export async function run(request: RunRequest): Promise<RunResult> {
  const input = await inputFile(inputOf(request));
  const ids = request.params['ids'] !== false;
  const connection = await openStream(request.url);
  const client = connection.jetstream();
  const flight = new Flight(numberOf(request.params, 'window', WINDOW));
  const { figures } = await measure(
    async () => {
      let events = 0;
      for await (const lines of linesOf(input)) {
        for (const line of lines) {
          const event = JSON.parse(line) as { readonly id: string };
          const full = flight.add(client.publish(SUBJECT, pack(event), ids ? { msgID: event.id } : {}));
          events += 1;
          if (full !== null) await full;
        }
      }
      await flight.drain();
      return events;
    },
    { brokerPid: request.brokerPid, events: (events) => events as number },
  );
  await connection.close();
  return { figures, verified: await checkStream({ url: request.url, stream: STREAM, input, deduped: ids, form: 'each' }) };
}
