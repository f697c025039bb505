/** What most code does: JSON.parse, msgpackr, one `js.publish` with the event's id per event, 1,024 in flight. The broker removes the duplicates. */
import { pack } from 'msgpackr';
import { inputFile } from '../harness/input.ts';
import { measure } from '../harness/measure.ts';
import { checkStream } from '../harness/stream-check.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { warmPageCache, warmUp } from '../harness/warm-up.ts';
import { Flight } from './flight.ts';
import { linesOf } from './lines.ts';
import { openStream, STREAM, SUBJECT } from './nats-stream.ts';
import { inputOf, numberOf } from './params.ts';

const WINDOW = 1_024;

/** Params: events, warmUp, duplicates; ids (default true); tuned (default false: the client as it comes). */
export async function run(request: RunRequest): Promise<RunResult> {
  const { params, url } = request;
  const input = await inputFile(inputOf(request));
  const ids = params['ids'] !== false;
  const connection = await openStream(url, { tuned: params['tuned'] === true });
  const client = connection.jetstream();
  const flight = new Flight(numberOf(params, 'window', WINDOW));
  const play = async (file: string): Promise<number> => {
    let events = 0;
    for await (const lines of linesOf(file)) {
      for (const line of lines) {
        const event = JSON.parse(line) as { readonly id: string };
        const full = flight.add(client.publish(SUBJECT, pack(event), ids ? { msgID: event.id } : {}));
        events += 1;
        if (full !== null) await full;
      }
    }
    await flight.drain();
    return events;
  };
  const warm = await warmUp(request, play);
  warmPageCache(input);
  const { figures } = await measure(() => play(input), { brokerPid: request.brokerPid, events: (events) => events as number });
  await connection.close();
  const inputs = [...warm.inputs, input];
  return {
    figures,
    verified: await checkStream({ url, stream: STREAM, inputs, deduped: ids, form: 'each' }),
    notes: { warmUpRates: warm.rates },
  };
}
