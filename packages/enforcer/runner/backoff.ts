/** How long to wait before the next try of what failed: doubling from 100 ms to 5 s. */
export const backoffMs = (attempt: number): number => Math.min(100 * 2 ** Math.min(attempt, 6), 5000)
