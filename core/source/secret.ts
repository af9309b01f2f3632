import * as z from 'zod';

/** A source's secret. `sslmode` as in libpq; `sslrootcert` holds the CA's certificates as PEM text. */
export const sourceSecretSchema = (defaultPort: number) =>
  z.object({
    host: z.string().min(1),
    port: z.coerce.number().int().min(1).max(65_535).default(defaultPort),
    user: z.string().min(1),
    password: z.string(),
    /** Of MySQL: the schema of the tables whose key names none. */
    database: z.string().min(1),
    sslmode: z.enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']).default('require'),
    sslrootcert: z.string().optional(),
    /** Stands before each text that `columns.mask` hashes. */
    mask_salt: z.string().optional(),
  });
export type SourceSecret = z.infer<ReturnType<typeof sourceSecretSchema>>;
