/** Objects by `publish()` with thousands in flight, and the same objects by msgpackr and `js.publish`. */
import { pack } from 'msgpackr';
import { connect } from 'millrace';
import type { ConnectOptions } from 'millrace';
import { measure } from '../harness/measure.ts';
import { countEvents } from '../harness/stream-count.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { Flight } from '../rivals/flight.ts';
import { openStream, STREAM, SUBJECT } from '../rivals/nats-stream.ts';
import { numberOf, textOf } from '../rivals/params.ts';
import { sampleEvents } from './sample-events.ts';

const IN_FLIGHT = 4_096;
const SAMPLES = 10_000;
/** Published before the timed part: code is compiled and the stream is open by then. */
const WARM_UP = 100_000;

/** Params: system (millrace, client), events, framing; ids (of the client's messages: ours always have one). */
export async function run(request: RunRequest): Promise<RunResult> {
  const count = numberOf(request.params, 'events', 100_000);
  const events = sampleEvents(SAMPLES, request.seed);
  const { publish, close } = await openPublisher(request);
  const publishMany = async (many: number): Promise<void> => {
    const flight = new Flight(IN_FLIGHT);
    for (let index = 0; index < many; index += 1) {
      const full = flight.add(publish(events[index % SAMPLES]!));
      if (full !== null) await full;
    }
    await flight.drain();
  };
  await publishMany(WARM_UP);
  const { figures } = await measure(() => publishMany(count), { brokerPid: request.brokerPid, events: () => count });
  await close();
  const stored = await countEvents(request.url, STREAM);
  if (stored.events !== WARM_UP + count) throw new Error(`the stream holds ${stored.events} events, not ${WARM_UP + count}`);
  return {
    figures: { ...figures, messages: stored.messages },
    verified: `stream read back: ${stored.events} events in ${stored.messages} messages`,
  };
}

interface Publisher {
  readonly publish: (event: object) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

async function openPublisher({ params, url }: RunRequest): Promise<Publisher> {
  if (textOf(params, 'system') === 'client') {
    const connection = await openStream(url);
    const client = connection.jetstream();
    const ids = params['ids'] !== false;
    let count = 0;
    return {
      publish: (event) => client.publish(SUBJECT, pack(event), ids ? { msgID: `bench-${count++}` } : {}),
      close: () => connection.close(),
    };
  }
  const options: ConnectOptions = { framing: textOf(params, 'framing', 'each') as 'each' | 'batch' };
  const processor = await connect(`nats+jetstream://${url.replace('nats://', '')}/${STREAM}`, options);
  return { publish: (event) => processor.publish(SUBJECT, event), close: () => processor.close() };
}
