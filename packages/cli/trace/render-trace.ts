import type { Check, TraceNode } from './evidence.ts'

const marks = { holds: '✓', fails: '✗', unchecked: '?' } as const

/** The tree as text. What came from records is made printable: a title must not move the cursor or colour the next line. */
export function renderTrace(root: TraceNode): string {
  const lines = [printable(root.title), ...root.checks.map((check) => `  ${checkLine(check)}`)]
  renderChildren(root.children, '', lines)
  return lines.join('\n')
}

export function countChecks(node: TraceNode): Record<Check['result'], number> {
  const own = { holds: 0, fails: 0, unchecked: 0 }
  for (const { result } of node.checks) own[result]++
  for (const child of node.children.map(countChecks))
    for (const result of ['holds', 'fails', 'unchecked'] as const) own[result] += child[result]
  return own
}

function renderChildren(children: readonly TraceNode[], indent: string, lines: string[]): void {
  children.forEach((child, index) => {
    const isLast = index === children.length - 1
    const below = `${indent}${isLast ? '   ' : '│  '}`
    lines.push(`${indent}${isLast ? '└─ ' : '├─ '}${printable(child.title)}`)
    for (const check of child.checks) lines.push(`${below}${child.children.length > 0 ? '│' : ' '} ${checkLine(check)}`)
    renderChildren(child.children, below, lines)
  })
}

const checkLine = ({ what, result, why }: Check) => printable(`${marks[result]} ${what}${why ? `: ${why}` : ''}`)

/** Control characters and direction marks out (Trojan Source): they come from records that anybody may have written. */
const printable = (text: string) => text.replace(/[\p{Cc}\p{Cf}]/gu, '�').slice(0, 1000)
