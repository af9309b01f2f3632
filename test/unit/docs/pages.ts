import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** README.md and every page of docs/, by their paths. */
export const pages: string[] = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

/** A fenced block of a page. `language` is empty where none is given. */
export interface Block {
  page: string;
  language: string;
  lines: string[];
}

export const blocksOf = (page: string): Block[] =>
  [...textOf(page).matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)].map(([, indent = '', language = '', text = '']) => ({
    page,
    language,
    lines: text
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(indent.length)),
  }));

export const blocks: Block[] = pages.flatMap(blocksOf);
