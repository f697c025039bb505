/** Decides where to go on in a file: at the checkpoint only when the file surely is the same up to there, else at its start. */
import { createHash } from 'node:crypto';
import type { CheckpointEntry } from './checkpoint.ts';

/** What is known of the file as it is now. */
export interface FileFacts {
  readonly identity: string;
  readonly bytesTotal: number;
  readonly compressed: boolean;
  /** As in the entry: hash of the last bytes before a position; null when the file is too short. Plain files only. */
  hashBefore(position: number): Promise<string | null>;
}

export interface ResumePoint {
  readonly position: number;
  readonly lines: number;
  readonly generation: number;
  /** `fresh`: nothing known. `replaced`: another file has the name. `shorter`, `changed`: the same file holds something else now. */
  readonly reason: 'fresh' | 'resumed' | 'replaced' | 'shorter' | 'changed';
}

export async function resumePoint(entry: CheckpointEntry | null, file: FileFacts): Promise<ResumePoint> {
  const anew = (reason: ResumePoint['reason'], generation: number): ResumePoint => ({ position: 0, lines: 0, generation, reason });
  if (entry === null) return anew('fresh', 0);
  if (entry.identity !== file.identity) return anew('replaced', 0);
  // Of a packed file only the size on disk can be compared; its position counts unpacked bytes.
  const shorter = file.bytesTotal < (file.compressed ? entry.bytesTotal : entry.position);
  if (shorter) return anew('shorter', entry.generation + 1);
  if (!file.compressed && (await file.hashBefore(entry.position)) !== entry.hashBefore) return anew('changed', entry.generation + 1);
  return { position: entry.position, lines: entry.lines, generation: entry.generation, reason: 'resumed' };
}

/** Identity of what the file holds: positions of one generation mean nothing in another. */
export function identityOfGeneration(identity: string, generation: number): string {
  if (generation === 0) return identity;
  return createHash('sha256').update(`${identity}:${generation}`).digest('hex').slice(0, identity.length);
}
