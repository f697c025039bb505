/** Finds the subject of each event: its own (frames), the pipeline's one, or made from its fields. */
import type { Picks, Pipeline } from './pipeline.ts';
import type { Run } from './run.ts';
import type { SubjectTable } from './subjects.ts';
import { reasonCode } from '../src/api/reject-reasons.ts';
import { RENDER_MISSING, SUBJECT_BYTES_MAX } from '../src/codec/subject.ts';
import type { FrameReader } from '../src/memory/frames.ts';

const MISSING_FIELD = reasonCode('missing_field');
const INVALID_SUBJECT = reasonCode('invalid_subject');

export class SubjectRouter {
  /** The reason after `route` said -2. */
  fault = 0;
  readonly #run: Run;
  readonly #subjects: SubjectTable;
  #pipeline!: Pipeline;
  /** The subject of all events, -1 = each has its own. */
  constant = -1;

  constructor(run: Run, subjects: SubjectTable) {
    this.#run = run;
    this.#subjects = subjects;
  }

  open(pipeline: Pipeline): void {
    this.#pipeline = pipeline;
    this.constant = pipeline.subjectBytes === null ? -1 : this.#subjects.internBytes(pipeline.subjectBytes);
  }

  get needsPicks(): boolean {
    return this.constant < 0;
  }

  /** Index in the subject table; -1 = no room, -2 = the event makes none (`fault`). */
  route(frame: FrameReader | null, picks: Picks): number {
    const run = this.#run;
    if (frame !== null && frame.idStart > frame.subjectStart) {
      const bytes = frame.idStart - frame.subjectStart;
      if (run.textAt + bytes > run.textEnd) return -1;
      run.copy(run.textAt, frame.subjectStart, bytes);
      return this.#subjects.intern(run.textAt + bytes);
    }
    if (this.constant >= 0) return this.constant;
    const { template, subjectPick } = this.#pipeline;
    if (run.textAt + SUBJECT_BYTES_MAX > run.textEnd) return -1;
    const end = template.render(
      run.bytes,
      picks.pickStart,
      picks.pickEnd,
      subjectPick,
      run.bytes,
      run.textAt,
      run.textAt + SUBJECT_BYTES_MAX,
    );
    if (end >= 0) return this.#subjects.intern(end);
    this.fault = end === RENDER_MISSING ? MISSING_FIELD : INVALID_SUBJECT;
    return -2;
  }
}
