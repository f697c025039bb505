/** Draws the event table: what a worker keeps of each event between taking it and gathering it into a batch. */

/** Words of one row of a worker's event table (in its scratch): everything the batcher needs, offsets absolute. */
export const EventWord = {
  start: 0,
  end: 1,
  subject: 2,
  record: 3,
  recordStart: 4,
  recordEnd: 5,
  idStart: 6,
  idEnd: 7,
  claim: 8,
  next: 9,
  headersStart: 10,
  headersEnd: 11,
} as const;
export const EVENT_WORDS = 12;
