/** A server, a stream of its own for each test, and readers on it. */
import type { Test } from 'uvu';
import type { NatsConnection } from '../../../src/connections/nats-library.ts';
import { connect } from '../../../src/connections/nats-library.ts';
import type { Broker, BrokerReader, ConsumeRequest } from '../../../src/processors/broker.ts';
import { createJetStreamBroker } from '../../../src/processors/jetstream/broker.ts';
import type { TestServer } from '../../harness/nats-server.ts';
import { startNatsServer } from '../../harness/nats-server.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { Read } from './collector.ts';
import { Collector } from './collector.ts';
import { testOptions } from './options.ts';
import { outboundOf, RecordingListener } from './outbound.ts';

export const asked: ConsumeRequest = {
  filter: '>',
  durable: '',
  queue: '',
  start: { kind: 'all' },
  maxInFlight: 100,
  ackWaitMs: 30_000,
  noAck: false,
  confirmAcks: false,
};

export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

export class ReadingRig {
  server!: TestServer;
  outside!: NatsConnection;
  broker!: Broker;
  listener!: RecordingListener;
  /** Of the test: its stream is `READ<number>`, its subjects `read<number>.>`. */
  number = 0;

  serve(suite: Test): void {
    suite.before(async () => {
      this.server = await startNatsServer();
      this.outside = await connect({ servers: this.server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    });
    suite.before.each(async () => {
      const stream = `READ${++this.number}`;
      const servers = [`127.0.0.1:${this.server.port}`];
      this.broker = createJetStreamBroker(testOptions({ servers, stream, subjects: [`read${this.number}.>`] }));
      this.listener = new RecordingListener();
      await this.broker.open(this.listener);
      await this.broker.prepare([`read${this.number}.a`]);
    });
    suite.after.each(() => this.broker.close());
    suite.after(async () => {
      await this.outside.close();
      await this.server.stop();
    });
  }

  /** Stores `count` messages with the bodies 1 … count (or on from `from`) on the subjects a and b in turn. */
  async store(count: number, from = 1): Promise<void> {
    const before = this.listener.outcomes.size;
    for (let value = from; value < from + count; value++) {
      const subject = `read${this.number}.${value % 2 === 1 ? 'a' : 'b'}`;
      const message = outboundOf(subject, String(value), { 'Nats-Msg-Id': `m${value}`, Kind: 'number' });
      await waitFor('credit', () => this.broker.tryPublish(message, value));
    }
    await waitFor('the acks', () => this.listener.outcomes.size === before + count);
  }

  async reading(
    changes: Partial<ConsumeRequest>,
    onMessage?: (reader: () => BrokerReader, read: Read) => void,
  ): Promise<{ reader: BrokerReader; got: Collector }> {
    const got = new Collector();
    let reader: BrokerReader | null = null;
    if (onMessage !== undefined) got.onMessage = (read) => onMessage(() => reader!, read);
    reader = await this.broker.consume({ ...asked, ...changes }, got);
    return { reader, got };
  }
}
