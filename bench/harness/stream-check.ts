/** Reads a stream back with the plain client and a plain msgpack library, and says whether it holds exactly what went in. */
import { unpack } from 'msgpackr';
import { connect } from 'nats';
import type { JetStreamClient, JsMsg, NatsConnection } from 'nats';
import type { Expectation, Identity } from './expectation.ts';
import { expectationOfAll, identityOfEvent } from './expectation.ts';
import { idHash } from './id-hash.ts';
import { scanIds } from './id-scan.ts';
import type { Seen } from './id-scan.ts';

const READ_BATCH = 256;
/** A server cuts off a client that it has more than 64 MB waiting for. */
const READ_BYTES = 16 * 1_048_576;
const EXPIRES_MS = 10_000;
const DECODE_EACH = 16;

export interface CheckRequest {
  readonly url: string;
  readonly stream: string;
  /** All files that went in, the warm-up's too. */
  readonly inputs: readonly string[];
  /** How often each of them went in; default 1. */
  readonly times?: number;
  /** Generated events: their ids are summed without decoding all of them. */
  readonly generated?: boolean;
  /** Duplicates were to be removed. */
  readonly deduped: boolean;
  readonly form: 'batch' | 'each';
  /** Default `id`. */
  readonly identity?: Identity;
}

/** Words that say what was checked; throws when the stream is wrong. */
export async function checkStream(request: CheckRequest): Promise<string> {
  const connection = await connect({ servers: request.url });
  try {
    const { state } = await (await connection.jetstreamManager()).streams.info(request.stream);
    if (request.form === 'each') return await checkEach(connection, state.messages, request);
    const seen = await readBatches(connection.jetstream(), { ...request, messages: state.messages });
    assertSame(request, seen, await expectationOfAll(request.inputs, request.identity ?? 'id'));
    return `stream read back: ${seen.events} events in ${state.messages} messages, checksum equal`;
  } finally {
    await connection.close();
  }
}

/** Each `DECODE_EACH`th message is decoded by a plain library and compared with the scan, so that a scan that misses something is seen. */
async function readBatches(
  client: JetStreamClient,
  { stream, messages, generated = false, identity = 'id' }: CheckRequest & { readonly messages: number },
): Promise<Seen> {
  const nameOf = identityOfEvent[identity];
  const decode = (data: Uint8Array): Seen => {
    const list = unpack(data) as unknown[];
    return { events: list.length, sum: list.reduce<number>((sum, event) => (sum + idHash(nameOf(event))) >>> 0, 0) };
  };
  let events = 0;
  let sum = 0;
  await readAll(client, { stream, messages }, ({ data, seq }) => {
    const seen = generated ? scanIds(data) : decode(data);
    if (generated && seq % DECODE_EACH === 1 && JSON.stringify(seen) !== JSON.stringify(decode(data)))
      throw new Error(`message ${seq} decodes to other ids than its bytes hold`);
    events += seen.events;
    sum = (sum + seen.sum) >>> 0;
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

function assertSame({ deduped, times = 1 }: CheckRequest, seen: Seen, expected: Expectation): void {
  const events = (deduped ? expected.unique : expected.lines) * times;
  const sum = Math.imul(deduped ? expected.sumOfUnique : expected.sumOfLines, times) >>> 0;
  if (seen.events !== events || seen.sum !== sum) {
    throw new Error(`the stream holds ${seen.events} events with checksum ${seen.sum}, not ${events} with ${sum}`);
  }
}

/** One message per event: all are counted, and each thousandth is decoded. */
async function checkEach(connection: NatsConnection, messages: number, request: CheckRequest): Promise<string> {
  const wanted = await eventsOf(request);
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

async function eventsOf({ inputs, deduped, identity = 'id' }: CheckRequest): Promise<number> {
  const expected = await expectationOfAll(inputs, identity);
  return deduped ? expected.unique : expected.lines;
}
