/** Streams and filters compared as sets of subjects, checked against an enumeration. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { covers, derivedSubjects, overlaps } from '../../../src/processors/jetstream/subject-cover.ts';

const Cover = suite('subject cover');

const universe = ['a', 'b', 'z'].flatMap((one) => [
  one,
  ...['a', 'b', 'z'].flatMap((two) => [
    `${one}.${two}`,
    ...['a', 'b', 'z'].flatMap((three) => [`${one}.${two}.${three}`, `${one}.${two}.${three}.z`]),
  ]),
]);
const pattern = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([tokens, open]) => (open ? [...tokens.slice(0, -1), '>'] : tokens).join('.'));

function matches(filter: string, subject: string): boolean {
  const form = filter
    .split('.')
    .map((token) => (token === '*' ? '[^.]+' : token === '>' ? '.+' : token))
    .join('\\.');
  return new RegExp(`^${form}$`).test(subject);
}

Cover('agrees with the subjects themselves', () => {
  fc.assert(
    fc.property(pattern, pattern, (one, other) => {
      const narrow = universe.filter((subject) => matches(other, subject));
      assert.is(
        covers(one, other),
        narrow.every((subject) => matches(one, subject)),
        `${one} covers ${other}`,
      );
      assert.is(
        overlaps(one, other),
        narrow.some((subject) => matches(one, subject)),
        `${one} overlaps ${other}`,
      );
    }),
    { numRuns: 2_000 },
  );
});

const templates = [
  { pattern: 'events.>', filter: 'events.{type}', expected: true },
  { pattern: 'events.*', filter: 'events.{type}', expected: true },
  { pattern: 'events.a', filter: 'events.{type}', expected: false },
  { pattern: 'events', filter: 'events.{type}', expected: false },
  { pattern: 'events.*', filter: 'events.pre-{type}', expected: true },
];
for (const { pattern: wide, filter, expected } of templates)
  Cover(`says ${expected} for ${filter} in ${wide}`, () => assert.is(covers(wide, filter), expected));

const derivations = [
  { subjects: ['lat.x', 'lat.y', 'lon'], expected: ['lat', 'lat.>', 'lon', 'lon.>'] },
  { subjects: ['events.{type}'], expected: ['events', 'events.>'] },
  { subjects: ['{type}'], expected: null },
  { subjects: ['>'], expected: null },
  { subjects: ['*.a'], expected: null },
];
for (const { subjects, expected } of derivations)
  Cover(`derives from ${subjects.join(', ')}`, () => assert.equal(derivedSubjects(subjects), expected));

Cover.run();
