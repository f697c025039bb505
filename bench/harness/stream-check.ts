/** Reads a stream back with the plain client and a plain msgpack library, and says whether it holds exactly what went in. */
import { unpack } from 'msgpackr';
import { connect } from 'nats';
import type { JetStreamClient, JsMsg, NatsConnection } from 'nats';
import type { Expectation, Identity } from './expectation.ts';
import { expectationOf, identityOfEvent } from './expectation.ts';
import { idHash } from './id-hash.ts';

const READ_BATCH = 256;
/** A server cuts off a client that it has more than 64 MB waiting for. */
const READ_BYTES = 16 * 1_048_576;
const EXPIRES_MS = 10_000;

export interface CheckRequest {
  readonly url: string;
  readonly stream: string;
  readonly input: string;
  /** Duplicates were to be removed. */
  readonly deduped: boolean;
  readonly form: 'batch' | 'each';
  /** Default `id`. */
  readonly identity?: Identity;
  /** Events that went in, when it was not the whole input. */
  readonly limit?: number;
}

/** Words that say what was checked; throws when the stream is wrong. */
export async function checkStream(request: CheckRequest): Promise<string> {
  const connection = await connect({ servers: request.url });
  try {
    const { state } = await (await connection.jetstreamManager()).streams.info(request.stream);
    if (request.form === 'each') return await checkEach(connection, state.messages, request);
    const seen = await readBatches(connection.jetstream(), { ...request, messages: state.messages });
    const expected = await expectationOf(request.input, request.identity ?? 'id');
    assertSame(request, seen, expected);
    return `stream read back: ${seen.events} events in ${state.messages} messages, checksum equal`;
  } finally {
    await connection.close();
  }
}

interface Seen {
  readonly events: number;
  readonly sum: number;
}

async function readBatches(
  client: JetStreamClient,
  { stream, messages, identity = 'id' }: CheckRequest & { readonly messages: number },
): Promise<Seen> {
  const nameOf = identityOfEvent[identity];
  let events = 0;
  let sum = 0;
  await readAll(client, { stream, messages }, (message) => {
    for (const event of unpack(message.data) as unknown[]) {
      events += 1;
      sum = (sum + idHash(nameOf(event))) >>> 0;
    }
  });
  return { events, sum };
}

export async function readAll(
  client: JetStreamClient,
  { stream, messages }: { readonly stream: string; readonly messages: number },
  take: (message: JsMsg) => void,
): Promise<void> {
  const consumer = await client.consumers.get(stream);
  const { state } = await (await client.jetstreamManager()).streams.info(stream);
  const batchMax = Math.max(1, Math.min(READ_BATCH, Math.floor((READ_BYTES * state.messages) / Math.max(1, state.bytes))));
  let read = 0;
  while (read < messages) {
    const batch = await consumer.fetch({ max_messages: Math.min(batchMax, messages - read), expires: EXPIRES_MS });
    const before = read;
    for await (const message of batch) {
      take(message);
      read += 1;
    }
    if (read === before) throw new Error(`${stream}: ${read} of ${messages} messages could be read`);
  }
}

function assertSame({ deduped, limit }: CheckRequest, seen: Seen, expected: Expectation): void {
  if (limit !== undefined) {
    if (seen.events !== limit) throw new Error(`the stream holds ${seen.events} events, not ${limit}`);
    return;
  }
  const events = deduped ? expected.unique : expected.lines;
  const sum = deduped ? expected.sumOfUnique : expected.sumOfLines;
  if (seen.events !== events || seen.sum !== sum) {
    throw new Error(`the stream holds ${seen.events} events with checksum ${seen.sum}, not ${events} with ${sum}`);
  }
}

/** One message per event: all are counted, and each thousandth is decoded. */
async function checkEach(connection: NatsConnection, messages: number, request: CheckRequest): Promise<string> {
  const wanted = request.limit ?? (await wholeInput(request));
  if (messages !== wanted) throw new Error(`the stream holds ${messages} messages, not ${wanted}`);
  const manager = await connection.jetstreamManager();
  const step = Math.max(1, Math.floor(messages / SAMPLES));
  let samples = 0;
  for (let sequence = 1; sequence <= messages; sequence += step) {
    const { data } = await manager.streams.getMessage(request.stream, { seq: sequence });
    const event: unknown = unpack(data);
    if (typeof event !== 'object' || event === null) throw new Error(`message ${sequence} is no event`);
    samples += 1;
  }
  return `${messages} messages counted in the stream, ${samples} of them decoded`;
}

const SAMPLES = 100;

async function wholeInput({ input, deduped, identity = 'id' }: CheckRequest): Promise<number> {
  const expected = await expectationOf(input, identity);
  return deduped ? expected.unique : expected.lines;
}
