/** A source that has nothing at hand, and a slab that holds a part: whichever comes first decides. */
import type { Outbound } from './outbound.ts';
import type { ByteSource } from './source-types.ts';

/** Waits until the source has more, or a worker idles meanwhile: true = what has been read should go now. */
export async function starves(source: ByteSource, outbound: Outbound): Promise<boolean> {
  if (source.ready === undefined) return false;
  let ready = false;
  const more = source.ready().then(() => (ready = true));
  for (;;) {
    await Promise.race([more, outbound.whenReleased()]);
    if (ready) return false;
    if (outbound.eager || outbound.closed) return true;
  }
}
