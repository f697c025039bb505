/** Notices that nothing came for a while, from a counter that it looks at now and then: no timer is touched per event. */

export class IdleClock {
  readonly #timer: NodeJS.Timeout;

  /** `timeoutMs` null = never expires, `progress` is still looked at. */
  constructor({
    timeoutMs,
    progress,
    expired,
  }: {
    readonly timeoutMs: number | null;
    readonly progress: () => number;
    readonly expired: () => void;
  }) {
    let seen = progress();
    let since = performance.now();
    // A tenth of the wait: the end comes at most that much late.
    this.#timer = setInterval(
      () => {
        const now = progress();
        if (now !== seen) {
          seen = now;
          since = performance.now();
        } else if (timeoutMs !== null && performance.now() - since >= timeoutMs) expired();
      },
      Math.min(200, Math.max(5, (timeoutMs ?? 1_000) / 10)),
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
