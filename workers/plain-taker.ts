/** Has the kernel take encoded rows, from the first to one that is not plain; what it took is then as if EventTaker had. */
import type { EventTaker } from './events.ts';
import type { Kernel } from './kernel-host.ts';
import { KernelWord, ROOM_PER_BYTE_AT, TakeFlag } from './kernel-layout.ts';
import type { Pipeline } from './pipeline.ts';
import type { Run } from './run.ts';
import type { SubjectTable } from './subjects.ts';
import { EVENT_WORDS, EventWord } from '../src/memory/event-table.ts';
import { SlabWord } from '../src/memory/layout.ts';
import type { DedupeWindow } from '../src/memory/window.ts';

export class PlainTaker {
  readonly #kernel: Kernel;
  readonly #run: Run;
  readonly #taker: EventTaker;
  readonly #subjects: SubjectTable;
  readonly #window: DedupeWindow | null;
  readonly #view: DataView;
  readonly #at: number; // Int32 index of the kernel's state.
  #windowed = false;
  #subject = -1;
  #runs = 0;

  constructor(kernel: Kernel, run: Run, taker: EventTaker, { subjects, window }: { subjects: SubjectTable; window: DedupeWindow | null }) {
    this.#kernel = kernel;
    this.#run = run;
    this.#taker = taker;
    this.#subjects = subjects;
    this.#window = window;
    this.#view = new DataView(run.bytes.buffer);
    this.#at = kernel.stateStart / 4;
  }

  /** False = this run's events are not for the kernel: ids made of time, or positions that are stored already. */
  open({ description, idPick, subjectPick }: Pipeline): boolean {
    const run = this.#run;
    const { words } = run;
    const at = this.#at;
    const { room, constantSubject } = this.#taker;
    if (this.#taker.asksStored || description.id === 'time') return false;
    const withId = idPick >= 0 || description.id === 'hash';
    this.#subject = constantSubject;
    this.#windowed = withId && description.windowed && this.#window !== null;
    words[at + KernelWord.subject] = constantSubject;
    words[at + KernelWord.subjectPick] = constantSubject < 0 ? subjectPick : -1;
    words[at + KernelWord.routeRun] = this.#runs += 1;
    words[at + KernelWord.recordMax] = room.recordBytesMax;
    words[at + KernelWord.eventMax] = Math.max(0, room.eventBytesMax);
    words[at + KernelWord.roomFixed] = room.fixed;
    this.#view.setFloat64(at * 4 + ROOM_PER_BYTE_AT, room.perByte, true);
    words[at + KernelWord.flags] =
      (withId ? TakeFlag.withId : 0) |
      (this.#windowed ? TakeFlag.windowed : 0) |
      (withId && description.framing === 'each' ? TakeFlag.headerSafe : 0);
    words[at + KernelWord.sequence] = run.sequence;
    words[at + KernelWord.claimsWord] = (run.header + SlabWord.claims) * 4;
    if (!this.#windowed) return true;
    const { entriesAt, places, generationAt, settledAt } = this.#window!;
    words[at + KernelWord.entries] = entriesAt * 4;
    words[at + KernelWord.places] = places;
    words[at + KernelWord.generationAt] = generationAt * 4;
    words[at + KernelWord.settledAt] = settledAt * 4;
    return true;
  }

  /** Rows from `from` to before `rows`; returns the first that was not taken. */
  take(from: number, rows: number): number {
    const run = this.#run;
    const taker = this.#taker;
    const { words } = run;
    const at = this.#at;
    const end = Math.min(rows, from + run.freeRows);
    if (end <= from) return from;
    const [events, claims] = [run.events, run.claims];
    const left = run.outEnd - run.outAt - taker.room.needed;
    const generation = this.#windowed ? this.#window!.generation : 0;
    words[at + KernelWord.generation] = generation;
    words[at + KernelWord.eventAt] = (run.eventRow + events * EVENT_WORDS) * 4;
    words[at + KernelWord.record] = taker.record;
    words[at + KernelWord.claimAt] = run.nextClaim() * 4;
    words[at + KernelWord.claims] = claims;
    words[at + KernelWord.room] = left;
    words[at + KernelWord.duplicates] = 0;
    words[at + KernelWord.conflicts] = 0;
    const next = this.#kernel.take(from, end);
    taker.record = words[at + KernelWord.record]!;
    taker.room.needed += left - words[at + KernelWord.room]!;
    run.claims = words[at + KernelWord.claims]!;
    run.duplicates += words[at + KernelWord.duplicates]!;
    run.conflicts += words[at + KernelWord.conflicts]!;
    run.events = ((words[at + KernelWord.eventAt]! >>> 2) - run.eventRow) / EVENT_WORDS;
    if (run.claims > claims) this.#window!.took(generation, run.claims - claims);
    if (run.events > events) this.#link(run.eventRow + events * EVENT_WORDS, run.eventRow + (run.events - 1) * EVENT_WORDS);
    return next;
  }

  /** EventTaker took this row: its values make the subject of the newest event. */
  remember(row: number): void {
    const run = this.#run;
    if (this.#subject >= 0) return;
    this.#kernel.remember(row, run.words[run.eventRow + (run.events - 1) * EVENT_WORDS + EventWord.subject]!);
  }

  #link(first: number, last: number): void {
    const { words } = this.#run;
    words[last + EventWord.next] = -1;
    if (this.#subject >= 0) return this.#subjects.appendList(this.#subject, first, last);
    for (let row = first; row <= last; row += EVENT_WORDS) {
      words[row + EventWord.next] = -1;
      this.#subjects.append(words[row + EventWord.subject]!, row);
    }
  }
}
