/** Cutting and splitting give the records of a simple reference whatever the slab borders are, and account for every byte. */
import * as fc from 'fast-check';
import { Packr } from 'msgpackr';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Format } from '../../../src/api/options.ts';
import { createCutter } from '../../../src/codec/cutter.ts';
import { createSplitter } from '../../../src/codec/splitter.ts';

const CutSplitSuite = suite('cut and split');
const packr = new Packr({ useRecords: false, variableMapSize: true });

/** Cuts as the filler does: fill a slab of `slabBytes`, cut, carry the rest over to another offset; a record larger than a slab makes it grow. */
function throughSlabs(format: Format, source: Uint8Array, slabBytes: readonly number[]): string[] {
  const cutter = createCutter(format);
  const records: string[] = [];
  let from = 0; // First byte not handed over.
  let read = 0;
  for (let slab = 0; read < source.length || from < source.length; slab++) {
    read = Math.min(source.length, Math.max(read, from) + slabBytes[slab % slabBytes.length]!);
    const at = 1 + (slab % 7); // Another offset each time.
    const memory = new Uint8Array(new SharedArrayBuffer(at + read - from + 3)).fill(0x0a);
    memory.set(source.subarray(from, read), at);
    const final = read === source.length;
    const cut = cutter.cut(memory, at, at + read - from, final);
    assert.ok(cut >= at && cut <= at + read - from, 'the cut lies in the range');
    records.push(...split(format, memory, at, cut));
    from += cut - at;
    if (final) break;
  }
  return records;
}

function split(format: Format, bytes: Uint8Array, from: number, to: number): string[] {
  const splitter = createSplitter(format);
  const records: string[] = [];
  let at = from;
  let before = from;
  for (;;) {
    const next = splitter.next(bytes, at, to);
    if (next === -1) break;
    assert.ok(next > at && next <= to, 'it goes forward, inside the range');
    assert.ok(splitter.recordStart >= before && splitter.recordEnd >= splitter.recordStart && splitter.recordEnd <= to, 'records ascend');
    if (format !== 'json') assert.ok(splitter.recordEnd <= next, 'a record ends before the next begins');
    separators(format, bytes, before, splitter.recordStart);
    records.push(Buffer.from(bytes.slice(splitter.recordStart, splitter.recordEnd)).toString('latin1'));
    before = splitter.recordEnd;
    at = next;
  }
  separators(format, bytes, before, to);
  return records;
}

const SEPARATORS: Record<Format, RegExp> = { ndjson: /^\s*$/, lines: /^[\r\n]*$/, csv: /^[\r\n]*$/, json: /^[\s,[\]]*$/, msgpack: /^$/ };

function separators(format: Format, bytes: Uint8Array, start: number, end: number): void {
  const text = Buffer.from(bytes.slice(start, end)).toString('latin1');
  assert.ok(SEPARATORS[format].test(text), `only separators between records: ${JSON.stringify(text)}`);
}

const slabs = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
const lineEnd = fc.constantFrom('\n', '\r\n', '\n\n');
const word = fc.string({ unit: fc.constantFrom('a', '"', ',', 'é', '{', '[', '\\', ' ', '1'), maxLength: 12 });
const json = fc.jsonValue({ maxDepth: 4 });
const space = fc.constantFrom('', ' ', '\n', ' \r\n\t');

CutSplitSuite('lines: what lies between line breaks, without empty lines', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(word, lineEnd), { maxLength: 20 }), slabs, fc.boolean(), (lines, sizes, ended) => {
      const text = lines.map(([line, end]) => line + end).join('') + (ended ? '' : 'last');
      const want = text.split(/\r?\n/).filter((line) => line !== '');
      assert.equal(throughSlabs('lines', Buffer.from(text), sizes), want.map(latin));
    }),
  );
});

CutSplitSuite('ndjson: the same, white lines left out too', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.oneof(
            json.map((value) => JSON.stringify(value)),
            fc.constant(' \t'),
          ),
          lineEnd,
        ),
        { maxLength: 20 },
      ),
      slabs,
      (lines, sizes) => {
        const text = lines.map(([line, end]) => line + end).join('');
        const want = lines.map(([line]) => line).filter((line) => line.trim() !== '');
        assert.equal(throughSlabs('ndjson', Buffer.from(text), sizes), want.map(latin));
      },
    ),
  );
});

CutSplitSuite('csv: line breaks in quoted cells stay inside', () => {
  const cell = fc
    .string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'é'), maxLength: 8 })
    .map((text) => (/^[aé]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`));
  const row = fc.array(cell, { minLength: 1, maxLength: 4 }).map((cells) => cells.join(','));
  fc.assert(
    fc.property(fc.array(fc.tuple(row, lineEnd), { maxLength: 12 }), slabs, (rows, sizes) => {
      const text = rows.map(([line, end]) => line + end).join('');
      assert.equal(
        throughSlabs('csv', Buffer.from(text), sizes),
        rows.map(([line]) => latin(line)),
      );
    }),
  );
});

CutSplitSuite('json: the elements of a list, however it is printed', () => {
  fc.assert(
    fc.property(fc.array(json, { maxLength: 8 }), fc.constantFrom(undefined, 0, 1, '\t'), space, slabs, (values, indent, around, sizes) => {
      const text = around + JSON.stringify(values, null, indent) + around;
      assert.equal(parsed(throughSlabs('json', Buffer.from(text), sizes)), values.map(normal));
    }),
  );
});

CutSplitSuite('json: concatenated values, lists among them coming apart', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(json, space), { maxLength: 8 }), slabs, (values, sizes) => {
      // Bare scalars need something between them; objects, lists and strings do not.
      const text = values
        .map(([value, after]) => JSON.stringify(value) + (typeof value === 'object' && value !== null ? after : after || ' '))
        .join('');
      const want = values.flatMap(([value]) => (Array.isArray(value) ? value : [value]));
      assert.equal(parsed(throughSlabs('json', Buffer.from(text), sizes)), want.map(normal));
    }),
  );
});

CutSplitSuite('msgpack: concatenated values', () => {
  fc.assert(
    fc.property(fc.array(json, { maxLength: 8 }), slabs, (values, sizes) => {
      const packed = values.map((value) => Buffer.from(packr.pack(value)));
      assert.equal(
        throughSlabs('msgpack', Buffer.concat(packed), sizes),
        packed.map((bytes) => bytes.toString('latin1')),
      );
    }),
  );
});

const hostile = fc
  .array(fc.oneof(fc.constantFrom(...Buffer.from('[]{},":\\ \n\r1a')), fc.integer({ min: 0, max: 255 })), { maxLength: 80 })
  .map((bytes) => Uint8Array.from(bytes));

for (const format of ['ndjson', 'lines', 'csv', 'json', 'msgpack'] as const) {
  CutSplitSuite(`${format}: any bytes split into records and separators`, () => {
    fc.assert(
      fc.property(hostile, (bytes) => void split(format, bytes, 0, bytes.length)),
      { numRuns: 1_000 },
    );
  });

  CutSplitSuite(`${format}: any bytes give the same records through any slabs`, () => {
    fc.assert(
      fc.property(hostile, slabs, (bytes, sizes) => {
        assert.equal(throughSlabs(format, bytes, sizes), split(format, bytes, 0, bytes.length));
      }),
      { numRuns: 1_000 },
    );
  });

  CutSplitSuite(`${format}: resync answers with an offset behind the start, or -1`, () => {
    fc.assert(
      fc.property(hostile, hostile, (first, second) => {
        const cutter = createCutter(format);
        cutter.cut(first, 0, first.length, false);
        for (const piece of [first, second]) {
          const at = cutter.resync(piece, 0, piece.length);
          assert.ok(at === -1 || (at >= 0 && at <= piece.length));
          if (at >= 0) break;
        }
      }),
    );
  });
}

function latin(text: string): string {
  return Buffer.from(text).toString('latin1');
}
function parsed(records: readonly string[]): unknown[] {
  return records.map((record) => JSON.parse(Buffer.from(record, 'latin1').toString('utf8')) as unknown);
}
function normal(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

CutSplitSuite.run();
