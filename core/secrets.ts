import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { FirnError } from './errors.js';

/** The secret of Firn's Snowflake user. */
export const snowflakeSecretSchema = z.object({
  account: z.string().min(1),
  user: z.string().min(1),
  /** PKCS#8 PEM. */
  privateKey: z.string(),
  role: z.string().min(1),
  warehouse: z.string().min(1),
  database: z.string().min(1),
  accessUrl: z.string().optional(),
});
export type SnowflakeSecret = z.infer<typeof snowflakeSecretSchema>;

/**
 * Reads a secret and checks its shape. Messages name fields, never values.
 * @throws FirnError SourceCredentialsRejected | WarehouseCredentialsRejected (`code`) when it is missing or not of the shape.
 */
export async function readSecret<T>(
  client: SecretsManagerClient,
  name: string,
  schema: z.ZodType<T>,
  code: 'SourceCredentialsRejected' | 'WarehouseCredentialsRejected',
): Promise<T> {
  const text = await client.send(new GetSecretValueCommand({ SecretId: name })).then(
    ({ SecretString }) => SecretString ?? '',
    (error: unknown) => {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') throw new FirnError(code, `Secret ${name} does not exist.`);
      throw error;
    },
  );
  const parsed = schema.safeParse(parseObject(text));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.') || 'it is not a JSON object').join(', ');
  throw new FirnError(code, `Secret ${name} is incomplete: ${fields}.`);
}

/** The text as JSON; undefined when it is none (the parser's message would quote it). */
function parseObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
