/** Reading a stream that Millrace filled: by our subscriptions, and by the plain client with an ack for each message. */
import { setTimeout } from 'node:timers/promises';
import { unpack } from 'msgpackr';
import { AckPolicy } from 'nats';
import type { JsMsg } from 'nats';
import { connect, MillraceError } from 'millrace';
import type { EventProcessor, Handler, Subscription, WorkerHandler } from 'millrace';
import { expectationOf } from '../harness/expectation.ts';
import { inputFile } from '../harness/input.ts';
import { measure } from '../harness/measure.ts';
import { Absent } from '../harness/types.ts';
import type { RunRequest, RunResult } from '../harness/types.ts';
import { STREAM, SUBJECT } from '../rivals/nats-stream.ts';
import { inputOf, numberOf, textOf } from '../rivals/params.ts';
import { count } from './count-handler.ts';
import { Tally } from './tally.ts';

const DURABLE = 'bench';
const POLL_MS = 2;
/** Of the client 100 messages are in flight, two hundred thousand events: with 1,000 events less than one message of a batch would be. */
const BATCHED_IN_FLIGHT = 100_000;

/** Params: reader (main, worker, client-iterate, client-callback), framing, events, maxInFlight. */
export async function run(request: RunRequest): Promise<RunResult> {
  const input = await inputFile(inputOf(request));
  const framing = textOf(request.params, 'framing', 'batch') as 'batch' | 'each';
  const processor = await connect(`nats+jetstream://${request.url.replace('nats://', '')}/${STREAM}`, { deadLetters: 'off' });
  await processor.ingest(input, { subject: SUBJECT, id: 'none', framing });
  const expected = await expectationOf(input, 'id');
  const tally = new Tally();
  const reader = textOf(request.params, 'reader', 'main');
  const read = (): Promise<void> =>
    reader.startsWith('client')
      ? readByClient(request, { reader, wanted: expected.lines, tally })
      : readByUs(processor, request, { wanted: expected.lines, tally });
  const { figures } = await measure(read, { brokerPid: request.brokerPid, events: () => expected.lines });
  await processor.close();
  if (reader !== 'worker') tally.check(expected);
  const acked = await checkAcked(request.url);
  return { figures, verified: `${expected.lines} events came${reader === 'worker' ? '' : ', checksum equal'}; ${acked}` };
}

/** Workers cannot tell us what they summed; that every event was handed over is seen here, and that every message was acked at the broker. */
async function handedOver(subscription: Subscription, wanted: number): Promise<void> {
  while (subscription.received < wanted) await setTimeout(POLL_MS);
}

async function checkAcked(url: string): Promise<string> {
  const { connect: connectClient } = await import('nats');
  const connection = await connectClient({ servers: url });
  const manager = await connection.jetstreamManager();
  const [{ state }, consumer] = [await manager.streams.info(STREAM), await manager.consumers.info(STREAM, DURABLE)];
  await connection.close();
  if (consumer.num_ack_pending > 0 || consumer.ack_floor.stream_seq !== state.last_seq)
    throw new Error(`${consumer.ack_floor.stream_seq} of ${state.last_seq} messages are acked`);
  return `all ${state.messages} messages are acked at the broker`;
}

interface Wanted {
  readonly wanted: number;
  readonly tally: Tally;
}

async function readByUs(processor: EventProcessor, { params }: RunRequest, { wanted, tally }: Wanted): Promise<void> {
  let finish = (): void => undefined;
  const all = new Promise<void>((resolve) => (finish = resolve));
  const onMain: Handler = (event) => {
    tally.add(event);
    if (tally.events === wanted) finish();
  };
  const inWorkers: WorkerHandler = { module: new URL('./count-handler.js', import.meta.url), export: count.name };
  const worker = textOf(params, 'reader') === 'worker';
  try {
    const options = {
      durable: DURABLE,
      start: 'all',
      maxInFlight: numberOf(params, 'maxInFlight', textOf(params, 'framing', 'batch') === 'batch' ? BATCHED_IN_FLIGHT : 1_000),
    } as const;
    const subscription = await processor.subscribe(SUBJECT, worker ? inWorkers : onMain, options);
    await Promise.race([worker ? handedOver(subscription, wanted) : all, subscription.closed]);
    await subscription.drain();
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'MILLRACE_NOT_SUPPORTED') throw new Absent(error.message);
    throw error;
  }
}

/** Of batches a hundred are 40 MB: with a thousand the server takes the client for a slow one and hangs up. */
const CLIENT_MESSAGES_MAX: Readonly<Record<string, number>> = { batch: 100, each: 1_000 };

async function readByClient({ url, params }: RunRequest, { reader, wanted, tally }: Wanted & { readonly reader: string }): Promise<void> {
  const { connect: connectClient } = await import('nats');
  const connection = await connectClient({ servers: url });
  await (await connection.jetstreamManager()).consumers.add(STREAM, { durable_name: DURABLE, ack_policy: AckPolicy.Explicit });
  const consumer = await connection.jetstream().consumers.get(STREAM, DURABLE);
  const take = (message: JsMsg): boolean => {
    const value: unknown = unpack(message.data);
    if (Array.isArray(value)) for (const event of value) tally.add(event);
    else tally.add(value);
    message.ack();
    return tally.events === wanted;
  };
  if (reader === 'client-iterate') {
    for await (const message of await consumer.consume({ max_messages: 1_000 })) if (take(message)) break;
  } else {
    await new Promise<void>(
      (resolve) =>
        void consumer.consume({
          max_messages: CLIENT_MESSAGES_MAX[textOf(params, 'framing', 'batch')]!,
          callback: (message) => take(message) && resolve(),
        }),
    );
  }
  await connection.flush();
  await connection.close();
}
