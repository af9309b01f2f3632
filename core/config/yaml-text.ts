import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { KeyPath, Place, Problem } from './problem.js';

/** A YAML text as data, with the place of everything in it. */
export interface YamlText {
  data: unknown;
  /** Of the value at `path`, or of its key; of the nearest thing around it when it is not there. */
  place(path: KeyPath, of?: 'key' | 'value'): Place;
  problems: Problem[];
}

export function readYaml(file: string, text: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });

  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };

  const place = (path: KeyPath, of: 'key' | 'value' = 'value'): Place => {
    let node: unknown = document.contents;
    let offset = (document.contents as Node | null)?.range?.[0] ?? 0;
    for (const [depth, part] of path.entries()) {
      if (isAlias(node)) node = node.resolve(document);
      let key: unknown = null;
      if (isMap(node)) {
        const pair = node.items.find((item) => (isScalar(item.key) ? String(item.key.value) : String(item.key)) === String(part));
        if (!pair) break;
        key = pair.key;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(part)];
      } else break;
      const wanted = (of === 'key' && depth === path.length - 1 ? key : node) ?? key;
      const range = (wanted as Node | null)?.range;
      if (!range) break;
      offset = range[0];
    }
    return at(offset);
  };

  const problem = (offset: number, message: string): Problem => ({ ...at(offset), key: '', message });
  const problems = document.errors.map((error) => problem(error.pos[0], `not YAML: ${error.message.replace(/\s+/g, ' ')}`));
  visit(document, {
    Alias(_key, alias) {
      if (!alias.resolve(document))
        problems.push(problem(alias.range![0], `not YAML: no anchor &${alias.source} stands before *${alias.source}`));
    },
  });
  let data: unknown = null;
  if (problems.length === 0) {
    try {
      data = document.toJS();
    } catch (error) {
      problems.push(problem(0, `not YAML: ${(error as Error).message}`));
    }
  }
  return { data, place, problems };
}
