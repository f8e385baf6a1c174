import { exitCodes } from './exit-codes.ts'

/** Something the user can mend: says what is wrong, where, and what to do. Printed without a stack. */
export class CliError extends Error {
  readonly exitCode: number
  readonly advice: string
  constructor(kind: keyof typeof exitCodes, message: string, advice: string) {
    super(message)
    this.name = 'CliError'
    this.exitCode = exitCodes[kind]
    this.advice = advice
  }
}
