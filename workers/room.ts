/** Says how much of the out area an event may need, so that all that was taken of a slab surely fits, and which events are too large at all. */
import { batchLimit, singleRoom } from './pipeline.ts';
import type { Pipeline } from './pipeline.ts';
import type { Run } from './run.ts';
import { LEAD_BYTES, LED_BYTES_MIN, SlabWord, TRAIL_BYTES } from '../src/memory/layout.ts';

const ELEMENT_HEAD_BYTES = 8;
const ID_TEXT_BYTES = 256; // At most; subjects do not lie in the out area.

export class Room {
  /** Of the out area, for all events taken so far. */
  needed = 0;
  eventBytesMax = 0;
  recordBytesMax = 0;
  /** Bytes that an event takes beyond its own: heads and headers, by event and by byte. */
  fixed = 0;
  perByte = 0;

  open(pipeline: Pipeline, run: Run): void {
    const { description, headerRoom } = pipeline;
    const messageBytesMax = run.words[run.header + SlabWord.messageBytesMax]!;
    const each = description.framing === 'each';
    this.needed = 0;
    this.recordBytesMax = description.eventBytesMax;
    this.eventBytesMax = messageBytesMax - headerRoom - ID_TEXT_BYTES;
    // A batch may close half full because the next event is large: twice its share.
    this.fixed = each
      ? singleRoom(pipeline, run.recordRow !== 0)
      : ELEMENT_HEAD_BYTES + ID_TEXT_BYTES + Math.ceil((2 * headerRoom) / description.batchEvents);
    this.perByte = each ? 0 : (2 * headerRoom) / batchLimit(messageBytesMax, pipeline) + (LEAD_BYTES + TRAIL_BYTES) / LED_BYTES_MIN;
  }

  of(bytes: number): number {
    return bytes + this.fixed + Math.ceil(bytes * this.perByte);
  }
}
