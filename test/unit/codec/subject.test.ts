/** No subject that could break out of its place on the wire passes, whether written or made from data. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MillraceError } from '../../../src/api/errors.ts';
import { MsgpackPicker } from '../../../src/codec/msgpack-scan.ts';
import { packEvent } from '../../../src/codec/msgpack.ts';
import { parsePointer } from '../../../src/codec/pointer.ts';
import { SubjectTemplate, matches, subjectBytesFault, validateFilter, validateSubject } from '../../../src/codec/subject.ts';

const SubjectSuite = suite('subject');

const good = ['a', 'a.b', 'orders.created', 'é.☃', 'a-b_c$', '$JS.ACK.x', 'x'.repeat(1_024)];
const bad = [
  '',
  '.',
  'a.',
  '.a',
  'a..b',
  'a b',
  'a\tb',
  'a\r\nPUB',
  'a\0',
  'a\x7f',
  'a.*',
  'a.>',
  'a*b',
  '>',
  '\ud800',
  'x'.repeat(1_025),
  'é'.repeat(513),
];
for (const subject of good) SubjectSuite(`takes ${JSON.stringify(subject.slice(0, 20))}`, () => assert.is(validateSubject(subject), null));
for (const subject of bad)
  SubjectSuite(`refuses ${JSON.stringify(subject.slice(0, 20))} in words`, () => assert.type(validateSubject(subject), 'string'));

const filters: readonly (readonly [string, boolean])[] = [
  ['>', true],
  ['*', true],
  ['a.*.b', true],
  ['a.>', true],
  ['*.>', true],
  ['>.a', false],
  ['a*', false],
  ['a.>b', false],
  ['a..>', false],
  ['', false],
];
for (const [filter, valid] of filters)
  SubjectSuite(`the filter ${filter} is ${valid ? 'valid' : 'invalid'}`, () => assert.is(validateFilter(filter) === null, valid));

const pairs: readonly (readonly [string, string, boolean])[] = [
  ['a', 'a', true],
  ['a', 'b', false],
  ['a', 'a.b', false],
  ['a.b', 'a', false],
  ['*', 'a', true],
  ['*', 'a.b', false],
  ['a.*', 'a', false],
  ['a.*.c', 'a.b.c', true],
  ['a.>', 'a.b', true],
  ['a.>', 'a.b.c', true],
  ['a.>', 'a', false],
  ['>', 'a.b', true],
  ['*.>', 'a', false],
];
for (const [filter, subject, want] of pairs)
  SubjectSuite(`${filter} ${want ? 'matches' : 'does not match'} ${subject}`, () => assert.is(matches(filter, subject), want));

SubjectSuite('bytes and text are judged alike', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '.', ' ', '*', '>', 'é', '\n', '\x7f', '\0', 'b'), maxLength: 12 });
  fc.assert(
    fc.property(text, (subject) => {
      const bytes = Buffer.from(`.${subject}.`);
      const fault = subjectBytesFault(bytes, 1, bytes.length - 1);
      assert.is(fault === 0, validateSubject(subject) === null);
      assert.ok(fault >= 0 && fault <= Math.max(1, bytes.length - 2));
    }),
    { numRuns: 3_000 },
  );
  assert.is(subjectBytesFault(Buffer.from('a b'), 0, 3), 2);
});

function render(template: string, event: unknown, room = 2_000): string | number {
  const parsed = SubjectTemplate.parse(template);
  const picker = new MsgpackPicker([['unrelated'], ...parsed.paths]);
  const bytes = packEvent(event);
  picker.pick(bytes, 0, bytes.length);
  const output = new Uint8Array(room + 2);
  const end = parsed.render(bytes, picker.pickStart, picker.pickEnd, 1, output, 1, 1 + room);
  return end < 0 ? end : Buffer.from(output.subarray(1, end)).toString('utf8');
}

const renders: readonly { readonly template: string; readonly event: unknown; readonly want: string | number; readonly room?: number }[] = [
  { template: 'events', event: {}, want: 'events' },
  { template: 'events.{type}', event: { type: 'view' }, want: 'events.view' },
  { template: 'e.{user.country}.{n}.x', event: { user: { country: 'ch' }, n: 7 }, want: 'e.ch.7.x' },
  { template: 'e.{/a~1b/0}', event: { 'a/b': [true] }, want: 'e.true' },
  { template: '{a}{b}', event: { a: 1n << 60n, b: 2 }, want: '11529215046068469762' },
  { template: 'e.{type}', event: {}, want: -1 },
  { template: 'e.{type}', event: { type: null }, want: -1 },
  { template: 'e.{type}', event: { type: {} }, want: -2 },
  { template: 'e.{type}', event: { type: '' }, want: -2 },
  { template: 'e.{type}', event: { type: 'a b' }, want: -2 },
  { template: 'e.{type}', event: { type: 'a\r\nPUB x 0' }, want: -2 },
  { template: 'e.{type}', event: { type: '*' }, want: -2 },
  { template: 'e.{type}', event: { type: 'a>' }, want: -2 },
  { template: 'e.{type}', event: { type: 'a.' }, want: -2 },
  { template: 'e.{type}', event: { type: 'x'.repeat(10_000) }, want: -2 },
  { template: 'e.{type}', event: { type: 'x'.repeat(1_022) }, want: `e.${'x'.repeat(1_022)}` },
  { template: 'e.{type}', event: { type: 'x'.repeat(1_023) }, want: -2 },
  { template: 'e.{type}', event: { type: 'abc' }, want: -2, room: 4 },
  { template: '{type}.x', event: { type: '$SYS' }, want: -2 },
];
for (const { template, event, want, room } of renders) {
  SubjectSuite(
    `${template} with ${JSON.stringify(event, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)).slice(0, 40)} gives ${String(want).slice(0, 20)}`,
    () => assert.is(render(template, event, room), want),
  );
}

SubjectSuite('whatever is rendered is a valid subject', () => {
  fc.assert(
    fc.property(fc.anything(), (type) => {
      let subject: string | number = -1;
      try {
        subject = render('e.{type}.x', { type });
      } catch (error) {
        assert.is((error as MillraceError).code, 'MILLRACE_EVENT_INVALID');
      }
      if (typeof subject === 'string') assert.is(validateSubject(subject), null);
    }),
  );
});

for (const template of ['', 'a.', 'a.{', 'a.}', 'a.{}', 'a.{b.}', 'a.{{b}}', 'a b.{c}', 'a.*', '{/a~2}', 'a..{b}']) {
  SubjectSuite(`refuses the template ${JSON.stringify(template)}`, () => {
    try {
      SubjectTemplate.parse(template);
    } catch (error) {
      assert.is((error as MillraceError).code, 'MILLRACE_SUBJECT_INVALID');
      return;
    }
    assert.unreachable();
  });
}

SubjectSuite('a template knows its stream’s subjects', () => {
  for (const [template, want] of [
    ['events.{type}', ['events', 'events.>']],
    ['lat.x', ['lat', 'lat.>']],
    ['{a.b}.c', []],
    ['x{a}.c', []],
  ] as const)
    assert.equal(SubjectTemplate.parse(template).prefixFilter(), want);
  assert.equal([SubjectTemplate.parse('a.b').constant, SubjectTemplate.parse('a.{b}').constant], ['a.b', null]);
});

SubjectSuite('pointers are read as RFC 6901 has them', () => {
  assert.equal(['', '/', '/a/b', '/a~1b/m~0n', '/~01', '/0'].map(parsePointer), [[], [''], ['a', 'b'], ['a/b', 'm~n'], ['~1'], ['0']]);
  for (const text of ['a', '/~', '/~2', '/\ud800'])
    assert.throws(
      () => parsePointer(text),
      (error: MillraceError) => error.code === 'MILLRACE_CONFIG' && error.message.includes(JSON.stringify(text)),
    );
});

SubjectSuite.run();
