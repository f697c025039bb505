/** Sizes, times, counts, rates and shares mean what people who write them mean, and anything doubtful is refused. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  parseBoolean,
  parseCount,
  parseList,
  parseRate,
  parseShare,
  parseSize,
  parseTime,
  printSize,
  printTime,
} from '../../../src/config/units.ts';

const Units = suite('units');

interface Case {
  readonly parse: (raw: unknown) => unknown;
  readonly rows: readonly (readonly [unknown, unknown])[];
}

const cases: Readonly<Record<string, Case>> = {
  size: {
    parse: parseSize,
    rows: [
      ['4096', 4_096],
      [4_096, 4_096],
      ['64KiB', 65_536],
      ['64 kib', 65_536],
      ['64k', 65_536],
      ['1.5MiB', 1_572_864],
      ['10MB', 10_000_000],
      ['1GiB', 1_073_741_824],
      ['0', 0],
      ['1.5', null],
      ['-1', null],
      [-1, null],
      [NaN, null],
      [Infinity, null],
      ['', null],
      ['KiB', null],
      ['5 seconds', null],
      ['5toString', null],
      ['1e3', null],
      ['0x10', null],
      [true, null],
      [null, null],
    ],
  },
  time: {
    parse: parseTime,
    rows: [
      ['250', 250],
      [250, 250],
      ['5ms', 5],
      ['500us', 0.5],
      ['1.5s', 1_500],
      ['2m', 120_000],
      ['1h', 3_600_000],
      ['7d', 604_800_000],
      ['1m30s', 90_000],
      ['1h 30m', null],
      ['5x', null],
      ['s', null],
      ['-5s', null],
      ['1m30', null],
      ['1m30sx', null],
      ['constructor', null],
      [{}, null],
    ],
  },
  count: {
    parse: parseCount,
    rows: [
      ['1000000', 1_000_000],
      ['1_000_000', 1_000_000],
      ['1,000,000', 1_000_000],
      [5, 5],
      ['1,00', null],
      [1.5, null],
      ['1.5', null],
      ['-1', null],
      ['9007199254740993', null],
      ['', null],
    ],
  },
  rate: {
    parse: parseRate,
    rows: [
      ['5000', 5_000],
      ['5000/s', 5_000],
      ['5000/second', 5_000],
      [10, 10],
      ['5/m', null],
    ],
  },
  share: {
    parse: parseShare,
    rows: [
      ['2%', 0.02],
      ['0.02', 0.02],
      ['100%', 1],
      ['0', 0],
      [1, 1],
      ['2', null],
      ['101%', null],
      ['-1%', null],
      ['x', null],
    ],
  },
  boolean: {
    parse: parseBoolean,
    rows: [
      ['true', true],
      ['YES', true],
      ['on', true],
      ['1', true],
      ['false', false],
      ['0', false],
      [false, false],
      ['', null],
      ['ja', null],
      ['valueOf', null],
      [1, null],
    ],
  },
  list: {
    parse: parseList,
    rows: [
      ['a, b,,c', ['a', 'b', 'c']],
      [
        ['a', ' b '],
        ['a', 'b'],
      ],
      ['', []],
      [[1], null],
      [5, null],
    ],
  },
};

for (const [unit, { parse, rows }] of Object.entries(cases)) {
  for (const [raw, expected] of rows)
    Units(`${unit}: ${JSON.stringify(raw) ?? String(raw)} is ${JSON.stringify(expected)}`, () => assert.equal(parse(raw), expected));
}

for (const [bytes, text] of [
  [0, '0'],
  [1_000, '1000B'],
  [1_024, '1KiB'],
  [262_144, '256KiB'],
  [1_572_864, '1.5MiB'],
  [2 ** 40, '1TiB'],
] as const)
  Units(`prints ${bytes} bytes as ${text}`, () => assert.is(printSize(bytes), text));

for (const [milliseconds, text] of [
  [0, '0'],
  [0.5, '0.5ms'],
  [5, '5ms'],
  [1_500, '1.5s'],
  [120_000, '2m'],
  [90_000, '90s'],
  [86_400_000, '1d'],
] as const)
  Units(`prints ${milliseconds} milliseconds as ${text}`, () => assert.is(printTime(milliseconds), text));

Units('reads back every whole KiB and millisecond it prints', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1_023 }), (kib) => parseSize(printSize(kib * 1_024)) === kib * 1_024));
  fc.assert(fc.property(fc.integer({ min: 0, max: 999 }), (time) => parseTime(printTime(time)) === time));
});

Units('never throws, whatever it is given', () => {
  fc.assert(
    fc.property(fc.anything(), (raw) => {
      for (const { parse } of Object.values(cases)) parse(raw);
    }),
  );
});

Units.run();
