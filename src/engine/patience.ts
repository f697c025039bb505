/** Asks again what failed, for as long as somebody waits for it; then the last failure is told. */

const AGAIN_MS = 250;

export async function patiently(ask: () => Promise<void>, givenUp: () => boolean): Promise<void> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (givenUp()) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
