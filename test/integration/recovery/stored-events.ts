/** Reads a whole stream with the plain client and a plain msgpack library, and counts how often each event is stored. */
import { connect } from 'nats';
import type { JsMsg } from 'nats';
import { unpack } from 'msgpackr';

export interface StoredEvents {
  /** By the event's number: copies of it. */
  readonly copies: ReadonlyMap<number, number>;
  readonly messages: number;
}

/** Messages in the stream now; -1 while there is none. */
export async function messagesIn(url: string, stream: string): Promise<number> {
  const connection = await connect({ servers: url });
  try {
    const jsm = await connection.jetstreamManager();
    return (await jsm.streams.info(stream)).state.messages;
  } catch {
    return -1;
  } finally {
    await connection.close();
  }
}

export async function storedEvents(url: string, stream: string): Promise<StoredEvents> {
  const connection = await connect({ servers: url });
  const copies = new Map<number, number>();
  let messages = 0;
  try {
    const jsm = await connection.jetstreamManager();
    const { state } = await jsm.streams.info(stream);
    const consumer = await connection.jetstream().consumers.get(stream);
    while (messages < state.messages) {
      for await (const message of await consumer.fetch({ max_messages: Math.min(500, state.messages - messages), expires: 5_000 })) {
        messages += 1;
        numbersOf(message).forEach((n) => copies.set(n, (copies.get(n) ?? 0) + 1));
      }
    }
  } finally {
    await connection.close();
  }
  return { copies, messages };
}

function numbersOf({ data, headers }: JsMsg): number[] {
  const content = unpack(data) as unknown;
  const list = headers?.has('Millrace-Count') === true ? (content as unknown[]) : [content];
  const envelope = headers?.get('Content-Type').includes('form=envelope') === true;
  return list.map((element) => ((envelope ? (element as unknown[])[2] : element) as { readonly n: number }).n);
}

/** In words what differs from each of `count` events stored exactly once; empty = nothing. */
export function notOnce({ copies }: StoredEvents, count: number): string {
  const missing: number[] = [];
  const twice: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const stored = copies.get(n) ?? 0;
    if (stored === 0) missing.push(n);
    if (stored > 1) twice.push(n);
  }
  const strange = [...copies.keys()].filter((n) => n < 0 || n >= count);
  const say = (what: string, list: readonly number[]): string =>
    list.length === 0 ? '' : `${list.length} ${what}, such as ${list.slice(0, 5).join(', ')}; `;
  return say('missing', missing) + say('more than once', twice) + say('strange', strange);
}
