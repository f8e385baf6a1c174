/** What the bench uses of it: the package has no types. */
declare module 'gcode-toolpath' {
  export default class Toolpath {
    constructor(handlers: { addLine: () => void; addArcCurve: () => void })
    loadFromStringSync(program: string): unknown
  }
}
