/** A slip of the finger finds its name, and another word finds none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { editDistance, nearestName } from '../../../src/config/nearest.ts';
import { connectRows } from '../../../src/config/table.ts';

const Nearest = suite('nearestName');

const slips = [
  ['wrokers', 'workers'],
  ['Workers', 'workers'],
  ['slabByte', 'slabBytes'],
  ['batchevents', 'batchEvents'],
  ['conectTimeout', 'connectTimeout'],
  ['replica', 'replicas'],
  ['colour', null],
  ['x', null],
  ['', null],
] as const;

for (const [text, expected] of slips)
  Nearest(`"${text}" → ${expected}`, () => assert.is(nearestName(text, Object.keys(connectRows)), expected));

for (const [from, to, distance] of [
  ['', 'abc', 3],
  ['abc', 'abc', 0],
  ['acb', 'abc', 1],
  ['kitten', 'sitting', 3],
] as const)
  Nearest(`distance of "${from}" and "${to}" is ${distance}`, () => assert.is(editDistance(from, to), distance));

Nearest.run();
