/** Letters, folders and a disk that breaks on command, for the tests of dead letters. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeadLetter, DeadLetterInput } from '../../../src/resilience/dead-letter-types.ts';
import type { DeadLetterStore } from '../../../src/resilience/dead-letters.ts';
import type { SegmentFiles } from '../../../src/resilience/segment-files.ts';
import { nodeFiles } from '../../../src/resilience/segment-files.ts';

export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'millrace-letters-'));
  return { path: join(root, 'letters'), remove: () => rmSync(root, { recursive: true, force: true }) };
}

export function letter(change: Partial<DeadLetterInput> = {}): DeadLetterInput {
  return {
    reason: 'invalid_json',
    code: 'MILLRACE_RECORD_INVALID',
    message: 'unexpected } at byte 7',
    subject: 'orders.created',
    processor: 'embedded',
    target: 'embedded:.millrace',
    attempts: 0,
    origin: { file: 'a.ndjson', line: 3, byteOffset: 20, byteEnd: 28, stream: null, sequence: null, index: null },
    headers: { 'X-Source': 'test' },
    raw: Buffer.from('{"a":1}}'),
    encoding: 'input',
    ...change,
  };
}

export async function allOf(store: DeadLetterStore, ...parameters: Parameters<DeadLetterStore['list']>): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const one of store.list(...parameters)) letters.push(one);
  return letters;
}

/** What the disk does: room in bytes, and which operation fails. */
export interface Disk {
  room: number;
  failing: 'none' | 'sync' | 'create' | 'truncate';
  /** Times it refused. */
  refused: number;
}

/** A disk that takes what fits, byte by byte, and then says ENOSPC, as a real one does. */
export function brokenFiles(disk: Disk): SegmentFiles {
  const refuse = (code: string): Error => {
    disk.refused += 1;
    return Object.assign(new Error(`${code}: by the test`), { code });
  };
  return {
    ...nodeFiles,
    create: async (path) => {
      if (disk.failing === 'create') throw refuse('EACCES');
      const file = await nodeFiles.create(path);
      return {
        ...file,
        write: async (bytes, position) => {
          if (disk.room <= 0) throw refuse('ENOSPC');
          const part = bytes.subarray(0, Math.min(bytes.length, disk.room));
          disk.room -= part.length;
          return file.write(part, position);
        },
        datasync: async () => {
          if (disk.failing === 'sync') throw refuse('EIO');
          return file.datasync();
        },
        truncate: async (bytes) => {
          if (disk.failing === 'truncate') throw refuse('EIO');
          return file.truncate(bytes);
        },
      };
    },
  };
}
