import type { SourceKind, SourceType } from './source.js';

/** Loaded when needed, so that no function starts with a client that its source does not use. */
const kinds: Record<SourceType, () => Promise<SourceKind>> = {
  postgres: async () => (await import('./postgres/source.js')).postgres,
  mysql: async () => (await import('./mysql/source.js')).mysql,
};

export const sourceKind = (type: SourceType): Promise<SourceKind> => kinds[type]();
