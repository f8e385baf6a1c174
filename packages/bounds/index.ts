export {
  type Amount,
  type AmountReason,
  type Amounts,
  amountsOf,
  type ChargeName,
  commands,
  limitOf,
  quantityOf,
} from './budgets/amount.ts'
export { BudgetLedger, type Ending, type Held, heldOf, type Reservation, type Shortage } from './budgets/ledger.ts'
export { checkRates, type RateReason } from './budgets/rates.ts'
export type { Measurements, Reporting } from './budgets/reported.ts'
export { UseWindow } from './budgets/use-window.ts'
export { type Measured, type UseReason, usesAtMost } from './budgets/uses.ts'
export { capabilitySchema, type JsonSchema } from './capability-schema.ts'
export type { AxisName, AxisNumbers } from './gcode/axes.ts'
export type { AxisSetup, DialectName, MachineSetup, Tool } from './gcode/machine-setup.ts'
export type { MotionRecord } from './gcode/motion.ts'
export { programPicture } from './gcode/picture.ts'
export { type Envelope, type Extent, programEnvelope, type RunOptions } from './gcode/program-envelope.ts'
export type { ProgramReason } from './gcode/refusal.ts'
export { firstOutside, type LimitReason, type Limits, type Outside } from './limits.ts'
export { type ParameterReason, readParameters } from './parameters.ts'
export { axisUnit, type ProfileReason, setupOfProfile } from './setup-of-profile.ts'
export { amountOfRate, convert, type Measure, measureOf, type UnitReason } from './units.ts'
export { type MeasureName, measuresOf, type WithinReason, withinCommand, withinProfile } from './within-profile.ts'
