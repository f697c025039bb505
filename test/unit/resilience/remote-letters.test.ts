/** Letters to a broker are in the broker or in the folder beside it, whatever the broker does; told once, and counted. */
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import type { EventProcessor } from '../../../src/api/processor.ts';
import type { DeadLetter, DeadLetterInput } from '../../../src/resilience/dead-letter-types.ts';
import { DeadLetterStore } from '../../../src/resilience/dead-letters.ts';
import { isLetterUrl } from '../../../src/resilience/letter-sink.ts';
import { RemoteLetters } from '../../../src/resilience/remote-letters.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { allOf, letter as makeLetter, temporaryFolder } from './dead-letter-fixtures.ts';

const Remote = timedSuite('RemoteLetters');
let folder: ReturnType<typeof temporaryFolder>;
Remote.before.each(() => {
  folder = temporaryFolder();
});
Remote.after.each(() => folder.remove());

type Answer = 'stored' | 'never' | MillraceError;

/** The part of a processor that letters use; `answer` says what becomes of the next. */
class FakeTarget {
  answer: Answer = 'stored';
  closed = 0;
  readonly stored: { readonly subject: string; readonly id: string }[] = [];
  readonly capabilities: { readonly wildcards: boolean } = { wildcards: true };
  readonly #late: (() => void)[] = [];

  on(): this {
    return this;
  }

  async publish(subject: string, event: unknown): Promise<void> {
    const { answer } = this;
    if (answer instanceof MillraceError) throw answer;
    if (answer === 'never') await new Promise<void>((resolve) => this.#late.push(resolve));
    this.stored.push({ subject, id: (event as { readonly id: string }).id });
  }

  /** What never came comes after all. */
  answerLate(): void {
    for (const resolve of this.#late.splice(0)) resolve();
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

interface Rig {
  readonly target: FakeTarget;
  readonly letters: RemoteLetters;
  readonly warnings: string[];
  readonly beside: () => Promise<DeadLetter[]>;
}

async function makeRig(giveUpMs = 40): Promise<Rig> {
  const target = new FakeTarget();
  const warnings: string[] = [];
  const store = await DeadLetterStore.open(folder.path);
  const letters = new RemoteLetters({
    processor: target as unknown as EventProcessor,
    url: 'nats+jetstream://me:hunter2@h/DEAD',
    folder: store,
    onWarning: (message) => warnings.push(message),
    giveUpMs,
  });
  return { target, letters, warnings, beside: () => allOf(store) };
}

const letter = (text: string): DeadLetterInput => makeLetter({ raw: Buffer.from(text) });

Remote('publishes each by its reason, and nothing to the folder', async () => {
  const { target, letters, warnings, beside } = await makeRig();
  for (const text of ['a', 'b', 'c']) assert.is(letters.append(letter(text)), true);
  await letters.flush();
  assert.equal([...new Set(target.stored.map(({ subject }) => subject))], ['dead-letters.invalid_json']);
  assert.is(new Set(target.stored.map(({ id }) => id)).size, 3);
  await letters.close();
  await letters.close();
  assert.equal([target.closed, warnings, await beside()], [1, [], []]);
  assert.throws(() => letters.append(letter('d')), /are closed/);
});

Remote('what is refused goes to the folder as it is, told once and counted at the end, without secrets', async () => {
  const { target, letters, warnings, beside } = await makeRig();
  target.answer = new MillraceError('MILLRACE_BROKER', 'no room for me:hunter2@h');
  for (const text of ['a', 'b', 'c']) letters.append(letter(text));
  await letters.flush();
  assert.equal(
    (await beside()).map(({ raw }) => Buffer.from(raw).toString()),
    ['a', 'b', 'c'],
  );
  await letters.close();
  assert.is(warnings.length, 2);
  assert.match(warnings[0]!, /go to .*letters: nats\+jetstream:\/\/\*\*\*@h\/DEAD does not take them/);
  assert.match(warnings[1]!, /^3 of 3 dead letters are in .*letters/);
});

Remote('a target that does not answer is given up, left alone, and used again when it is back', async () => {
  const { target, letters, warnings, beside } = await makeRig();
  target.answer = 'never';
  letters.append(letter('a'));
  letters.append(letter('b'));
  await letters.flush();
  letters.append(letter('c')); // At once: nobody waits for it a second time.
  await letters.flush();
  assert.equal(
    (await beside()).map(({ raw }) => Buffer.from(raw).toString()),
    ['a', 'b', 'c'],
  );
  target.answer = 'stored';
  let sent = 3;
  await waitFor('a letter that goes through', async () => {
    letters.append(letter(`later ${(sent += 1)}`));
    await letters.flush();
    return target.stored.length > 0;
  });
  letters.append(letter('last'));
  await letters.flush();
  sent += 1;
  assert.is(target.stored.length, 2);
  assert.is((await beside()).length, sent - 2);
  // Taken after all: in both places, under one id.
  target.answerLate();
  await waitFor('the late ones', () => target.stored.length === 4);
  const ids = new Set([...target.stored.map(({ id }) => id), ...(await beside()).map(({ id }) => id)]);
  assert.is(ids.size, sent);
  await letters.close();
  assert.match(warnings[0]!, /no answer within 40 ms/);
});

Remote('one letter that is too large goes to the folder alone', async () => {
  const { target, letters, beside } = await makeRig();
  target.answer = new MillraceError('MILLRACE_EVENT_TOO_LARGE', '2 MB > 1 MB');
  letters.append(letter('large'));
  await letters.flush();
  target.answer = 'stored';
  letters.append(letter('small'));
  await letters.flush();
  assert.equal([target.stored.length, (await beside()).length], [1, 1]);
  await letters.close();
});

Remote('says that there is no room while too much waits for an answer', async () => {
  const { target, letters, beside } = await makeRig(200);
  target.answer = 'never';
  let count = 0;
  do count += 1;
  while (letters.append(letter('x'.repeat(1_000_000))) && count < 50);
  assert.is(count, 9);
  await letters.flush(); // Never longer than the wait for an answer.
  assert.is((await beside()).length, count);
  await letters.close();
});

for (const [place, expected] of [
  ['millrace-dead-letters', false],
  ['/var/dead', false],
  ['C:\\dead', false],
  ['jetstream', false],
  ['embedded:dead', true],
  ['nats+jetstream://h/DEAD', true],
  ['natz://h', true],
] as const)
  Remote(`${place} is a ${expected ? 'URL' : 'folder'}`, () => assert.is(isLetterUrl(place), expected));

Remote.run();
