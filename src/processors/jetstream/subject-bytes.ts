/** The UTF-8 of the subjects in use, kept so that a subject is encoded once; bounded. */

/** UTF-8 takes at most so many bytes for a unit of a string. */
const UNIT_BYTES_MAX = 3;
/** Room for the reply subject and the sizes is left in the server's control line of 4,096 bytes. */
export const SUBJECT_BYTES_MAX = 2_048;
const SUBJECTS_MAX = 4_096;

/** Hot path. Does a subject fit the control line? */
export const fitsLine = (subject: string): boolean =>
  subject.length * UNIT_BYTES_MAX <= SUBJECT_BYTES_MAX || Buffer.byteLength(subject) <= SUBJECT_BYTES_MAX;

export class SubjectBytes {
  readonly #known = new Map<string, Uint8Array>();
  #lastSubject = '';
  #lastBytes: Uint8Array = new Uint8Array(0);

  /** The last one is remembered apart: runs of one subject are the rule. */
  of(subject: string): Uint8Array {
    if (subject === this.#lastSubject) return this.#lastBytes;
    let bytes = this.#known.get(subject);
    if (bytes === undefined) {
      if (this.#known.size >= SUBJECTS_MAX) this.#known.clear();
      bytes = Buffer.from(subject);
      this.#known.set(subject, bytes);
    }
    this.#lastSubject = subject;
    this.#lastBytes = bytes;
    return bytes;
  }
}
