/** The stages of Millrace's workers behind a plain message: a chunk comes in as a copy, finished batches go out as copies. */
import { PrivateStages } from './private-stages.ts';
import type { CopiedBatch } from './private-stages.ts';

let stages: PrivateStages | null = null;

/** What Piscina calls. */
export function encodeChunk(chunk: Uint8Array): CopiedBatch[] {
  stages ??= new PrivateStages();
  return stages.run(chunk);
}
