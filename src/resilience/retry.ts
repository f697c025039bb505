/** How long to wait before the next attempt: exponential with full jitter, within both bounds of the policy, and pure. */

export interface RetryPolicy {
  /** Attempts, the first included. */
  readonly maxAttempts: number;
  /** Ceiling of the first wait; it doubles with each attempt. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
}

/** 2^52 × 1 ms is longer than any backoffMaxMs; beyond it 0 × Infinity would be NaN. */
const DOUBLINGS_MAX = 52;

/**
 * `attempt` counts the attempts made so far (1 after the first failure); null = the budget is spent. Full jitter (a wait
 * from 0 to the ceiling) keeps many producers that failed together from coming back together.
 */
export function nextDelayMs(attempt: number, policy: RetryPolicy, random: () => number = Math.random): number | null {
  if (attempt >= policy.maxAttempts) return null;
  const ceiling = Math.min(policy.backoffMaxMs, policy.backoffMs * 2 ** Math.min(Math.max(attempt - 1, 0), DOUBLINGS_MAX));
  return Math.floor(random() * (ceiling + 1));
}
