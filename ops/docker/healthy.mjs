/** For health checks in images without curl: ends with 0 where the address answers. `http://…` or `tcp://host:port`. */
import { connect } from 'node:net'

const url = new URL(process.argv[2] ?? '')
if (url.protocol === 'tcp:') {
  const socket = connect(Number(url.port), url.hostname)
  socket.on('connect', () => process.exit(0)).on('error', () => process.exit(1))
} else {
  fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => process.exit(ok ? 0 : 1),
    () => process.exit(1),
  )
}
