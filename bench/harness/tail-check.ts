/** Looks at a stream that kept only its newest messages: nothing is missing in their sequence, and what is left decodes into events that differ. */
import { unpack } from 'msgpackr';
import { connect } from 'nats';
import { readAll } from './stream-check.ts';

/** `messages`: how many the publisher had acknowledged. */
export async function checkTail(url: string, stream: string, messages: number): Promise<string> {
  const connection = await connect({ servers: url });
  const { state } = await (await connection.jetstreamManager()).streams.info(stream);
  if (state.last_seq !== messages) throw new Error(`the stream's last sequence is ${state.last_seq}, not ${messages}`);
  const ids = new Set<string>();
  let events = 0;
  await readAll(connection.jetstream(), { stream, messages: state.messages }, ({ data }) => {
    const value: unknown = unpack(data);
    for (const { id } of (Array.isArray(value) ? value : [value]) as { readonly id: string }[]) {
      ids.add(id);
      events += 1;
    }
  });
  await connection.close();
  if (ids.size !== events) throw new Error(`${events - ids.size} of the newest ${events} events are there twice`);
  return `all ${messages} messages are in the stream's sequence; the newest ${events} events read back, all different`;
}
