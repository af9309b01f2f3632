import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pages, root, textOf } from './pages.js';

/** As GitHub makes them. */
const anchorsOf = (page: string): string[] =>
  [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

const linksOf = (page: string): string[] => {
  const text = textOf(page).replace(/```.*?```/gs, '');
  const found = [...text.matchAll(/\]\(([^)\s]+)\)/g), ...text.matchAll(/(?:src|srcset|href)="([^"]+)"/g)];
  return [...new Set(found.map(([, target]) => target!))].filter((target) => !/^[a-z]+:/.test(target));
};

describe.each(pages.filter((page) => linksOf(page).length > 0))('%s', (page) => {
  it.each(linksOf(page))('links to %s, which is there', (target) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : join(dirname(page), path);
    expect(existsSync(join(root, file))).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(file)).toContain(anchor);
  });
});

it('every page of docs/ can be reached from the README', () => {
  const unreachable = pages.filter((page) => page !== 'README.md' && !linksOf('README.md').includes(page));
  expect(unreachable).toEqual([]);
});

it('every page that the code names is there', () => {
  const folders = ['bin', 'cli', 'config', 'core', 'lambdas', 'lib', 'sandbox', 'sql'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|mjs|py|sql|yaml)$/.test(name))
      .map((name) => join(folder, name)),
  );
  const missing = files.flatMap((file) =>
    [...textOf(file).matchAll(/docs\/[\w-]+\.md/g)].filter(([page]) => !existsSync(join(root, page))).map(([page]) => `${file}: ${page}`),
  );
  expect(missing).toEqual([]);
});
