/** Everything that can be wrong with the folder of a store, as one MILLRACE_STORE error that names the path and the way out. */
import { MillraceError, messageOf } from '../../api/errors.ts';

interface Advice {
  readonly pattern: RegExp;
  readonly text: string;
  readonly retryable: boolean;
  /** There is no room for anything now. */
  readonly full?: true;
}

/** What `doing` says of a write: only then is a lack of room that of a broker which takes nothing more for now. */
export const WRITING = 'write to';

/** Matched against the message and code of what the file system or LMDB threw; the first that fits wins. */
const adviceTable: readonly Advice[] = [
  {
    pattern: /ENOSPC|No space left|EFBIG|File too large|EDQUOT|quota/i,
    text: 'the disk is full (or a size limit is reached); free some space, or set maxAge, maxBytes or maxMessages',
    retryable: true,
    full: true,
  },
  {
    pattern: /MDB_MAP_FULL|mapsize/i,
    text: 'the store cannot grow any further; set maxAge, maxBytes or maxMessages',
    retryable: true,
    full: true,
  },
  {
    pattern: /EACCES|EPERM|Permission denied|not permitted/i,
    text: 'it may not be written by this user; change its permissions or choose another path',
    retryable: false,
  },
  { pattern: /EROFS|Read-only file system/i, text: 'the file system is read-only; choose another path', retryable: false },
  { pattern: /ENOTDIR|EEXIST|Not a directory/i, text: 'a part of the path is a file; name a folder', retryable: false },
  { pattern: /ENAMETOOLONG|File name too long/i, text: 'the path is too long', retryable: false },
  { pattern: /EMFILE|ENFILE|Too many open files/i, text: 'no file descriptor is left; raise the limit (ulimit -n)', retryable: true },
  { pattern: /ENOMEM|Cannot allocate memory/i, text: 'there is not enough address space or memory to map it', retryable: true },
  {
    pattern: /MDB_INVALID|MDB_CORRUPTED|MDB_VERSION_MISMATCH|MDB_PAGE_NOTFOUND|MDB_BAD_TXN|not an LMDB|corrupt/i,
    text: 'its data.mdb is not an LMDB file this version can read, or is damaged; restore a backup or choose another path',
    retryable: false,
  },
  { pattern: /MDB_READERS_FULL/i, text: 'too many readers have it open', retryable: true },
  // LMDB says EIO also for a write that was cut short, which is how a full disk shows first; without a reason it is the likeliest.
  {
    pattern: /EIO|Input\/output error|Commit failed/i,
    text: 'the disk is full (or a size limit is reached), or reports errors; check the space left and the disk',
    retryable: true,
    full: true,
  },
  { pattern: /MDB_PANIC/i, text: 'the disk reports errors; open it again', retryable: false },
];

/** One error for anything thrown while the store at `path` was used; a write that found no room has the code of a full broker. */
export function storeError(path: string, doing: string, thrown: unknown): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const systemCode = (thrown as { readonly code?: unknown } | null)?.code;
  const message = messageOf(thrown);
  const advice = adviceTable.find(({ pattern }) => pattern.test(message) || (typeof systemCode === 'string' && pattern.test(systemCode)));
  const code = advice?.full === true && doing === WRITING ? 'MILLRACE_BROKER_FULL' : 'MILLRACE_STORE';
  return new MillraceError(code, `cannot ${doing} the store '${path}': ${advice?.text ?? message}`, {
    retryable: advice?.retryable ?? false,
    cause: thrown,
    context: { processor: 'embedded', path },
  });
}

/** A fault we found ourselves. */
export const storeFault = (path: string, doing: string, reason: string): MillraceError =>
  new MillraceError('MILLRACE_STORE', `cannot ${doing} the store '${path}': ${reason}`, { context: { processor: 'embedded', path } });
