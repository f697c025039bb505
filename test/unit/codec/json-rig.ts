/** Runs a transcoder inside canary bytes and compares what it did with the oracle. */
import { strict as assert } from 'node:assert';
import { Unpackr } from 'msgpackr';
import { reasonOf } from '../../../src/api/reject-reasons.ts';
import { JsonTranscoder } from '../../../src/codec/json-transcoder.ts';
import { ENCODE_FULL, ENCODE_REJECT } from '../../../src/codec/record-encoder.ts';
import type { FieldPath } from '../../../src/codec/record-encoder.ts';
import { encoded, judge, picked } from './json-oracle.ts';

const CANARY = 0xa5;
const MARGIN = 32;
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });

export interface Run {
  readonly status: number;
  readonly bytes: Uint8Array;
  /** `reason@offset from the record's start`, 'full', or ''. */
  readonly refusal: string;
}

/** The record lies between bytes that would change it if they were read; the output between bytes that must stay. */
export function transcode(transcoder: JsonTranscoder, record: Uint8Array, room: number = 5 * record.length + 16): Run {
  const input = Buffer.concat([Buffer.from('0"}[1e'), record, Buffer.from('0"}]')]);
  const output = new Uint8Array(MARGIN + room + MARGIN).fill(CANARY);
  const status = transcoder.encode(input, 6, 6 + record.length, output, MARGIN, MARGIN + room);
  assert.ok(
    output.subarray(0, MARGIN).every((byte) => byte === CANARY),
    'wrote before its range',
  );
  assert.ok(
    output.subarray(MARGIN + room).every((byte) => byte === CANARY),
    'wrote behind its range',
  );
  if (status >= 0) assert.ok(status >= MARGIN && status <= MARGIN + room);
  else assert.ok(status === ENCODE_REJECT || status === ENCODE_FULL);
  if (status === ENCODE_REJECT)
    assert.ok(transcoder.errorAt >= 6 && transcoder.errorAt <= 6 + record.length, `errorAt ${transcoder.errorAt}`);
  if (status < 0) assert.ok(transcoder.pickStart.every((at) => at === -1));
  const refusal = status === ENCODE_FULL ? 'full' : status < 0 ? `${reasonOf(transcoder.reason)}@${transcoder.errorAt - 6}` : '';
  return { status: status < 0 ? status : status - MARGIN, bytes: output.subarray(MARGIN, Math.max(status, MARGIN)), refusal };
}

/** Accepts, rejects, encodes and picks as the oracle does. */
export function check(record: Uint8Array, paths: readonly FieldPath[] = [], reused?: JsonTranscoder): boolean {
  const transcoder = reused ?? new JsonTranscoder(paths);
  const verdict = judge(record);
  const { bytes, refusal } = transcode(transcoder, record);
  if ('reasons' in verdict) {
    assert.ok(
      verdict.reasons.some((reason) => refusal.startsWith(reason)),
      `${JSON.stringify(Buffer.from(record).toString())}: ${refusal || 'accepted'}`,
    );
    return false;
  }
  assert.equal(refusal, '');
  assert.equal(Buffer.from(bytes).toString('hex'), Buffer.from(encoded(verdict.tree)).toString('hex'));
  assert.deepStrictEqual(unpackr.unpack(Buffer.from(bytes)), verdict.value);
  for (const [index, path] of paths.entries()) {
    const expected = picked(verdict.tree, path);
    const start = transcoder.pickStart[index]!;
    const found = start < 0 ? undefined : bytes.subarray(start - MARGIN, transcoder.pickEnd[index]! - MARGIN);
    assert.equal(
      found && Buffer.from(found).toString('hex'),
      expected && Buffer.from(expected).toString('hex'),
      `pick ${JSON.stringify(path)}`,
    );
  }
  return true;
}
