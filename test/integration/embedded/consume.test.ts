/** Reading: where it begins, what it sees, and what ack, nak, term, working and time do to a message. */
import * as assert from 'uvu/assert';
import type { StartAt } from '../../../src/processors/broker.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import type { Rig } from './store-rig.ts';
import { openRig, read, remove, temporaryFolder } from './store-rig.ts';

const Suite = timedSuite('embedded: reading');
let folder = '';
let rig: Rig;
Suite.before.each(async () => {
  folder = temporaryFolder();
  rig = await openRig(folder);
});
Suite.after.each(async () => {
  await rig.broker.close();
  remove(folder);
});

const subjects = ['a.x', 'b.x', 'a.y.z', 'c', 'a.x'];
const starts: readonly {
  readonly name: string;
  readonly start: StartAt;
  readonly filter: string;
  readonly sequences: readonly number[];
}[] = [
  { name: 'all', start: { kind: 'all' }, filter: '>', sequences: [1, 2, 3, 4, 5, 6] },
  { name: 'new', start: { kind: 'new' }, filter: '>', sequences: [6] },
  { name: 'last', start: { kind: 'last' }, filter: '>', sequences: [5, 6] },
  { name: 'the last that matches', start: { kind: 'last' }, filter: 'b.*', sequences: [2] },
  { name: 'the last of none that match', start: { kind: 'last' }, filter: 'end.>', sequences: [6] },
  { name: 'a sequence', start: { kind: 'sequence', sequence: 3 }, filter: '>', sequences: [3, 4, 5, 6] },
  { name: 'a sequence before the first', start: { kind: 'sequence', sequence: 0 }, filter: 'c', sequences: [4] },
  { name: 'a sequence beyond the last', start: { kind: 'sequence', sequence: 6 }, filter: '>', sequences: [6] },
  { name: 'a time before all', start: { kind: 'time', time: new Date(0) }, filter: 'a.*', sequences: [1, 5] },
  { name: 'a time after all so far', start: { kind: 'time', time: new Date(4e12) }, filter: '>', sequences: [6] },
  { name: 'all, by a filter', start: { kind: 'all' }, filter: 'a.>', sequences: [1, 3, 5] },
];
for (const { name, start, filter, sequences } of starts)
  Suite(`starts at ${name} (${filter}) and follows`, async () => {
    for (const subject of subjects) await rig.say(subject, subject);
    const { reader, got } = await read(rig.broker, { start, filter });
    await rig.say('end.now', 'last');
    await waitFor('the messages', () => got.length >= sequences.length);
    await reader.flush();
    await reader.close();
    assert.equal(
      got.map(({ sequence }) => sequence),
      sequences,
    );
  });

Suite('finds a time between messages', async () => {
  const times: number[] = [];
  for (let index = 0; index < 20; index++) {
    await rig.say('s', String(index));
    times.push(Date.now());
    await waitFor('the clock', () => Date.now() > times.at(-1)!);
  }
  const { reader, got } = await read(rig.broker, { start: { kind: 'time', time: new Date(times[9]! + 1) } });
  await waitFor('the messages', () => got.length === 10);
  await reader.close();
  assert.equal(
    got.map(({ text }) => text),
    ['10', '11', '12', '13', '14', '15', '16', '17', '18', '19'],
  );
});

Suite('knows the last sequence, also by filter', async () => {
  assert.is(await rig.broker.lastSequence('>'), 0);
  for (const subject of subjects) await rig.say(subject, '');
  const filters = ['>', 'b.x', 'a.*', 'nothing'];
  assert.equal(await Promise.all(filters.map((filter) => rig.broker.lastSequence(filter))), [5, 2, 5, 0]);
});

Suite('brings a message again when its ack does not come, counts it, and takes a late ack', async () => {
  await rig.say('s', 'once');
  const { reader, got } = await read(rig.broker, { ackWaitMs: 40 }, (message, by) => {
    if (message.redeliveries === 2) by.ack(message.handle);
  });
  await waitFor('three deliveries', () => got.length === 3);
  await reader.flush();
  await reader.close();
  assert.equal(
    got.map(({ redeliveries }) => redeliveries),
    [0, 1, 2],
  );
});

Suite('nak brings it again after its delay and not before, term and ack end it, only the first answer counts', async () => {
  for (const text of ['nak', 'term', 'ack']) await rig.say('s', text);
  const at: number[] = [];
  const { reader, got } = await read(rig.broker, {}, (message, by) => {
    if (message.text === 'nak') at.push(performance.now());
    if (message.text === 'nak' && message.redeliveries === 0) {
      by.nak(message.handle, 60);
      by.ack(message.handle); // too late, does not count
    } else if (message.text === 'term') by.term(message.handle, 'bad');
    else by.ack(message.handle);
  });
  await waitFor('the second delivery', () => at.length === 2);
  await reader.flush();
  await reader.close();
  assert.equal(
    got.map(({ text }) => text),
    ['nak', 'term', 'ack', 'nak'],
  );
  assert.ok(at[1]! - at[0]! >= 59);
});

Suite('working keeps a message from coming again', async () => {
  await rig.say('s', 'slow');
  const { reader, got } = await read(rig.broker, { ackWaitMs: 100 }, () => undefined);
  await waitFor('the message', () => got.length === 1);
  const start = performance.now();
  await waitFor('four ack waits', () => {
    reader.working(got[0]!.handle);
    return performance.now() - start > 400;
  });
  reader.ack(got[0]!.handle);
  await reader.flush();
  await reader.close();
  assert.is(got.length, 1);
});

Suite('hands out no more than maxInFlight, nothing while paused, the rest when resumed', async () => {
  for (let index = 0; index < 50; index++) await rig.say('s', String(index));
  const { reader, got } = await read(rig.broker, { maxInFlight: 10 }, () => undefined);
  await waitFor('ten', () => got.length === 10);
  reader.pause();
  for (const { handle } of got) reader.ack(handle);
  await reader.flush();
  await rig.say('s', 'another');
  assert.is(got.length, 10);
  reader.resume();
  await waitFor('ten more', () => got.length === 20);
  await reader.close();
});

const all = { fromSequence: null, headersOnly: false };

Suite('reads back for recovery from a time, with headers, and says how far', async () => {
  for (let index = 0; index < 300; index++) await rig.say(`s.${index}`, String(index));
  const seen: string[] = [];
  assert.is(await rig.broker.readBack({ ...all, fromTimeMs: 0, message: (message) => void seen.push(message.subject) }), 300);
  assert.equal(
    seen,
    Array.from({ length: 300 }, (_, index) => `s.${index}`),
  );
  assert.is(await rig.broker.readBack({ ...all, fromTimeMs: Date.now() + 60_000, message: () => assert.unreachable() }), 300);
});

const faults = [
  { name: 'an empty filter', request: { filter: '' }, code: 'MILLRACE_SUBJECT_INVALID' },
  { name: 'a filter with a space', request: { filter: 'a b' }, code: 'MILLRACE_SUBJECT_INVALID' },
  { name: 'a filter that goes on after >', request: { filter: 'a.>.b' }, code: 'MILLRACE_SUBJECT_INVALID' },
  { name: 'a durable with a very long name', request: { durable: 'x'.repeat(600) }, code: 'MILLRACE_USAGE' },
  { name: 'no room in flight', request: { maxInFlight: 0 }, code: 'MILLRACE_USAGE' },
  { name: 'no ack wait', request: { ackWaitMs: 0 }, code: 'MILLRACE_USAGE' },
  { name: 'a start at no date', request: { start: { kind: 'time', time: new Date(Number.NaN) } }, code: 'MILLRACE_USAGE' },
  { name: 'a start at no sequence', request: { start: { kind: 'sequence', sequence: 1.5 } }, code: 'MILLRACE_USAGE' },
] as const;
for (const { name, request, code } of faults)
  Suite(`refuses ${name}`, async () => {
    const error = await read(rig.broker, request).then(
      () => null,
      (thrown: { readonly code: string }) => thrown,
    );
    assert.is(error?.code, code);
  });

Suite.run();
