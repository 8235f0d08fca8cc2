// PostgreSQL with pgvector on loopback, until standard input ends: node server.mjs [PORT [FOLDER]]; port 0 takes a free one, no folder keeps all in memory.
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

const [port = '0', dataDir] = process.argv.slice(2)
const db = await PGlite.create({ dataDir, extensions: { vector } })
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: Number(port), maxConnections: 32 })
server.addEventListener('listening', event => console.log(`port ${event.detail.port}`))
await server.start()
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
