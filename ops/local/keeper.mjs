/**
 * A process of its own that ends the children of the one that started it, should that one die without doing so (SIGKILL, a crash).
 * It reads `+<pid>` and `-<pid>`, one a line; the end of its input says that the parent is gone. Each child leads a process group.
 */
import { createInterface } from 'node:readline'

const graceMs = 5000
const children = new Set()

// Ctrl-C and a closed terminal are the parent's to answer: it stops in order, and this process only when it is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const pid = Number(line.slice(1))
  if (!Number.isSafeInteger(pid) || pid < 2) return
  if (line[0] === '+') children.add(pid)
  else children.delete(pid)
})
lines.on('close', async () => {
  const newestFirst = [...children].reverse()
  for (const pid of newestFirst) send(pid, 'SIGTERM')
  const end = Date.now() + graceMs
  while (newestFirst.some((pid) => send(pid, 0)) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50))
  for (const pid of newestFirst) send(pid, 'SIGKILL')
  process.exit(0)
})

function send(pid, signal) {
  try {
    return process.kill(-pid, signal)
  } catch {
    return false
  }
}
