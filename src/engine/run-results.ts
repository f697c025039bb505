/** Reads what a worker wrote into a slab, and writes what the next run of it needs; the only place on main that knows these words. */
import type { Parts } from './parts.ts';
import { refusalOf } from './refusals.ts';
import type { Caller, EarlyRefusal, Intake, Ticket } from './ticket.ts';
import { CLAIM_WORDS, RECORD_DROPPED, RECORD_DUPLICATE, REJECT_WORDS, RejectWord, SlabWord, TENTATIVE_WORDS } from '../memory/layout.ts';
import type { Ring } from '../memory/ring.ts';
import { NO_SLOT } from '../memory/window.ts';

/** What a slab holds when its filling is over. */
export interface Fill {
  readonly intake: Intake;
  readonly form: number;
  readonly inBytes: number;
  /** First byte of the in area that counts (a byte order mark or a header row comes before it). */
  readonly inFrom: number;
  /** Place of the in area's byte 0 in the source. */
  readonly offset: number;
  /** Who waits for each record; empty = nobody. */
  readonly callers: (Caller | undefined)[];
  /** The slab stands for a record that was refused while it was read. */
  readonly early?: EarlyRefusal;
}

/** Words of a slab's first run. */
export function openSlab(ring: Ring, slab: number, fill: Fill): void {
  ring.set(slab, SlabWord.form, fill.form);
  ring.set(slab, SlabWord.inBytes, fill.inBytes);
  ring.set(slab, SlabWord.inFrom, fill.inFrom);
  ring.set(slab, SlabWord.recordFrom, 0);
  ring.set(slab, SlabWord.recordsLimit, 0);
  ring.set(slab, SlabWord.run, 0);
  ring.set(slab, SlabWord.retake, 0);
  ring.set(slab, SlabWord.suspect, -1);
  forgetClaims(ring, slab);
  ring.set(slab, SlabWord.pipeline, fill.intake.pipelineSlot);
  ring.set(slab, SlabWord.pipelineVersion, fill.intake.pipelineVersion);
  ring.set(slab, SlabWord.offsetLow, fill.offset | 0);
  ring.set(slab, SlabWord.offsetHigh, Math.floor(fill.offset / 2 ** 32));
}

/** Books what a run made of its records; its batches are open from here on. */
export function commitRun(parts: Parts, ticket: Ticket): void {
  const { ring, window } = parts;
  const { slab, intake } = ticket;
  const { book } = intake;
  ring.commit(slab);
  const retaken = ring.get(slab, SlabWord.retake) === 1;
  const events = ring.get(slab, SlabWord.events);
  const dropped = ring.get(slab, SlabWord.dropped);
  const duplicates = ring.get(slab, SlabWord.duplicates);
  const rejects = ring.get(slab, SlabWord.rejects);
  const tentatives = ring.get(slab, SlabWord.tentatives);
  if (ticket.early.length > 0) refuseEarly(ticket);
  // They were accepted when they were first met; those that did not fit stay.
  if (retaken) {
    ticket.retakes -= ring.get(slab, SlabWord.retaken);
    ticket.tentatives = ticket.tentatives.slice(ring.get(slab, SlabWord.retaken) * TENTATIVE_WORDS);
  } else book.add('accepted', events + dropped + duplicates + rejects + tentatives);
  book.add('dropped', dropped);
  book.add('duplicates', duplicates);
  book.add('rejected', rejects);
  book.addConflicts(ring.get(slab, SlabWord.conflicts));
  if (tentatives > 0) keepTentatives(ring, ticket, tentatives);
  for (let row = 0; row < rejects; row += 1) refuse(parts, ticket, row);
  if (ticket.callers.length > 0) settleCallers(ring, ticket);
  intake.lines += ring.get(slab, SlabWord.lines);
  if (!retaken) ticket.linesAfter = intake.lines;
  ticket.batches = ticket.open = ring.get(slab, SlabWord.batches);
  ticket.next = ticket.extra = 0;
  if (ticket.oversized.size > 0) ticket.oversized.clear();
  window.rotate(Date.now());
}

/** The run stopped before the slab's end: the next goes on from there, and a suspect runs alone. */
export function prepareRest(ring: Ring, ticket: Ticket): void {
  const { slab } = ticket;
  const records = ring.get(slab, SlabWord.recordsDone);
  ring.set(slab, SlabWord.inFrom, ring.get(slab, SlabWord.inDone));
  ring.set(slab, SlabWord.recordFrom, records);
  ticket.alone = ticket.suspect === records;
  ring.set(slab, SlabWord.recordsLimit, ticket.alone ? 1 : 0);
  ring.set(slab, SlabWord.run, ring.get(slab, SlabWord.run) + 1);
  forgetClaims(ring, slab);
  ring.resume(slab);
}

/** The next run takes the tentative copies again, and nothing else. */
export function prepareRetake(ring: Ring, ticket: Ticket): void {
  writeTentatives(ring, ticket);
  ring.set(ticket.slab, SlabWord.retake, 1);
  ring.set(ticket.slab, SlabWord.run, ring.get(ticket.slab, SlabWord.run) + 1);
  forgetClaims(ring, ticket.slab);
  ring.resume(ticket.slab);
}

/** The results of a run that nobody makes any more: nothing was taken. The slab is `waiting`, and `ready` afterwards. */
export function writeEmptyRun(ring: Ring, slab: number): void {
  const { events, dropped, duplicates, tentatives, conflicts, batches, rejects, lines, claims, stopped, retaken, retake } = SlabWord;
  for (const word of [events, dropped, duplicates, tentatives, conflicts, batches, rejects, lines, claims, stopped, retaken, retake])
    ring.set(slab, word, 0);
  ring.set(slab, SlabWord.recordsDone, ring.get(slab, SlabWord.recordFrom));
  ring.begin(slab);
  ring.complete(slab);
}

/** The claims of a run that has settled are not those of the next, which may die before it has claimed anything. */
function forgetClaims(ring: Ring, slab: number): void {
  ring.set(slab, SlabWord.claims, 0);
  ring.words[(ring.start(slab) + ring.shape(slab).claimStart) / 4] = NO_SLOT;
}

/** Puts the kept rows back where a run reads them. What does not fit is kept for the retake after this one. */
export function writeTentatives(ring: Ring, { slab, tentatives, retakes }: Ticket): void {
  const at = (ring.start(slab) + ring.shape(slab).tentativeStart) / 4;
  const rows = Math.min(retakes, ring.shape(slab).recordsMax);
  for (let index = 0; index < rows * TENTATIVE_WORDS; index += 1) ring.words[at + index] = tentatives[index]!;
  ring.set(slab, SlabWord.tentatives, rows);
}

/** The claims of a run that does not count; true when there were any. One row more than counted: the worker may have died over it. */
export function rollBackRun({ ring, window }: Parts, slab: number): boolean {
  const row = (ring.start(slab) + ring.shape(slab).claimStart) / 4;
  const sequence = ring.get(slab, SlabWord.sequence);
  let any = false;
  for (let claim = 0; claim <= ring.get(slab, SlabWord.claims); claim += 1) {
    if (window.rollBack(ring.words[row + claim * CLAIM_WORDS]!, sequence)) any = true;
  }
  ring.set(slab, SlabWord.claims, 0);
  return any;
}

function keepTentatives(ring: Ring, ticket: Ticket, rows: number): void {
  const at = (ring.start(ticket.slab) + ring.shape(ticket.slab).tentativeStart) / 4;
  const waitsFor = ring.get(ticket.slab, SlabWord.waitsFor);
  if (ticket.tentatives.length === 0 || ((waitsFor - ticket.waitsFor) | 0) > 0) ticket.waitsFor = waitsFor;
  ticket.keepTentatives(ring.words, at, rows * TENTATIVE_WORDS);
}

/** Records that were refused before the slab's turn came now know their line. */
function refuseEarly({ early: found, intake }: Ticket): void {
  for (const early of found.splice(0)) {
    early.refuse(intake.lines + early.linesBefore + 1);
    intake.lines += early.lines;
  }
}

function refuse(parts: Parts, ticket: Ticket, row: number): void {
  const { ring } = parts;
  const at = (ring.start(ticket.slab) + ring.shape(ticket.slab).rejectStart) / 4 + row * REJECT_WORDS;
  const refusal = refusalOf(ring, ticket, at);
  parts.refusals.refuse(refusal, ticket.intake);
  ticket.callers[ring.words[at + RejectWord.record]!]?.reject(refusal.error);
}

/** The caller's record is in no batch. */
export function resolveWithout(caller: Caller | undefined, duplicate: boolean): void {
  caller?.resolve({ subject: caller.subject, stream: null, sequence: 0, duplicate });
}

/** Records that made no batch: their callers hear now. */
function settleCallers(ring: Ring, ticket: Ticket): void {
  const { slab, callers } = ticket;
  const table = (ring.start(slab) + ring.shape(slab).recordStart) / 4;
  for (let record = ring.get(slab, SlabWord.recordFrom); record < ring.get(slab, SlabWord.recordsDone); record += 1) {
    const outcome = ring.words[table + record]!;
    if (outcome === RECORD_DUPLICATE || outcome === RECORD_DROPPED) resolveWithout(callers[record], outcome === RECORD_DUPLICATE);
  }
}
