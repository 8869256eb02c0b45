// PostGraphile as a server of the bench: listens where LISTEN says, and answers /readyz.

import { createServer } from 'node:http'
import { postgraphile } from 'postgraphile'
import { grafserv } from 'postgraphile/grafserv/node'
import { preset } from './preset.mjs'

const { DATABASE_URL, LISTEN, CONNECTIONS } = process.env
const [host, port] = LISTEN.split(':')

const instance = postgraphile(preset({ database: DATABASE_URL, connections: Number(CONNECTIONS) }))
// Wait for the schema, so that ready means ready.
await instance.getSchemaResult()
const graphql = instance.createServ(grafserv).createHandler()

createServer((request, response) => {
  if (request.url === '/readyz') {
    response.end()
  } else {
    graphql(request, response)
  }
}).listen(Number(port), host)
