/**
 * Strict order: of each subject of an intake one batch is on its way at a time, so a later one is never stored before an earlier one has
 * settled, whatever is refused or lost in between. Other subjects go on.
 */
import type { Intake, Ticket } from './ticket.ts';

interface Place {
  readonly ticket: Ticket;
  readonly batch: number;
  next: Place | null;
}

interface Lane {
  /** On its way, or to be sent again. */
  current: Place;
  last: Place;
}

export class StrictLanes {
  readonly #lanes: Map<Intake, Map<string, Lane>> = new Map();

  get empty(): boolean {
    return this.#lanes.size === 0;
  }

  /** True = it may go now; false = it waits here until those before it have settled. */
  enter(subject: string, ticket: Ticket, batch: number): boolean {
    let subjects = this.#lanes.get(ticket.intake);
    if (subjects === undefined) this.#lanes.set(ticket.intake, (subjects = new Map()));
    const place: Place = { ticket, batch, next: null };
    const lane = subjects.get(subject);
    if (lane === undefined) {
      subjects.set(subject, { current: place, last: place });
      return true;
    }
    lane.last = lane.last.next = place;
    return false;
  }

  /** It has settled, or the broker did not take it: the one whose turn it is now, or null. */
  leave(subject: string, ticket: Ticket, batch: number): Readonly<Place> | null {
    const subjects = this.#lanes.get(ticket.intake);
    const lane = subjects?.get(subject);
    // One that was published before its slab was committed never entered.
    if (subjects === undefined || lane?.current.ticket !== ticket || lane.current.batch !== batch) return null;
    const { next } = lane.current;
    if (next !== null) return (lane.current = next);
    subjects.delete(subject);
    if (subjects.size === 0) this.#lanes.delete(ticket.intake);
    return null;
  }

  /** It was taken apart: the parts stand in its place, the first of them goes. */
  split(subject: string, ticket: Ticket, { batch, parts }: { readonly batch: number; readonly parts: readonly number[] }): void {
    const lane = this.#lanes.get(ticket.intake)?.get(subject);
    if (lane?.current.ticket !== ticket || lane.current.batch !== batch) return;
    const places = parts.map((part): Place => ({ ticket, batch: part, next: null }));
    for (const [index, place] of places.entries()) place.next = places[index + 1] ?? lane.current.next;
    if (lane.last === lane.current) lane.last = places.at(-1)!;
    lane.current = places[0]!;
  }

  /** Takes out those that wait; what is on its way leaves when it settles. */
  takeAll(): Readonly<Place>[] {
    const waiting: Place[] = [];
    for (const subjects of this.#lanes.values()) {
      for (const lane of subjects.values()) {
        for (let place = lane.current.next; place !== null; place = place.next) waiting.push(place);
        lane.last = lane.current;
        lane.current.next = null;
      }
    }
    return waiting;
  }
}
