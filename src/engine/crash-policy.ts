/** What becomes of a slab whose worker died: it runs again up to the suspect, the suspect alone, and then the suspect is a dead letter. */
import type { Parts } from './parts.ts';
import { crashRefusal } from './refusals.ts';
import { writeTentatives } from './run-results.ts';
import type { Ticket } from './ticket.ts';
import { MillraceError, messageOf } from '../api/errors.ts';
import { SlabWord, TENTATIVE_WORDS } from '../memory/layout.ts';

/** A slab that only waited in a dead worker, or met one out of memory, simply runs again; not for ever. */
const BLAMELESS_CRASHES_MAX = 3;

export class CrashPolicy {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Writes the words of the next run; the slab is `waiting`. */
  decide(ticket: Ticket, error: unknown): void {
    const { ring } = this.#parts;
    const { slab } = ticket;
    const suspect = ring.get(slab, SlabWord.suspect);
    ring.set(slab, SlabWord.suspect, -1);
    const from = ring.get(slab, SlabWord.recordFrom);
    if (suspect < 0) this.#blameless(ticket, error);
    else if (ring.get(slab, SlabWord.retake) === 1) this.#dropCopies(ticket, suspect, error);
    else if (ticket.alone && suspect === from) this.#condemn(ticket, suspect, error);
    else {
      ticket.suspect = suspect;
      ticket.alone = suspect === from;
      ring.set(slab, SlabWord.recordsLimit, ticket.alone ? 1 : suspect - from);
    }
  }

  /** Nobody to blame. After too many times the rest of the slab is given up, loudly: it is a defect of ours, or no memory is left. */
  #blameless(ticket: Ticket, cause: unknown): void {
    ticket.crashes += 1;
    if (ticket.crashes < BLAMELESS_CRASHES_MAX) return;
    const { ring, signals } = this.#parts;
    const error = new MillraceError('MILLRACE_INTERNAL', `a slab could not be run in ${ticket.crashes} attempts: ${messageOf(cause)}`, { cause });
    signals.emit('error', error);
    ticket.intake.fail(error);
    for (const caller of ticket.callers) caller?.reject(error);
    ring.set(ticket.slab, SlabWord.inFrom, ring.get(ticket.slab, SlabWord.inBytes)); // An empty run.
  }

  /** It killed its worker when it ran alone. The rest of the slab goes on after it. */
  #condemn(ticket: Ticket, suspect: number, error: unknown): void {
    const { ring, refusals } = this.#parts;
    const { slab, intake } = ticket;
    const [start, next] = [ring.get(slab, SlabWord.suspectStart), ring.get(slab, SlabWord.suspectNext)];
    const refusal = crashRefusal(ring, ticket, { start, end: next, message: messageOf(error) });
    intake.book.add('accepted', 1);
    intake.book.add('rejected', 1);
    refusals.refuse(refusal, intake);
    ticket.callers[suspect]?.reject(refusal.error);
    ticket.alone = false;
    ticket.suspect = -1;
    ring.set(slab, SlabWord.recordFrom, suspect + 1);
    ring.set(slab, SlabWord.inFrom, next);
    ring.set(slab, SlabWord.recordsLimit, 0);
  }

  /** A copy that is taken again has already run once without harm; if it kills now it is refused. */
  #dropCopies(ticket: Ticket, suspect: number, error: unknown): void {
    const { ring, refusals } = this.#parts;
    const kept: number[] = [];
    for (let at = 0; at < ticket.tentatives.length; at += TENTATIVE_WORDS) {
      const row = ticket.tentatives.slice(at, at + TENTATIVE_WORDS);
      if (row[0] !== suspect) kept.push(...row);
      else {
        const base = ring.start(ticket.slab) + ring.shape(ticket.slab).inStart;
        ticket.intake.book.add('rejected', 1);
        refusals.refuse(crashRefusal(ring, ticket, { start: row[1]! - base, end: row[2]! - base, message: messageOf(error) }), ticket.intake);
      }
    }
    ticket.tentatives = kept;
    writeTentatives(ring, ticket);
  }
}
