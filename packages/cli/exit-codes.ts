/** What the exit code says; documented in README.md. */
export const exitCodes = {
  done: 0,
  /** The answer is no: a check failed, the intent was not completed, the broker differs from topics.yaml. */
  no: 1,
  /** The command line is wrong. */
  usage: 64,
  /** A part of the stack that is needed is not there or does not answer. */
  unavailable: 69,
  /** A file of the trust domain is missing or unusable. */
  config: 78,
} as const
