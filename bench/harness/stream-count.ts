/** How many events and messages a stream holds, by decoding all of it. */
import { unpack } from 'msgpackr';
import { connect } from 'nats';
import { readAll } from './stream-check.ts';

/** A message with the header `Millrace-Count` is a batch; any other is one event. */
export async function countEvents(url: string, stream: string): Promise<{ readonly events: number; readonly messages: number }> {
  const connection = await connect({ servers: url });
  const { state } = await (await connection.jetstreamManager()).streams.info(stream);
  let events = 0;
  await readAll(connection.jetstream(), { stream, messages: state.messages }, (message) => {
    const value: unknown = unpack(message.data);
    if (typeof value !== 'object' || value === null) throw new Error(`message ${message.seq} is no event`);
    events += message.headers?.has('Millrace-Count') === true ? (value as unknown[]).length : 1;
  });
  await connection.close();
  return { events, messages: state.messages };
}
