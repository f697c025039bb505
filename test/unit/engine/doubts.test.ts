/** A batch in doubt that is too old to be sent again is looked up: found, sent again, or, where the broker will never show its stream, unknown and said so. */
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import type { ReadBackRequest } from '../../../src/processors/broker.ts';
import { timedSuite, within } from '../../harness/timeout.ts';
import { FakeBroker } from './fake-broker.ts';
import type { Answer } from './fake-broker.ts';
import { closes, openOn } from './fault-run.ts';

const Doubtful = timedSuite('batches in doubt', { timeoutMs: 20_000 });

/** Its window has always passed already. */
class ForgetfulBroker extends FakeBroker {
  readonly duplicateWindowMs = 0;
  readonly #errors: MillraceError[];
  readBacks = 0;

  constructor(answer: Answer, errors: readonly MillraceError[]) {
    super({ steps: [{ answer, turns: 0 }], faultsMax: 1 });
    this.#errors = [...errors];
  }

  async readBack({ fromSequence, message }: ReadBackRequest): Promise<number> {
    this.readBacks += 1;
    const error = this.#errors.shift();
    if (error !== undefined) throw error;
    for (let sequence = fromSequence ?? 1; sequence <= this.stored.length; sequence += 1) {
      const { subject, messageId } = this.stored[sequence - 1]!;
      const header = (name: string): string | undefined => (name === 'Nats-Msg-Id' ? (messageId ?? undefined) : undefined);
      const headers = (): Record<string, string> => ({});
      message({ subject, payload: new Uint8Array(0), sequence, timeMs: 0, redeliveries: 0, handle: null, header, headers });
    }
    return this.stored.length;
  }
}

const away = new MillraceError('MILLRACE_BROKER', 'no answer', { retryable: true });
const denied = new MillraceError('MILLRACE_AUTH', 'may not read', { retryable: false });

const cases: readonly {
  readonly name: string;
  readonly answer: Answer;
  readonly errors: readonly MillraceError[];
  readonly outcome: string;
  readonly readBacks: number;
  readonly warnings: number;
}[] = [
  { name: 'stored', answer: 'stored-unknown', errors: [], outcome: 'acked', readBacks: 1, warnings: 0 },
  { name: 'not stored', answer: 'lost-unknown', errors: [], outcome: 'acked', readBacks: 1, warnings: 0 },
  { name: 'stored, no answer at first', answer: 'stored-unknown', errors: [away], outcome: 'acked', readBacks: 2, warnings: 1 },
  { name: 'stored, reading is refused', answer: 'stored-unknown', errors: [denied], outcome: 'unknown', readBacks: 1, warnings: 1 },
  { name: 'not stored, reading is refused', answer: 'lost-unknown', errors: [denied], outcome: 'unknown', readBacks: 1, warnings: 1 },
  { name: 'no answer, then refused', answer: 'lost-unknown', errors: [away, denied], outcome: 'unknown', readBacks: 2, warnings: 2 },
];

for (const { name, answer, errors, outcome, readBacks, warnings } of cases)
  Doubtful(`${name}: ${outcome}`, async () => {
    const broker = new ForgetfulBroker(answer, errors);
    const engine = await openOn(broker);
    const warned: string[] = [];
    engine.on('warning', (message) => warned.push(message));
    const became = await within('the publish settles', 8_000, () =>
      engine.publish('s', { n: 1 }).then(
        () => 'acked',
        (error: MillraceError) => {
          assert.equal([error.code, error.cause], ['MILLRACE_AUTH', denied]);
          return error.outcome;
        },
      ),
    );
    await engine.publish('s', { n: 2 }); // The others go on.
    const stats = engine.stats();
    await engine.close();
    closes(stats);
    assert.equal([became, broker.readBacks, warned.length], [outcome, readBacks, warnings], warned.join('; '));
    const lost = outcome === 'acked' ? 0 : 1;
    assert.equal([stats.acked, stats.failed, stats.unknown], [2 - lost, lost, lost]);
    const events = broker.stored.flatMap((message) => message.events.map((event) => (event as { readonly n: number }).n));
    assert.equal(events, answer === 'stored-unknown' || lost === 0 ? [1, 2] : [2]);
  });

Doubtful.run();
