/** Generated events are the same for a seed, as many as asked for, of the size promised, and repeat exactly the share asked for. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GenerateOptions } from '../../../src/cli/generator.ts';
import { RECENT_LINES_MAX, duplicateCount, generateChunks } from '../../../src/cli/generator.ts';
import { shapeNames } from '../../../src/cli/generator-shapes.ts';
import { Random, mix } from '../../../src/cli/random.ts';

const Generator = suite('generator');

const textOf = (options: GenerateOptions): string => [...generateChunks(options)].join('');
const linesOf = (options: GenerateOptions): string[] => textOf(options).split('\n').slice(0, -1);

for (const shape of shapeNames) {
  Generator(`${shape}: one valid JSON object a line, with id, type and time, ASCII`, () => {
    for (const line of linesOf({ count: 2_000, shape })) {
      assert.ok(/^[ -~]+$/.test(line), line);
      const event = JSON.parse(line) as Record<string, unknown>;
      assert.type(event['id'], 'string');
      assert.match(String(event['type']), /^[a-z]+$/);
      assert.is(new Date(String(event['time'])).toISOString(), event['time']);
    }
  });
  Generator(`${shape}: the same text for the same seed, another for another`, () => {
    const options = { count: 5_000, shape, duplicates: 0.1 };
    assert.ok(textOf({ ...options, seed: 7 }) === textOf({ ...options, seed: 7 }));
    assert.ok(textOf({ ...options, seed: 7 }) !== textOf({ ...options, seed: 8 }));
  });
}

const shares = [
  { count: 0, duplicates: 0, expected: 0 },
  { count: 1, duplicates: 1, expected: 0 },
  { count: 2, duplicates: 1, expected: 1 },
  { count: 10, duplicates: 0.25, expected: 3 },
  { count: 5_000, duplicates: 1, expected: 4_999 },
  { count: 50_000, duplicates: 0.02, expected: 1_000 },
  { count: 50_000, duplicates: 0, expected: 0 },
];

for (const { count, duplicates, expected } of shares)
  Generator(`${count} events with ${duplicates * 100} % duplicates: ${expected} lines repeat an earlier one, near enough`, () => {
    assert.is(duplicateCount({ count, duplicates }), expected);
    const lines = linesOf({ count, duplicates });
    assert.is(lines.length, count);
    const lastSeen = new Map<string, number>();
    const ids = new Set<string>();
    let repeated = 0;
    lines.forEach((line, index) => {
      const before = lastSeen.get(line);
      if (before !== undefined) repeated += 1;
      // The current chunk, some 300 lines, is not counted by the limit.
      if (before !== undefined) assert.ok(index - before <= RECENT_LINES_MAX + 1_000, `${index} repeats ${before}`);
      lastSeen.set(line, index);
      ids.add((JSON.parse(line) as { id: string }).id);
    });
    assert.is(repeated, expected);
    assert.is(ids.size, count - expected, 'ids differ');
  });

Generator('page views are 214 bytes on average, within 1 %', () => {
  for (const seed of [1, 2, 3]) {
    const bytes = textOf({ count: 100_000, seed, duplicates: 0.02 }).length / 100_000;
    assert.ok(Math.abs(bytes - 214) < 2.14, `${bytes}`);
  }
});

Generator('chunks hold whole lines', () => {
  for (const chunk of generateChunks({ count: 3_000 })) assert.is(chunk.at(-1), '\n');
});

Generator('mix is one-to-one on a sample, and random numbers stay below their limit', () => {
  assert.is(new Set(Array.from({ length: 200_000 }, (_, index) => mix(index))).size, 200_000);
  const random = new Random(5);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let draw = 0; draw < 100_000; draw += 1) counts[random.below(10)]! += 1;
  for (const drawn of counts) assert.ok(drawn > 9_000 && drawn < 11_000, counts.join());
});

Generator.run();
