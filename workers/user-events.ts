/** Runs the pipeline's user code on one event; whatever it throws becomes the reject of that one record. */
import type { Pipeline } from './pipeline.ts';
import type { Run } from './run.ts';
import { applyTransform } from './user-code.ts';
import { messageOf } from '../src/api/errors.ts';
import { reasonCode } from '../src/api/reject-reasons.ts';
import { packEvent, unpackValue } from '../src/codec/msgpack.ts';

const DECODE = reasonCode('decode');
const TRANSFORM = reasonCode('transform');
const VALIDATION = reasonCode('validation');

export type MadeEvents = { readonly events: readonly Uint8Array[] } | { readonly reason: number; readonly message: string };

/** Runs the pipeline's user code on one event; the record is the suspect while it runs. */
export function makeEvents(
  run: Run,
  { user, description }: Pipeline,
  place: { readonly record: number; readonly start: number; readonly next: number },
  payload: Uint8Array,
): MadeEvents {
  const { transform, validate } = user!;
  let reason = DECODE;
  run.suspect(place.record, place.start, place.next);
  try {
    const value = unpackValue(payload);
    reason = TRANSFORM;
    const context = { subject: description.subject, file: description.file, byteOffset: run.offset + place.start - run.inStart };
    const events = transform === null ? [value] : applyTransform(transform, value, context);
    const packed: Uint8Array[] = [];
    for (const event of events) {
      const result = validate === null ? { value: event } : validate(event);
      if ('fault' in result) return { reason: VALIDATION, message: result.fault };
      packed.push(packEvent(result.value));
    }
    return { events: packed };
  } catch (thrown) {
    return { reason, message: messageOf(thrown) };
  } finally {
    run.clearSuspect();
  }
}
