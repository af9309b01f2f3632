/** Types that the cases make, in the order in which they are made, and what each is. Without SQL: comes with the one before. */
export const madeTypes = [
  { name: 'mood', what: 'an enum', sql: "CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy')" },
  { name: '"Größe ""x"""', what: 'an enum with a quoted name', sql: `CREATE TYPE "Größe ""x""" AS ENUM ('klein; ''k''', '大')` },
  { name: 'pair', what: 'a composite type', sql: 'CREATE TYPE pair AS (a int, b text)' },
  { name: '"Paar"', what: 'a composite type with quoted names', sql: 'CREATE TYPE "Paar" AS ("Ä b" int, "c""d" timestamptz)' },
  {
    name: 'nested',
    what: 'a composite type of composite types',
    sql: 'CREATE TYPE nested AS (one pair, many pair[], m mood, d date, n numeric(5,2))',
  },
  { name: 'positive', what: 'a domain over int', sql: 'CREATE DOMAIN positive AS int CHECK (VALUE > 0)' },
  { name: 'price', what: 'a domain over numeric(12,2)', sql: 'CREATE DOMAIN price AS numeric(12,2)' },
  { name: 'dearer', what: 'a domain over that domain', sql: 'CREATE DOMAIN dearer AS price CHECK (VALUE > 10)' },
  { name: 'amount', what: 'a domain over numeric', sql: 'CREATE DOMAIN amount AS numeric' },
  { name: 'moods', what: 'a domain over an array', sql: 'CREATE DOMAIN moods AS mood[]' },
  { name: 'mail', what: 'a domain over citext', sql: 'CREATE DOMAIN mail AS citext' },
  { name: 'moment', what: 'a domain over timestamptz(3)', sql: 'CREATE DOMAIN moment AS timestamptz(3)' },
  { name: 'code', what: 'a domain over char(4)', sql: 'CREATE DOMAIN code AS char(4)' },
  { name: 'day', what: 'a domain over date', sql: 'CREATE DOMAIN day AS date' },
  { name: 'document', what: 'a domain over jsonb', sql: 'CREATE DOMAIN document AS jsonb' },
  { name: 'couple', what: 'a domain over a composite type', sql: 'CREATE DOMAIN couple AS pair' },
  { name: 'blob', what: 'a domain over bytea', sql: 'CREATE DOMAIN blob AS bytea' },
  { name: 'identifier', what: 'a domain over uuid', sql: 'CREATE DOMAIN identifier AS uuid' },
  { name: 'span', what: 'a range type', sql: 'CREATE TYPE span AS RANGE (subtype = float8, multirange_type_name = multispan)' },
  { name: 'multispan', what: 'its multirange type', sql: '' },
];

const extensions = ['citext', 'hstore', 'ltree', 'cube', 'seg', 'isn', 'intarray', 'lo'];

/** Types that the cases use. */
export const typeSetup = [
  ...extensions.map((name) => `CREATE EXTENSION IF NOT EXISTS ${name}`),
  ...madeTypes.map(({ sql }) => sql).filter((sql) => sql !== ''),
].join(';\n');
