/** Reads what a worker wrote of a slab's events, and tells: each event that was not handled, and each message that is through. */
import type { Failure } from './delivery.ts';
import type { RunnerHost } from './inbound.ts';
import type { MessageInHand, Retry } from './inbound-message.ts';
import { InboundFrame, Outcome, OUTCOME_WORDS, OutcomeWord } from '../../workers/inbound-frame.ts';
import { ElementForm, EventsOfMessage, elementBytes } from '../../workers/inbound-message.ts';
import { MillraceError } from '../api/errors.ts';
import { SlabWord } from '../memory/layout.ts';
import type { Ring } from '../memory/ring.ts';

/** A frame of a slab: whose it is, and where it begins in the in area. */
export interface FrameOf {
  readonly message: MessageInHand;
  readonly attempts: number;
  readonly at: number;
}

/** Settles what the last run of a slab has done; frames below `from` were settled before. */
export function settleRun(
  host: RunnerHost,
  ring: Ring,
  slab: number,
  { frames, from }: { readonly frames: readonly FrameOf[]; readonly from: number },
): void {
  const start = ring.start(slab);
  const table = (start + ring.shape(slab).rejectStart) / 4;
  for (let row = 0; row < ring.get(slab, SlabWord.rejects); row += 1) settleRow(host, ring, table + row * OUTCOME_WORDS, frames);
  host.handedOver(ring.get(slab, SlabWord.events));
  for (let frame = from; frame < ring.get(slab, SlabWord.recordsDone); frame += 1) host.done(frames[frame]!.message);
}

/** The handler gave its word on this event before its thread died. */
export function hasOutcome(ring: Ring, slab: number, frame: number, index: number): boolean {
  const rows = ring.get(slab, SlabWord.rejects);
  const last = (ring.start(slab) + ring.shape(slab).rejectStart) / 4 + (rows - 1) * OUTCOME_WORDS;
  return rows > 0 && ring.words[last + OutcomeWord.frame] === frame && ring.words[last + OutcomeWord.index] === index;
}

/** Takes an event that killed its thread out of its slab, to run alone. `at` is where its frame begins in the in area. */
export function takeOut(
  ring: Ring,
  { slab, at }: { readonly slab: number; readonly at: number },
  part: { readonly message: MessageInHand; readonly attempts: number; readonly index: number },
): Retry {
  const frame = new InboundFrame(ring);
  frame.read(ring.start(slab) + ring.shape(slab).inStart + at);
  const { form } = frame.facts();
  const payload = frame.payload();
  if (form !== ElementForm.message) return { ...part, form, raw: payload, alone: true };
  const events = EventsOfMessage.decode(payload, part.message.headers); // It was decoded before.
  return { ...part, form: events.form, raw: elementBytes(payload, events.form, part.index), alone: true };
}

function settleRow(host: RunnerHost, ring: Ring, row: number, frames: readonly FrameOf[]): void {
  const word = (name: keyof typeof OutcomeWord): number => ring.words[row + OutcomeWord[name]]!;
  const { message, attempts } = frames[word('frame')]!;
  const raw = ring.bytes.slice(word('rawStart') >>> 0, word('rawEnd') >>> 0);
  const text = Buffer.from(ring.bytes.slice(word('textStart') >>> 0, (word('textStart') >>> 0) + word('textBytes'))).toString();
  message.open += 1; // This event settles on its own.
  if (word('outcome') === Outcome.undecodable) {
    host.refused(message, raw, new MillraceError('MILLRACE_DECODE', text));
    return;
  }
  const retry = { message, index: word('index'), attempts: attempts + 1, form: word('form') as ElementForm, raw, alone: false };
  host.notHandled(retry, failureOf(word('outcome'), text));
}

function failureOf(outcome: number, text: string): Failure {
  const error = (message: string): MillraceError => new MillraceError('MILLRACE_TRANSFORM', message);
  if (outcome === Outcome.term) return { final: 'handler', cause: error(text === '' ? 'the handler gave it up' : text) };
  if (outcome === Outcome.threw) return { cause: error(text) };
  const delayMs = outcome >= Outcome.nakAfter ? outcome - Outcome.nakAfter : undefined;
  return { delayMs, cause: error('the handler asked for it again (nak)') };
}
