import { FirnError } from '../errors.js';

/** Where something stands in a YAML file. Line and column count from 1. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

/** One thing that is wrong with the configuration. */
export interface Problem extends Place {
  /** Path of the key, e.g. `sources[0].tables[2].mode`; empty: the file. */
  key: string;
  /** What is expected, and what stands there. */
  message: string;
}

export type KeyPath = (string | number)[];

export function keyText(path: KeyPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** `config/tables.yaml:12:9 sources[0].tables[2].mode: expected …` */
function problemText({ file, line, column, key, message }: Problem): string {
  return `${file}:${line}:${column} ${key}${key === '' ? '' : ': '}${message}`;
}

/** The configuration cannot be used. `message` holds a line per problem. */
export class ConfigInvalid extends FirnError {
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super('ConfigInvalid', problems.map(problemText).join('\n'));
    this.problems = problems;
  }
}
