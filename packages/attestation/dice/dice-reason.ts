/** Why evidence of a DICE was refused. One code a check. */
export const diceReasons = [
  'chain-length',
  'certificate-malformed',
  'certificate-signature',
  'certificate-issuer',
  'certificate-subject',
  'certificate-after-last',
  'layers',
  'mode',
  'code',
  'configuration',
  'authority',
  'uds-key',
  'leaf-key',
  'answer-malformed',
  'answer-signature',
  'challenge-too-short',
] as const
export type DiceReason = (typeof diceReasons)[number]
