/** A disk that refuses dead letters pauses whoever makes them, until it takes them or nobody waits any more. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import { Refusals } from '../../../src/engine/refusals.ts';
import { Signals } from '../../../src/engine/signals.ts';
import type { LetterSink } from '../../../src/resilience/letter-sink.ts';
import { testOptions } from '../../integration/nats/options.ts';

const Wait = suite('refusals that wait');

interface Disk extends LetterSink {
  /** Flushes it still refuses. */
  refusals: number;
  flushes: number;
}

async function rig(refused: number): Promise<{ readonly refusals: Refusals; readonly disk: Disk; readonly refuse: () => void }> {
  const disk: Disk = {
    refusals: refused,
    flushes: 0,
    append: () => false,
    flush: async () => {
      disk.flushes += 1;
      if (disk.refusals-- > 0) throw new MillraceError('MILLRACE_DEAD_LETTERS', 'no space left');
    },
    close: async () => undefined,
  };
  const refusals = new Refusals(new Signals(testOptions({}).logger), { processor: 'x', target: 'y' }, async () => disk);
  await refusals.prepare('letters');
  const error = new MillraceError('MILLRACE_RECORD_INVALID', 'not valid');
  const place = { subject: null, file: null, line: 1, byteOffset: 0, byteEnd: 1 };
  const refuse = (): void =>
    refusals.refuse(
      { reason: 'invalid_json', message: '', error, raw: Buffer.of(1), encoding: 'input', attempts: 1, ...place },
      { deadLetters: 'letters' },
    );
  return { refusals, disk, refuse };
}

Wait('nobody waits while there is room', async () => {
  const { refusals, disk } = await rig(1);
  await refusals.whenRoom(() => false);
  assert.is(disk.flushes, 0);
});

Wait('the source waits until the disk takes them', async () => {
  const { refusals, disk, refuse } = await rig(2);
  refuse();
  await refusals.whenRoom(() => false);
  assert.is(disk.flushes, 3);
  await refusals.whenRoom(() => false);
  assert.is(disk.flushes, 3);
});

Wait('the end of a run waits as well', async () => {
  const { refusals, disk } = await rig(1);
  await refusals.whenSafe(() => false);
  assert.is(disk.flushes, 2);
});

Wait('who gives up is told why', async () => {
  const { refusals, disk, refuse } = await rig(100);
  refuse();
  for (const wait of [refusals.whenRoom.bind(refusals), refusals.whenSafe.bind(refusals)]) {
    const before = disk.flushes;
    const error = await wait(() => disk.flushes > before + 1).catch((thrown: unknown) => thrown);
    assert.is((error as MillraceError).message, 'no space left');
    assert.is(disk.flushes, before + 2);
  }
});

Wait.run();
