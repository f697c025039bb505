/** What becomes of a slab whose worker died: it runs again up to the suspect, the suspect alone, and then the suspect is a dead letter. */
import type { Parts } from './parts.ts';
import { crashRefusal } from './refusals.ts';
import { writeEmptyRun, writeTentatives } from './run-results.ts';
import { NO_TENTATIVES } from './ticket.ts';
import type { Ticket } from './ticket.ts';
import { MillraceError, messageOf } from '../api/errors.ts';
import { SlabForm, SlabWord, TENTATIVE_WORDS } from '../memory/layout.ts';

/** A slab that only waited in a dead worker, or met one out of memory, simply runs again; not for ever. */
const BLAMELESS_CRASHES_MAX = 3;

export class CrashPolicy {
  readonly #parts: Parts;
  #progress = 0; // Suspects found, set apart and condemned.

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Writes the words of the next run; the slab is `waiting`, and `blame` says that the dead worker was at work on it. False = there is none: see `giveUp`. */
  decide(ticket: Ticket, error: unknown, blame: boolean): boolean {
    const { ring } = this.#parts;
    const { slab } = ticket;
    const suspect = blame ? ring.get(slab, SlabWord.suspect) : -1;
    ring.set(slab, SlabWord.suspect, -1);
    const from = ring.get(slab, SlabWord.recordFrom);
    if (suspect < 0) return this.#isBearable(ticket, error, blame);
    this.#progress += 1;
    if (ring.get(slab, SlabWord.retake) === 1) this.#dropCopies(ticket, suspect, error);
    else if (ticket.alone && suspect === from) this.#condemn(ticket, suspect, error);
    else {
      ticket.suspect = suspect;
      ticket.alone = suspect === from;
      ring.set(slab, SlabWord.recordsLimit, ticket.alone ? 1 : suspect - from);
    }
    return true;
  }

  /** What is left of the slab never runs: its callers hear, copies that were accepted have failed, and its results are those of an empty run. */
  giveUp(ticket: Ticket, error: MillraceError): void {
    const { ring } = this.#parts;
    for (const caller of ticket.callers) caller?.reject(error); // Those that have their answer do not hear it.
    if (ring.get(ticket.slab, SlabWord.retake) === 1) {
      ticket.intake.book.add('failed', ticket.tentatives.length / TENTATIVE_WORDS);
      ticket.tentatives = NO_TENTATIVES;
    }
    writeEmptyRun(ring, ticket.slab);
  }

  /** Nobody to blame. After too many times without any progress the rest of the slab is given up, loudly: it is a defect of ours, or no memory is left. */
  #isBearable(ticket: Ticket, cause: unknown, blame: boolean): boolean {
    if (!blame && ticket.progressSeen !== this.#progress) ticket.crashes = 0; // It only waited behind a record that killed the worker.
    ticket.progressSeen = this.#progress;
    ticket.crashes += 1;
    if (ticket.crashes < BLAMELESS_CRASHES_MAX) {
      if (this.#parts.ring.get(ticket.slab, SlabWord.retake) === 1) writeTentatives(this.#parts.ring, ticket); // The dead run wrote over them.
      return true;
    }
    const error = new MillraceError('MILLRACE_INTERNAL', `a slab could not be run in ${ticket.crashes} attempts: ${messageOf(cause)}`, {
      cause,
    });
    ticket.intake.fail(error);
    this.giveUp(ticket, error);
    return false;
  }

  /** It killed its worker when it ran alone. The rest of the slab goes on after it. */
  #condemn(ticket: Ticket, suspect: number, error: unknown): void {
    const { ring, refusals } = this.#parts;
    const { slab, intake } = ticket;
    const [from, start, end] = [
      ring.get(slab, SlabWord.inFrom),
      ring.get(slab, SlabWord.suspectStart),
      ring.get(slab, SlabWord.suspectNext),
    ];
    const linesBefore = this.#lineBreaks(slab, from, start);
    const refuse = (line: number): void => {
      const refusal = crashRefusal(ring, ticket, { start, end, line, message: messageOf(error) });
      intake.book.add('accepted', 1);
      intake.book.add('rejected', 1);
      refusals.refuse(refusal, intake);
      ticket.callers[suspect]?.reject(refusal.error);
    };
    ticket.early.push({ linesBefore, lines: linesBefore + this.#lineBreaks(slab, start, end), refuse });
    ticket.alone = false;
    ticket.suspect = -1;
    ring.set(slab, SlabWord.recordFrom, suspect + 1);
    ring.set(slab, SlabWord.inFrom, end);
    ring.set(slab, SlabWord.recordsLimit, 0);
  }

  #lineBreaks(slab: number, from: number, to: number): number {
    const { ring } = this.#parts;
    if (ring.get(slab, SlabWord.form) === SlabForm.frames) return 0;
    const area = ring.start(slab) + ring.shape(slab).inStart;
    return ring.bytes.subarray(area + from, area + to).reduce((lines, byte) => lines + (byte === 10 ? 1 : 0), 0);
  }

  /** A copy that is taken again has already run once without harm; if it kills now it is refused. */
  #dropCopies(ticket: Ticket, suspect: number, error: unknown): void {
    const { ring, refusals } = this.#parts;
    const base = ring.start(ticket.slab) + ring.shape(ticket.slab).inStart;
    const kept: number[] = [];
    const { retakes } = ticket;
    for (let at = 0; at < ticket.tentatives.length; at += TENTATIVE_WORDS) {
      const row = ticket.tentatives.slice(at, at + TENTATIVE_WORDS);
      if (row[0] !== suspect) {
        kept.push(...row);
        continue;
      }
      if (at < retakes * TENTATIVE_WORDS) ticket.retakes -= 1;
      ticket.intake.book.add('rejected', 1);
      refusals.refuse(
        crashRefusal(ring, ticket, { start: row[1]! - base, end: row[2]! - base, line: 0, message: messageOf(error) }),
        ticket.intake,
      );
    }
    ticket.tentatives = Int32Array.from(kept);
    writeTentatives(ring, ticket);
  }
}
