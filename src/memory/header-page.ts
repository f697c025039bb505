/** The page at the head of the shared memory: what all threads look at. */

/** Words of the header page, as Int32 indexes from its start. */
export const HeaderWord = {
  magic: 0,
  version: 1,
  /** Main: sequences below this are settled (compare by difference). Pairs with the window's tentative test in workers. */
  settled: 32,
  /** Worker slots: thread id of the holder, 0 = free. One word per slot, LINE apart. */
  workerSlots: 64,
  /** The queue of waiting slabs (memory/work-queue.ts): its ends, the bell that workers sleep on, the round they serve, its entries. */
  queueTail: 8_064,
  queueHead: 8_096,
  queueBell: 8_128,
  queueRound: 8_160,
  queue: 8_192,
} as const;
/** Entries of the queue, a power of two: each slab once, and room for those that are passed over. They fill the rest of the header page. */
export const QUEUE_ENTRIES = 8_192;
