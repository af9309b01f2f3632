import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';
import { FirnError } from '../core/errors.js';

/** The network that the functions which read the sources join. Firn makes no network of its own. */
export const networkSchema = z.strictObject({
  id: z.string().regex(/^vpc-[0-9a-f]+$/),
  /** Private subnets with a way to S3, DynamoDB, Step Functions and Secrets Manager. */
  subnets: z.array(z.string().regex(/^subnet-[0-9a-f]+$/)).min(1),
  /** Groups that the sources admit. */
  security_groups: z.array(z.string().regex(/^sg-[0-9a-f]+$/)).min(1),
});
export type NetworkSettings = z.infer<typeof networkSchema>;

/** The Spark job for tables that are too large for Lambda. It costs nothing while it does not run. */
export const glueSchema = z.strictObject({
  /** What one worker has: G.1X 4 processors and 16 GB, G.2X 8 and 32 GB, … @default G.1X */
  worker_type: z.enum(['G.1X', 'G.2X', 'G.4X', 'G.8X']).default('G.1X'),
  /** One of them is the driver. @default 4 */
  workers: z.int().min(2).max(299).default(4),
  /** After which a job run is ended. @default 480 */
  timeout_minutes: z.int().min(1).max(2880).default(480),
  /** Job runs at once; further ones wait. @default 4 */
  max_concurrent_runs: z.int().min(1).max(1000).default(4),
  /** Of the first subnet of `vpc`; Glue asks for it. Its security groups must admit one another, and reach the Glue API. */
  availability_zone: z.string().optional(),
});
export type GlueSettings = z.infer<typeof glueSchema>;

export const environmentSchema = z.strictObject({
  /** Part of the names of stacks, functions, roles (≤ 64 characters), secrets and Snowflake integrations. */
  name: z.string().regex(/^[a-z][a-z0-9]{0,15}$/, 'at most 16 lower-case letters and digits, beginning with a letter'),
  /** @default - the account of the credentials at hand */
  account: z
    .string()
    .regex(/^\d{12}$/)
    .optional(),
  /** @default - the region of the credentials at hand */
  region: z.string().optional(),
  snowflake: z.strictObject({
    /** The secret must name the same database, so that no environment is deployed into another's. */
    database: z.string().regex(/^[A-Z_][A-Z0-9_]*$/, 'an unquoted Snowflake name in upper case'),
  }),
  /** What happens to data and secrets when the stacks are deleted. @default retain */
  removal: z.enum(['retain', 'destroy']).default('retain'),
  /**
   * How often a step tries again what may pass by itself, such as a source that is down, before the run fails:
   * after 2, 6, 18, 54, 60, 60, … seconds at most. @default 4, which outlasts the failover of a managed database
   */
  retries: z.int().min(0).max(10).default(4),
  /**
   * After so many days raw rows go that no replay needs (once the task FIRN.PRUNE_RAW is resumed), and the files that they came from.
   * At least 15: a failed run can be redriven for 14. @default - all of them stay
   */
  raw_retention_days: z.int().min(15).max(3650).optional(),
  /** @default - the functions run outside of any network */
  vpc: networkSchema.optional(),
  /** @default - no Glue: Lambda reads every table */
  glue: glueSchema.optional(),
});
export type Environment = z.infer<typeof environmentSchema>;

const fileSchema = z.strictObject({ environments: z.array(environmentSchema).min(1) });

/**
 * The environments of `config/environments.yaml`.
 * @throws FirnError ConfigInvalid, naming the file and the place.
 */
export function readEnvironments(path: string): Environment[] {
  const parsed = fileSchema.safeParse(parse(readFileSync(path, 'utf8')));
  if (!parsed.success) {
    const places = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new FirnError('ConfigInvalid', `${path}: ${places}`);
  }
  const names = parsed.data.environments.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw new FirnError('ConfigInvalid', `${path}: environment ${twice} stands there twice`);
  return parsed.data.environments;
}
