import type { AxisName, AxisNumbers } from './axes.ts'

export type DialectName = 'rs274' | 'grbl' | 'marlin'

/** What a machine's axis can do, as its control enforces it. Millimetres or degrees, minutes and seconds. */
export type AxisSetup = {
  /** Soft limits in machine coordinates: wherever the axis is when a program starts, it is between them. */
  readonly min: number
  readonly max: number
  /** Greatest speed, a minute: that of rapid moves. */
  readonly ratePerMin: number
  /** Least acceleration that it keeps up, a second per second. */
  readonly accelerationPerS2: number
}

export type Tool = {
  /** Its offsets along the axes, millimetres: Z is its length. */
  readonly offsets: AxisNumbers
  readonly diameterMm: number
}

/**
 * What a program's meaning hangs on and does not say itself. Nothing is assumed: a program that needs what is not here is refused.
 */
export type MachineSetup = {
  readonly dialect: DialectName
  /** Axes that the machine has. A move of another is refused. */
  readonly axes: Readonly<Partial<Record<AxisName, AxisSetup>>>
  /** What the control itself runs before each program (LinuxCNC's RS274NGC_STARTUP_CODE, GRBL's $N0), such as `G54 G92.1 G49 G91.1`. */
  readonly startUp?: string
  /** Where axes stand when a program starts, machine coordinates; otherwise anywhere between their soft limits. */
  readonly start?: AxisNumbers
  /** Origins of work offsets in machine coordinates by number (1 is G54, 9 is G59.3), with the turn about Z, degrees. Kept by the control over programs. */
  readonly workOffsets?: Readonly<Record<string, AxisNumbers & { readonly rotation?: number }>>
  /** Tools by number. */
  readonly tools?: Readonly<Record<string, Tool>>
  /** Where G28 and G30 go, machine coordinates; for Marlin, where G28 finds the axes. */
  readonly home?: AxisNumbers
  readonly secondHome?: AxisNumbers
  /** Where a tool is changed, machine coordinates; empty where the machine stays in place. */
  readonly toolChange?: AxisNumbers
  /** Whether blocks that begin with `/` are run, where a switch at the machine has been fixed. */
  readonly blockDelete?: 'run' | 'skip'
  /** Where S is the power of a laser: S at full power, and that power. */
  readonly laser?: { readonly sMax: number; readonly powerMaxW: number }
  /** As fast as the spindle can turn, a minute: what a cutting speed (G96) comes to where X is near 0 and the program sets no limit. */
  readonly spindleMaxPerMin?: number
  /** Digital and analogue outputs (M62–M65, M67, M68) switch nothing that could do harm. */
  readonly areOutputsHarmless?: boolean
  /** Codes that this machine's owner forbids although they can be bounded, such as `M6`. */
  readonly forbidden?: readonly string[]
}
