/** Strings that repeat are made once, and are the strings that stand there; a field of ever new ones is let alone. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RepeatedStrings } from '../../../src/codec/repeated-strings.ts';
import type { PlainSource } from '../../../src/codec/repeated-strings.ts';
import { packEvent, unpackValue } from '../../../src/codec/msgpack.ts';

const Repeated = suite('RepeatedStrings');

/** A source that counts how many strings it made. */
class Source implements PlainSource {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  at = 0;
  end = 0;
  copied = 0;
  plain = 0;

  /** The text stands amid other bytes, which must not count. */
  put(text: string, before: number): number {
    const own = Buffer.from(text);
    const memory = new Uint8Array(before + own.length + 8).fill(0xff);
    memory.set(own, before);
    this.bytes = memory;
    this.view = new DataView(memory.buffer);
    this.at = before;
    this.end = before + own.length;
    return own.length;
  }

  string(length: number): string {
    this.plain += 1;
    return this.#take(length);
  }

  copy(length: number): string {
    this.copied += 1;
    return this.#take(length);
  }

  value(): unknown {
    throw new Error('strings only');
  }

  moveBack(): void {
    throw new Error('forwards only');
  }

  #take(length: number): string {
    this.at += length;
    return Buffer.from(this.bytes.subarray(this.at - length, this.at)).toString();
  }
}

const short = fc.oneof(fc.string({ maxLength: 31 }), fc.string({ unit: 'binary', maxLength: 7 }));

Repeated('gives what stands there, whatever was read before, and stands behind it then', () => {
  fc.assert(
    fc.property(
      fc.array(short, { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(), { maxLength: 400 }),
      fc.nat(9),
      (pool, picks, before) => {
        const source = new Source();
        const strings = new RepeatedStrings();
        for (const pick of picks) {
          const text = Buffer.from(pool[pick % pool.length]!).toString();
          const length = source.put(text, before);
          if (length > 31) continue;
          assert.is(strings.read(source, length), text);
          assert.is(source.at, before + length);
        }
      },
    ),
  );
});

Repeated('tells strings apart that differ in one byte, at any place', () => {
  const source = new Source();
  const strings = new RepeatedStrings();
  for (let round = 0; round < 4; round += 1) {
    for (let length = 0; length <= 31; length += 1) {
      for (let place = -1; place < length; place += 1) {
        const text = Array.from({ length }, (_, at) => (at === place ? 'b' : 'a')).join('');
        assert.is(strings.read(source, source.put(text, 1)), text);
      }
    }
  }
});

Repeated('makes each string once', () => {
  const source = new Source();
  const strings = new RepeatedStrings();
  for (let time = 0; time < 1_000; time += 1) strings.read(source, source.put(`type-${time % 3}`, 0));
  assert.equal([source.copied, source.plain], [3, 0]);
});

Repeated('gives up on a field of ever new strings, and is right about those that repeat then', () => {
  const source = new Source();
  const strings = new RepeatedStrings();
  for (let time = 0; time < 1_000; time += 1) assert.is(strings.read(source, source.put(`id-${time}`, 0)), `id-${time}`);
  assert.ok(source.copied < 200, `${source.copied} were kept`);
  assert.is(source.copied + source.plain, 1_000);
  assert.is(strings.read(source, source.put('id-1', 0)), 'id-1');
});

Repeated('other bytes than ASCII are left to the source', () => {
  const source = new Source();
  const strings = new RepeatedStrings();
  for (let time = 0; time < 3; time += 1) assert.is(strings.read(source, source.put('größe', 0)), 'größe');
  assert.equal([source.copied, source.plain], [0, 3]);
});

Repeated('a string that claims more than there is is left to the source', () => {
  const source = new Source();
  source.put('abc', 0);
  new RepeatedStrings().read(source, 4);
  assert.equal([source.copied, source.plain], [0, 1]);
});

Repeated('more fields than a thread keeps tables for are read all the same', () => {
  const events = Array.from({ length: 300 }, (_, n) => ({ [`field-${n}`]: 'one value', [`other-${n}`]: 'another' }));
  for (let round = 0; round < 3; round += 1) for (const event of events) assert.equal(unpackValue(packEvent([event])), [event]);
});
Repeated.run();
