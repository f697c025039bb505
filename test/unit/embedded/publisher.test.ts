/** The publisher over a store whose every answer is written down: order after conflicts and failures, and a store that never answers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Publisher } from '../../../src/processors/embedded/publisher.ts';
import type { Store } from '../../../src/processors/embedded/store.ts';
import { writeHead } from '../../../src/processors/embedded/store.ts';
import { waitFor } from '../../harness/wait-for.ts';

const Suite = suite('embedded publisher');

type Answer = 'stored' | 'foreign' | 'foreign-full' | 'full' | 'panic' | 'silent';

/** As long for every write, so that they end in order, and long enough that several are under way. */
async function turns(): Promise<void> {
  for (let left = 3; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
}

/** LMDB in memory as far as the publisher uses it. `foreign` = another process writes one message just before this group; `foreign-full` = and the disk is full when it is this group's turn again. */
class FakeStore {
  readonly #answers: Answer[];
  readonly records: string[] = [];
  #head = writeHead(Buffer.alloc(16), 1, 0);
  #token = 1;
  #puts: { readonly sequence: number; readonly text: string }[] = [];
  #newHead: { readonly value: Buffer; readonly token: number } | null = null;
  panicked = false;
  #fullUnderLock = false;
  readonly env = { writeTxn: false };

  constructor(answers: readonly Answer[]) {
    this.#answers = [...answers];
  }

  resetReadTxn(): void {}

  getEntry(): { readonly value: Buffer; readonly version: number } {
    return { value: this.#head, version: this.#token };
  }

  put(key: string | number, value: Buffer, token?: number): void {
    if (typeof key === 'string') this.#newHead = { value: Buffer.from(value), token: token! };
    else this.#puts.push({ sequence: key, text: value.subarray(33).toString() }); // 32 of header, a subject of 1
  }

  transactionSync(): void {
    if (this.panicked) throw new Error('MDB_PANIC: Update of meta page failed');
  }

  async ifVersion(_key: string, token: number, write: () => void): Promise<boolean> {
    write();
    const [puts, head] = [this.#puts.splice(0), this.#newHead!];
    const answer = this.#answers.shift() ?? 'stored';
    await turns();
    if (answer === 'silent') return new Promise(() => undefined);
    if (answer === 'foreign-full') this.#fullUnderLock = true;
    if (answer.startsWith('foreign'))
      this.#commit([{ sequence: this.records.length + 1, text: 'foreign' }], {
        value: writeHead(Buffer.alloc(16), this.records.length + 2, 0),
        token: 1e9 + this.records.length,
      });
    if (token !== this.#token) return false;
    if (answer !== 'stored') throw this.#failure(answer);
    this.#commit(puts, head);
    return true;
  }

  async childTransaction(write: () => void): Promise<void> {
    await turns();
    this.env.writeTxn = true;
    write();
    this.env.writeTxn = false;
    if (this.#fullUnderLock) {
      this.#fullUnderLock = false;
      this.#puts = [];
      throw this.#failure('full');
    }
    this.#commit(this.#puts.splice(0), this.#newHead!);
  }

  #failure(answer: Answer): Error {
    this.panicked = answer === 'panic';
    const commitError = Promise.reject(new Error(answer === 'full' ? 'No space left on device' : 'Input/output error'));
    return Object.assign(new Error('Commit failed (see commitError for details)'), { commitError });
  }

  #commit(
    puts: readonly { readonly sequence: number; readonly text: string }[],
    head: { readonly value: Buffer; readonly token: number },
  ): void {
    for (const { sequence, text } of puts) {
      assert.is(this.records[sequence - 1], undefined, `sequence ${sequence} is written twice`);
      this.records[sequence - 1] = text;
    }
    this.#head = head.value;
    this.#token = head.token;
  }
}

interface Run {
  readonly publisher: Publisher;
  readonly outcomes: string[];
  readonly publish: (token: number) => boolean;
}

function run(fake: FakeStore, publishTimeoutMs: number = 10_000): Run {
  const outcomes: string[] = [];
  const store = { path: '/fake', meta: fake, messages: fake } as unknown as Store;
  const listener = {
    acked: (token: number, sequence: number) => void outcomes.push(`${token} acked ${sequence}`),
    failed: (token: number, { code, retryable }: { readonly code: string; readonly retryable: boolean }) =>
      void outcomes.push(`${token} failed ${code} ${retryable}`),
    unknown: (token: number, { code }: { readonly code: string }) => void outcomes.push(`${token} unknown ${code}`),
    writable: () => undefined,
    state: (state: string) => void outcomes.push(state),
    warning: () => undefined,
  };
  const publisher = new Publisher({
    store,
    listener,
    lastTimeMs: 0,
    onStored: () => undefined,
    maxInFlightBytes: 1e6,
    maxInFlightMessages: 100,
    publishTimeoutMs,
  });
  const publish = (token: number): boolean => {
    const memory = Buffer.from(String(token));
    return publisher.tryPublish({ subject: 's', memory, start: 0, payloadStart: 0, end: memory.length, count: 1 }, token);
  };
  return { publisher, outcomes, publish };
}

const schedules: readonly {
  readonly name: string;
  readonly answers: readonly Answer[];
  readonly records: readonly string[];
  readonly outcomes: readonly string[];
}[] = [
  { name: 'alone', answers: [], records: ['0', '1', '2', '3'], outcomes: ['0 acked 1', '1 acked 2', '2 acked 3', '3 acked 4'] },
  {
    name: 'another writes first',
    answers: ['foreign'],
    records: ['foreign', '0', '1', '2', '3'],
    outcomes: ['0 acked 2', '1 acked 3', '2 acked 4', '3 acked 5'],
  },
  {
    name: 'another writes between',
    answers: ['stored', 'stored', 'foreign'],
    records: ['0', '1', 'foreign', '2', '3'],
    outcomes: ['0 acked 1', '1 acked 2', '2 acked 4', '3 acked 5'],
  },
  {
    name: 'another writes twice',
    answers: ['stored', 'foreign', 'foreign'],
    records: ['0', 'foreign', 'foreign', '1', '2', '3'],
    outcomes: ['0 acked 1', '1 acked 4', '2 acked 5', '3 acked 6'],
  },
  {
    name: 'the disk is full for one',
    answers: ['stored', 'full'],
    records: ['0', '2', '3'],
    outcomes: ['0 acked 1', '1 failed MILLRACE_BROKER_FULL true', '2 acked 2', '3 acked 3'],
  },
  {
    name: 'another writes first, and then the disk is full',
    answers: ['foreign-full'],
    records: ['foreign', '1', '2', '3'],
    outcomes: ['0 failed MILLRACE_BROKER_FULL true', '1 acked 2', '2 acked 3', '3 acked 4'],
  },
  {
    name: 'the meta page cannot be written',
    answers: ['stored', 'panic'],
    records: ['0'],
    outcomes: ['0 acked 1', '1 unknown MILLRACE_STORE', '2 unknown MILLRACE_STORE', '3 unknown MILLRACE_STORE', 'closed'],
  },
];
for (const { name, answers, records, outcomes } of schedules)
  Suite(`keeps order, and gives each sequence once and each message one outcome, when: ${name}`, async () => {
    const fake = new FakeStore(answers);
    const { publisher, publish, outcomes: got } = run(fake);
    // One group per turn of the event loop, so that several are in flight.
    for (let token = 0; token < 4; token++) {
      assert.ok(publish(token));
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      if (got.includes('closed')) break;
    }
    await publisher.close();
    const last = got.filter((line) => /^\d/u.test(line)).length;
    assert.equal(fake.records, records);
    assert.equal(
      got,
      outcomes.filter((line) => line === 'closed' || Number.parseInt(line, 10) < last),
    );
  });

Suite('reports what a silent store holds as unknown, says it is closed, takes no more, and can be closed', async () => {
  const { publisher, publish, outcomes } = run(new FakeStore(['silent', 'silent']), 20);
  assert.ok(publish(1));
  await waitFor('the timeout', () => outcomes.length === 2);
  assert.equal(outcomes, ['1 unknown MILLRACE_STORE', 'closed']);
  assert.not(publish(2));
  await publisher.close();
});

Suite.run();
