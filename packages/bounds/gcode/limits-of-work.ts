/** A limit on everything that a program could make us do (ATTACKS 68). */
export const limits = {
  bytesMax: 64 * 1024 * 1024,
  /** Bytes of a line before its end; controllers cut longer ones off, each elsewhere. */
  lineMax: 256,
  /** Blocks run, passes of loops and cycles counted each. */
  stepsMax: 20_000_000,
  /** Lines with an O-word: subprograms and flow are kept by their places. */
  flowLinesMax: 20_000,
  /** As deep as LinuxCNC calls. */
  callDepthMax: 10,
  loopDepthMax: 64,
  expressionDepthMax: 32,
  namedParametersMax: 1_000,
  nameMax: 100,
  codesPerBlockMax: 16,
  /** Millimetres, degrees, revolutions: no machine of ours is a kilometre long, and doubles stay exact enough below. */
  valueMax: 1_000_000,
  /** Numbers in expressions, which may be squares of such. */
  numberMax: 1e15,
  toolsMax: 64,
} as const
