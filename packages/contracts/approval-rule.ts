import type { ApprovalPolicy } from './control.ts'

export type ApprovalRule = ApprovalPolicy['rules'][number]

/**
 * The rule of the approval policy for a command: the first that matches. Undefined where none does; then nothing may pass. Here, because
 * approval-router asks by it and device-dispatch checks by it that enough was asked.
 */
export function approvalRuleFor(
  policy: ApprovalPolicy,
  asked: { readonly device: string; readonly capability: string; readonly risk: string },
): ApprovalRule | undefined {
  return policy.rules.find(
    ({ device, capability, risk }) =>
      device === asked.device && capability === asked.capability && (risk === 'any' || risk === asked.risk),
  )
}
