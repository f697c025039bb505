/** The few file operations that a segment writer needs, as an interface, so that a test can fill or break the disk. */
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, rename, rm } from 'node:fs/promises';

export interface SegmentFile {
  /** Returns the bytes written, which may be fewer. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  datasync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

export interface SegmentFiles {
  /** Readable by the owner only: dead letters hold users' data. */
  makeFolder(path: string): Promise<void>;
  /** Fails when the file exists. */
  create(path: string): Promise<SegmentFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes names in the folder durable. */
  syncFolder(path: string): Promise<void>;
}

export const nodeFiles: SegmentFiles = {
  makeFolder: async (path) => void (await mkdir(path, { recursive: true, mode: 0o700 })),
  create: async (path) => segmentFile(await open(path, 'wx', 0o600)),
  rename,
  remove: (path) => rm(path, { force: true }),
  syncFolder,
};

function segmentFile(file: FileHandle): SegmentFile {
  return {
    write: async (bytes, position) => (await file.write(bytes, 0, bytes.length, position)).bytesWritten,
    datasync: () => file.datasync(),
    truncate: (bytes) => file.truncate(bytes),
    close: () => file.close(),
  };
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // Folders cannot be opened there, and names are journaled.
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
