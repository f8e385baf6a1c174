export { type Envelope, type Extent, type ProgramReason, programEnvelope } from './gcode/program-envelope.ts'
export { firstOutside, type LimitReason, type Limits, type Outside } from './limits.ts'
export { type ParameterReason, readParameters } from './parameters.ts'
export { convert, type UnitReason } from './units.ts'
