// What PostGraphile is asked to be: the contacts of one organisation, under the service's own
// role and row security. bench/README.md says why each setting is as it is.

import { PgAggregatesPreset } from '@graphile/pg-aggregates'
import { makePgService } from 'postgraphile/adaptors/pg'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { PostGraphileConnectionFilterPreset } from 'postgraphile-plugin-connection-filter'
import { CountsByMonthPlugin } from './counts.mjs'

// For every connection of the pool, as the floor has it.
const SESSION = '-c timezone=UTC -c plan_cache_mode=force_generic_plan -c enable_memoize=off'

export function preset({ database, connections }) {
  return {
    extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset, PgAggregatesPreset],
    plugins: [CountsByMonthPlugin],
    // It hides what it sees no index for, and it does not see partial indexes.
    disablePlugins: ['PgIndexBehaviorsPlugin'],
    pgServices: [
      makePgService({
        connectionString: database,
        schemas: ['public'],
        pubsub: false,
        // Connections stay, and with them what they have prepared.
        poolConfig: { max: connections, min: connections, idleTimeoutMillis: 0, options: SESSION },
      }),
    ],
    grafserv: { graphiql: false, websockets: false, watch: false, outputDataAsString: true },
    grafast: {
      explain: false,
      context: ({ node }) => ({
        pgSettings: {
          'app.organisation_id': node.req.headers['x-organisation'],
          'app.user_id': node.req.headers['x-user'],
        },
      }),
    },
  }
}
