import { FirnError } from '../../errors.js';
import { postgresSecretSchema } from '../postgres/connection.js';
import type { SourceKind } from '../source.js';

const unfinished = async (): Promise<never> => {
  throw new FirnError('ConfigInvalid', 'Sources of type mysql cannot be read yet.');
};

export const mysql: SourceKind = { secretSchema: postgresSecretSchema, open: unfinished, extract: unfinished };
