/** Applies the broker's word on one batch: books it, tells its callers, rolls its claims back when it failed. */
import type { Parts } from './parts.ts';
import { refusalsOfBatch } from './refusals.ts';
import { resolveWithout } from './run-results.ts';
import { NO_TENTATIVES } from './ticket.ts';
import type { Ticket } from './ticket.ts';
import { MillraceError } from '../api/errors.ts';
import { BatchWord, CLAIM_WORDS, RECORD_TENTATIVE, SlabWord, TENTATIVE_WORDS } from '../memory/layout.ts';

export interface Ack {
  readonly sequence: number;
  readonly duplicate: boolean;
}

/** Which batch: its row in the batch table (Int32 index) and its subject. */
export interface BatchPlace {
  readonly ticket: Ticket;
  readonly batch: number;
  readonly row: number;
  readonly subject: string;
}

/** An acked batch: its subject is made into a string only for somebody who hears it. */
export interface AckedPlace extends Omit<BatchPlace, 'subject'> {
  readonly subjectOf: (ticket: Ticket, row: number) => string;
}

/** A duplicate answer to our own resend means that the first copy was stored: acked. */
export function settleAcked(
  { ring, broker, signals }: Parts,
  { ticket, batch, row, subjectOf }: AckedPlace,
  { sequence, duplicate }: Ack,
): void {
  const { book } = ticket.intake;
  const events = ring.words[row + BatchWord.count]!;
  const bytes = (ring.words[row + BatchWord.end]! >>> 0) - (ring.words[row + BatchWord.start]! >>> 0);
  const foreign = duplicate && !ticket.doubtful.has(batch);
  book.add(foreign ? 'duplicates' : 'acked', events);
  if (foreign) book.addBrokerDuplicates(events);
  book.addMessage(bytes);
  if (signals.listens('batch')) signals.emit('batch', { subject: subjectOf(ticket, row), events, bytes, sequence, duplicate });
  if (ticket.callers.length > 0) {
    const { callers } = ticket;
    const { stream } = broker;
    const subject = subjectOf(ticket, row);
    // As `forCallers`, without a closure for each message.
    const table = (ring.start(ticket.slab) + ring.shape(ticket.slab).recordStart) / 4;
    const last = ring.words[row + BatchWord.lastRecord]!;
    for (let record = ring.words[row + BatchWord.firstRecord]!; record <= last; record += 1)
      if (ring.words[table + record] === batch) callers[record]?.resolve({ subject, stream, sequence, duplicate: foreign });
  }
}

/** True when claims were rolled back: copies of these ids may be published now. */
export function failBatch(parts: Parts, { ticket, batch, row, subject }: BatchPlace, error: MillraceError): boolean {
  const { ring } = parts;
  const { book } = ticket.intake;
  const events = ring.words[row + BatchWord.count]!;
  book.add('failed', events);
  if (error.outcome === 'unknown') book.add('unknown', events);
  const rolledBack = rollBackBatch(parts, ticket, batch);
  for (const refusal of refusalsOfBatch(ring, { row, subject, error, attempts: (ticket.attempts.get(batch) ?? 0) + 1 }))
    parts.refusals.refuse(refusal, ticket.intake);
  if (ticket.callers.length > 0) forCallers(parts, { ticket, batch, row }, (record) => ticket.callers[record]?.reject(error));
  return rolledBack;
}

/** Copies of ids whose owners were acked. */
export function settleDuplicates({ ring }: Parts, ticket: Ticket): void {
  ticket.intake.book.add('duplicates', ticket.tentatives.length / TENTATIVE_WORDS);
  for (let at = 0; at < ticket.tentatives.length; at += TENTATIVE_WORDS) {
    const record = ticket.tentatives[at]!;
    const table = (ring.start(ticket.slab) + ring.shape(ticket.slab).recordStart) / 4;
    if (ring.words[table + record] === RECORD_TENTATIVE) resolveWithout(ticket.callers[record], true);
  }
  ticket.tentatives = NO_TENTATIVES;
}

function rollBackBatch({ ring, window }: Parts, { slab, sequence }: Ticket, batch: number): boolean {
  const start = (ring.start(slab) + ring.shape(slab).claimStart) / 4;
  let any = false;
  for (let claim = 0; claim < ring.get(slab, SlabWord.claims); claim += 1) {
    const row = start + claim * CLAIM_WORDS;
    if (ring.words[row + 1] === batch && window.rollBack(ring.words[row]!, sequence)) any = true;
  }
  return any;
}

function forCallers(
  { ring }: Pick<Parts, 'ring'>,
  { ticket, batch, row }: Omit<BatchPlace, 'subject'>,
  tell: (record: number) => void,
): void {
  const table = (ring.start(ticket.slab) + ring.shape(ticket.slab).recordStart) / 4;
  const last = ring.words[row + BatchWord.lastRecord]!;
  for (let record = ring.words[row + BatchWord.firstRecord]!; record <= last; record += 1) {
    if (ring.words[table + record] === batch) tell(record);
  }
}

/** An earlier attempt may have been stored, so that the last one's certain refusal is not the whole story. */
export function inDoubt(error: MillraceError): MillraceError {
  return new MillraceError(error.code, error.message, {
    retryable: error.retryable,
    outcome: 'unknown',
    cause: error,
    context: error.context,
  });
}
