/** Before the first publish: one look at the stream for each first token, and one for each subject where the stream takes a part of it only. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import { Preparing, prepareStream } from '../../../src/engine/preparing.ts';
import type { Broker } from '../../../src/processors/broker.ts';

/** A stream that takes these subjects only; `asked` is what it was asked for. */
function streamOf(taken: readonly string[]): { readonly broker: Broker; readonly asked: string[][] } {
  const asked: string[][] = [];
  const prepare = async (subjects: readonly string[]): Promise<void> => {
    asked.push([...subjects]);
    const outside = subjects.find((subject) => !taken.includes(subject));
    if (outside !== undefined) throw new MillraceError('MILLRACE_SUBJECT_NOT_IN_STREAM', outside);
  };
  return { broker: { prepare } as unknown as Broker, asked };
}

const codeOf = async (work: () => Promise<unknown> | null): Promise<string | undefined> => {
  try {
    await work();
    return undefined;
  } catch (error) {
    return (error as MillraceError).code;
  }
};

const PreparingSuite = suite('preparing');

PreparingSuite('asks once for all subjects of a first token', async () => {
  const { broker, asked } = streamOf(['a', 'a.>']);
  const preparing = new Preparing(broker);
  await Promise.all([preparing.prepare('a.x'), preparing.prepare('a.y')]);
  assert.is(preparing.prepare('a.z'), null);
  assert.equal(asked, [['a', 'a.>']]);
});

PreparingSuite('takes a subject that a narrower stream takes, and refuses its neighbour', async () => {
  const { broker, asked } = streamOf(['a.x']);
  const preparing = new Preparing(broker);
  await preparing.prepare('a.x');
  await preparing.prepare('a.x');
  assert.is(preparing.prepare('a.x'), null);
  assert.is(await codeOf(() => preparing.prepare('a.y')), 'MILLRACE_SUBJECT_NOT_IN_STREAM');
  assert.is(await codeOf(() => preparing.prepare('a.y')), 'MILLRACE_SUBJECT_NOT_IN_STREAM');
  assert.equal(asked, [['a', 'a.>'], ['a.x'], ['a.x'], ['a.y'], ['a.y']]);
});

PreparingSuite('asks again after a failure', async () => {
  const { broker, asked } = streamOf([]);
  const preparing = new Preparing(broker);
  for (const _ of [1, 2]) assert.is(await codeOf(() => preparing.prepare('a.x')), 'MILLRACE_SUBJECT_NOT_IN_STREAM');
  assert.is(asked.length, 4);
});

for (const subject of ['*', '>', '*.a', '', 'a b'])
  PreparingSuite(`makes no stream for ${JSON.stringify(subject)}`, async () => {
    const { broker, asked } = streamOf([]);
    assert.is(await codeOf(async () => new Preparing(broker).prepare(subject)), 'MILLRACE_SUBJECT_INVALID');
    assert.equal(asked, []);
  });

PreparingSuite('says whether the stream takes all that it was asked for', async () => {
  assert.is(await prepareStream(streamOf(['a', 'a.>']).broker, ['a', 'a.>'], 'a.{}'), true);
  assert.is(await prepareStream(streamOf(['a.{}']).broker, ['a', 'a.>'], 'a.{}'), false);
});

PreparingSuite.run();
