import * as z from 'zod';

/** One schema for config/exports.yaml, `config push`, DynamoDB and the functions: what one accepts, all accept. */

/** All objects that exports make stand below it; the function that writes them may write nowhere else. */
export const exportPrefix = 'exports/';

export const fileTypes = ['parquet', 'csv', 'json'] as const;
export type FileType = (typeof fileTypes)[number];

/** Bytes. Snowflake writes no larger file to S3. Source: COPY INTO <location>, MAX_FILE_SIZE. */
export const largestFile = 5 * 1024 ** 3;

/** Settings of one export, as in YAML. */
export const exportConfigSchema = z.strictObject({
  /** Name in logs and answers, and without `query` the table: `TABLE`, `SCHEMA.TABLE` or `DATABASE.SCHEMA.TABLE`. */
  table: z.string().min(1).max(255),
  /** Key of the object, below `exports/`; a folder, with its closing slash, for an export of several files. */
  s3_path: z.string().min(1).max(900),
  file_type: z.enum(fileTypes).default('parquet'),
  /** One SELECT. Null: `SELECT * FROM table`. */
  query: z.string().min(1).max(50_000).nullable().default(null),
  /** Bytes of one file at most: makes several files. */
  max_file_size: z.number().int().min(1_000_000).max(largestFile).optional(),
  /** SQL expression whose text is the sub-folder of each row, e.g. `'day=' || TO_VARCHAR(DAY)`: makes several files. */
  partition_by: z.string().min(1).max(1000).optional(),
  /** What stands for NULL in a CSV, without quotes. */
  null_value: z
    .string()
    .max(20)
    .regex(/^[^",\r\n]*$/, 'a text without quotes, commas and line ends')
    .default(''),
});
export type ExportConfig = z.infer<typeof exportConfigSchema>;

/** A file of exports. */
export const exportsFileSchema = z.strictObject({ exports: z.array(exportConfigSchema).min(1).max(200) });

/** Several files below a folder, instead of one object. */
export const isFolder = ({ max_file_size, partition_by }: Pick<ExportConfig, 'max_file_size' | 'partition_by'>): boolean =>
  max_file_size !== undefined || partition_by !== undefined;
