/** When the memory of a record may serve for another: once the broker took it at the first attempt, or when it was never sent. */
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import type { KafkaLibrary } from '../../../src/processors/kafka/kafka-library.ts';
import { Lane } from '../../../src/processors/kafka/lane.ts';
import { Producers } from '../../../src/processors/kafka/producers.ts';
import type { OutboundRecord } from '../../../src/processors/kafka/record.ts';
import type { KafkaSettings } from '../../../src/processors/kafka/settings.ts';
import { waitFor } from '../../harness/wait-for.ts';

type Answer = (error: Error | null, result?: { readonly offsets: readonly { readonly offset: bigint }[] }) => void;

const settings = { topic: 't', compression: 'none', timeoutMs: 60_000, backoffMs: 0, backoffMaxMs: 0, bytesMax: () => 1_000_000 } as const;

function recordOf(token: number): OutboundRecord {
  const bytes = Buffer.from('x');
  return { token, subject: 's', key: bytes, value: bytes, headers: new Map(), timestamp: 0n, bytes: 100 };
}

/** A lane on a producer that answers when it is told to. */
class Rig {
  readonly answers: Answer[] = [];
  /** `token: unread`, as they were released. */
  readonly released: string[] = [];
  readonly outcomes: string[] = [];
  readonly lane: Lane;

  constructor() {
    const { answers } = this;
    class Producer {
      send(_: unknown, answer: Answer): void {
        answers.push(answer);
      }
      close(): Promise<void> {
        return Promise.resolve();
      }
    }
    const producers = new Producers({ Producer } as unknown as KafkaLibrary, {} as KafkaSettings);
    this.lane = new Lane(0, producers, settings, {
      released: ({ token }, unread) => this.released.push(`${token}: ${unread}`),
      acked: (token) => this.outcomes.push(`${token} acked`),
      failed: (token) => this.outcomes.push(`${token} failed`),
      unknown: (token) => this.outcomes.push(`${token} unknown`),
      reachable: () => undefined,
      settled: () => undefined,
    });
  }

  async push(...tokens: number[]): Promise<void> {
    for (const token of tokens) this.lane.push(recordOf(token));
    await turn();
  }

  /** To the oldest request without an answer. */
  answer(error: Error | null): void {
    this.answers.shift()!(error, { offsets: [{ offset: 5n }] });
  }

  close(): void {
    this.lane.close(() => new MillraceError('MILLRACE_CLOSED', 'closed'));
  }
}

const LaneSuite = suite('Kafka lane');

LaneSuite('taken at the first attempt: read no more', async () => {
  const rig = new Rig();
  await rig.push(1, 2);
  rig.answer(null);
  assert.equal(
    [rig.released, rig.outcomes],
    [
      ['1: true', '2: true'],
      ['1 acked', '2 acked'],
    ],
  );
});

LaneSuite('taken at the second attempt: the first may still be on its way', async () => {
  const rig = new Rig();
  await rig.push(1);
  rig.answer(Object.assign(new Error('lost'), { code: 'PLT_KFK_NETWORK' }));
  await waitFor('the second request', () => rig.answers.length > 0);
  assert.equal(rig.released, []);
  rig.answer(null);
  assert.equal([rig.released, rig.outcomes], [['1: false'], ['1 acked']]);
});

LaneSuite('closed: what was sent may be read, what was not sent is not', async () => {
  const rig = new Rig();
  await rig.push(1);
  await rig.push(2);
  rig.close();
  assert.equal(
    [rig.released, rig.outcomes],
    [
      ['1: false', '2: true'],
      ['1 unknown', '2 failed'],
    ],
  );
});

LaneSuite.run();
