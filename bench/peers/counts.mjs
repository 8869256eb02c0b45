// Two pieces that pg-aggregates lacks and has places for: how many rows a group has, and the
// month in a time zone as what rows are grouped by.

const ZONE = 'Europe/Vienna'

export const CountsByMonthPlugin = {
  name: 'CountsByMonthPlugin',
  version: '1.0.0',
  // The specs must be there before the types that are made of them.
  after: ['PgAggregatesSpecsPlugin'],
  schema: {
    hooks: {
      build(build) {
        const { sql, dataplanPg: { TYPES } } = build
        build.pgAggregateSpecs.push({
          id: 'count',
          humanLabel: 'count',
          HumanLabel: 'Count',
          isSuitableType: (codec) => codec === TYPES.uuid,
          sqlAggregateWrap: (column) => sql`count(${column})`,
          pgTypeCodecModifier: () => TYPES.bigint,
        })
        build.pgAggregateGroupBySpecs.push({
          id: 'truncated-to-month',
          isSuitableType: (codec) => codec === TYPES.timestamptz,
          sqlWrap: (column) => sql`date_trunc('month', ${column}, ${sql.literal(ZONE)})`,
          sqlWrapCodec: (codec) => codec,
        })
        return build
      },
    },
  },
}
