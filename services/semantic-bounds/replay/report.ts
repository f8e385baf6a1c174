import type { Difference } from './findings.ts'
import type { Habits } from './habits.ts'
import type { Changed, Verified } from './replay.ts'

/** What a replay found, for who reads it on a screen. */
export function changeReport({ decisions, differences, broadScopes }: Changed, habits: Habits, isChange: boolean): string {
  const changed = differences.reduce((sum, { count }) => sum + count, 0)
  return [
    ...(isChange
      ? [`${decisions} decisions of semantic-bounds decided again, ${changed} would be others`]
      : [`${decisions} decisions of semantic-bounds`]),
    ...section(
      'What would change',
      differences.map((one) => [
        `${one.count} ×`,
        `${one.from} → ${one.to}`,
        `${one.device} ${one.capability}`,
        outcomesOf(one),
        one.example,
      ]),
    ),
    ...section(
      'Granted, and never approached',
      broadScopes.map((one) => [
        `${Math.round(one.share * 100)} %`,
        `${one.parameter} up to ${one.granted} ${one.unit} granted, at most ${one.mostUsed} used`,
        `${one.device} ${one.capability}`,
        `${one.commands} commands of ${one.human}, ${one.agent}`,
      ]),
    ),
    ...section(
      'Blocked again and again',
      habits.blocked.map((one) => [
        `${one.count} ×`,
        `${one.stage}: ${one.reason}`,
        `${one.device} ${one.capability}`,
        `${one.jobs} jobs, ${one.agent}`,
      ]),
    ),
    ...section(
      'Asked of humans, and always allowed',
      habits.alwaysApproved.map((one) => [
        `${one.approved} ×`,
        `${one.device} ${one.capability}`,
        `risk ${one.risk}`,
        `${one.completed} completed`,
      ]),
    ),
  ].join('\n')
}

export function verifyReport({ decisions, reproduced, diverged, inputsMissing }: Verified): string {
  return [
    `${reproduced} of ${decisions} decisions of semantic-bounds come out the same, byte for byte`,
    ...(inputsMissing > 0 ? [`${inputsMissing} could not be decided again: audit does not have what they were decided on`] : []),
    ...section(
      'Other than recorded',
      diverged.map(({ at, intentId, members }) => [at, `differs in ${members.join(', ')}`, intentId]),
    ),
  ].join('\n')
}

const outcomesOf = ({ outcomes }: Difference) =>
  Object.entries(outcomes)
    .map(([status, count]) => `${count} ${status === '' ? 'without outcome' : status}`)
    .join(', ')

/** Columns as wide as what stands in them; nothing where there is nothing to say. */
function section(title: string, rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const lines = rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
  return ['', title, ...lines]
}
