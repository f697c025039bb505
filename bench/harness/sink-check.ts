/** Asks the sink what it took, and compares that with what went in. */
import { connect } from 'nats';
import { expectationOfAll } from './expectation.ts';

/** A request on it is answered with the counts. */
export const COUNT_SUBJECT = '$SINK.COUNT';

export interface SinkCounts {
  readonly events: number;
  readonly messages: number;
  readonly bytes: number;
}

export async function checkSink(url: string, inputs: readonly string[], deduped: boolean): Promise<string> {
  const { unique, lines } = await expectationOfAll(inputs, 'id');
  const wanted = deduped ? unique : lines;
  const connection = await connect({ servers: url });
  const counts = (await connection.request(COUNT_SUBJECT)).json<SinkCounts>();
  await connection.close();
  if (counts.events !== wanted) throw new Error(`the sink took ${counts.events} events, not ${wanted}`);
  return `the sink counted ${counts.events} events in ${counts.messages} messages; it stores nothing`;
}
