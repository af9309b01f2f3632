import * as z from 'zod';

const arn = z.string().startsWith('arn:');
/** Unquoted in SQL. */
const name = z.string().regex(/^[A-Z_][A-Z0-9_]*$/);

/** What both halves of the bootstrap are told; properties of the custom resources, so all of them are text. */
const common = {
  Database: name,
  Bucket: z.string().min(3),
  ExportsBucket: z.string().min(3),
  StorageIntegration: name,
  ApiIntegration: name,
};

/** Before the roles exist. */
export const integrationsSchema = z.object({ ...common, StorageRoleArn: arn, ApiRoleArn: arn });
export type IntegrationsProperties = z.infer<typeof integrationsSchema>;

/** After the API exists. `SqlChecksum` is only there to change. */
export const objectsSchema = z.object({
  ...common,
  /** URL of the API's stage, without a closing slash. */
  ApiUrl: z.url().transform((url) => url.replace(/\/$/, '')),
  /** Days, or NULL. */
  RawRetentionDays: z.string().regex(/^(NULL|\d+)$/),
  SqlChecksum: z.string(),
});
export type ObjectsProperties = z.infer<typeof objectsSchema>;
