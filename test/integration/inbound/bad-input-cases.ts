/** Messages that are not what their headers claim. */
import { packEvent } from '../../../src/codec/msgpack.ts';

export interface BadMessage {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  /** What its dead letter says. */
  readonly says: RegExp;
}

const MSGPACK = { 'Content-Type': 'application/msgpack' };
const JSON_TYPE = { 'Content-Type': 'application/json' };
const batchOf = (count: number | string): Record<string, string> => ({ ...MSGPACK, 'Millrace-Count': String(count) });
const text = (characters: string): Uint8Array => Buffer.from(characters);
/** The head of a value whose length takes 32 bits, and one byte behind it. */
const claims = (head: number, ...rest: readonly number[]): Uint8Array => Uint8Array.of(head, 0xff, 0xff, 0xff, 0xff, ...rest);
const good = packEvent([{ n: 1 }, { n: 2 }, { n: 3 }]);
const DEEP = 100_000;

export const badMessages: readonly BadMessage[] = [
  { name: 'JSON that is none', headers: JSON_TYPE, bytes: text('{"n": 1'), says: /JSON/ },
  { name: 'JSON that is empty', headers: JSON_TYPE, bytes: text(''), says: /JSON/ },
  { name: 'JSON that is msgpack', headers: JSON_TYPE, bytes: packEvent({ n: 1 }), says: /JSON/ },
  { name: 'JSON that is not UTF-8', headers: JSON_TYPE, bytes: Uint8Array.of(0x22, 0xff, 0x22), says: /UTF-8/ },
  { name: 'JSON nested 100,000 deep', headers: JSON_TYPE, bytes: text('['.repeat(DEEP) + ']'.repeat(DEEP)), says: /JSON|nest|deep/ },
  { name: 'msgpack that is JSON', headers: MSGPACK, bytes: text('{"n":1}'), says: /msgpack/ },
  { name: 'msgpack that is empty', headers: MSGPACK, bytes: text(''), says: /msgpack/ },
  { name: 'msgpack with a byte that means nothing', headers: MSGPACK, bytes: Uint8Array.of(0xc1), says: /msgpack|0xc1/ },
  { name: 'msgpack nested 100,000 deep', headers: MSGPACK, bytes: new Uint8Array(DEEP).fill(0x91), says: /deep/ },
  { name: 'a batch cut off', headers: batchOf(3), bytes: good.slice(0, -1), says: /truncated/ },
  { name: 'a batch cut off in its head', headers: batchOf(70_000), bytes: Uint8Array.of(0xdd, 0, 1), says: /truncated/ },
  { name: 'a batch of nothing', headers: batchOf(1), bytes: text(''), says: /msgpack|truncated|array/ },
  { name: 'a batch with bytes behind it', headers: batchOf(3), bytes: Buffer.concat([good, Buffer.of(1)]), says: /more bytes/ },
  { name: 'a batch with another count', headers: batchOf(4), bytes: good, says: /Millrace-Count/ },
  { name: 'a batch that counts to 2^32-1', headers: batchOf(4_294_967_295), bytes: good, says: /Millrace-Count/ },
  { name: 'a batch with a count that is none', headers: batchOf('three'), bytes: good, says: /Millrace-Count/ },
  { name: 'a batch that is a map', headers: batchOf(1), bytes: packEvent({ n: 1 }), says: /array/ },
  { name: 'a batch that is JSON', headers: batchOf(1), bytes: text('[{"n":1}]'), says: /msgpack/ },
  {
    name: 'a batch nested 100,000 deep',
    headers: batchOf(1),
    bytes: Buffer.concat([Buffer.alloc(DEEP, 0x91), Buffer.of(1)]),
    says: /deep/,
  },
  { name: 'an array that claims 2^32-1 elements', headers: batchOf(4_294_967), bytes: claims(0xdd, 1), says: /truncated/ },
  {
    name: 'an array that claims 2^32-1 elements, as its count does',
    headers: batchOf(4_294_967_295),
    bytes: claims(0xdd, 2),
    says: /truncated/,
  },
  { name: 'a map that claims 2^32-1 pairs', headers: MSGPACK, bytes: claims(0xdf, 0xa1, 97, 1), says: /truncated/ },
  { name: 'a string that claims 2^32-1 bytes', headers: MSGPACK, bytes: claims(0xdb, 65), says: /truncated/ },
  { name: 'binary that claims 2^32-1 bytes', headers: MSGPACK, bytes: claims(0xc6, 65), says: /truncated/ },
  { name: 'an extension that claims 2^32-1 bytes', headers: MSGPACK, bytes: claims(0xc9, 5, 65), says: /truncated/ },
  {
    name: 'an envelope that is none',
    headers: { 'Content-Type': 'application/msgpack; form=envelope', 'Millrace-Count': '3' },
    bytes: good,
    says: /envelope/,
  },
];
