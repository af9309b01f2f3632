/**
 * Whether a text is one query, by its tokens. A parser would know more, but those for JavaScript refuse valid queries of Snowflake's
 * (paths into VARIANTs, time travel, MATCH_RECOGNIZE). Snowflake itself refuses whatever else is no query, because the text is put
 * between parentheses: what matters here is that it cannot leave them.
 * Source: Snowflake documentation, "String & binary data types" (strings, $$), "Identifier requirements", "Flow operators" (->>).
 */

const token =
  /(?<space>\s+|--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<text>'(?:[^'\\]|\\[\s\S]|'')*'|\$\$[\s\S]*?\$\$|"(?:[^"]|"")*")|(?<word>[A-Za-z_][\w$]*)|(?<flow>->>)|(?<open>\/\*|\$\$|['"])|(?<sign>[\s\S])/y;

interface Token {
  kind: 'space' | 'text' | 'word' | 'flow' | 'open' | 'sign';
  text: string;
  at: number;
}

function* tokens(sql: string): Generator<Token> {
  token.lastIndex = 0;
  for (let match = token.exec(sql); match; match = token.exec(sql)) {
    const [kind, text] = Object.entries(match.groups!).find(([, found]) => found !== undefined)!;
    yield { kind: kind as Token['kind'], text: text!, at: match.index };
  }
}

/** What is wrong with a text that has to be one SELECT (or WITH … SELECT); null when nothing is. */
export function queryProblem(sql: string): string | null {
  if (/\r(?!\n)/.test(sql)) return 'holds a carriage return that ends no line';
  let first = '';
  let depth = 0;
  let ended = false;
  for (const { kind, text, at } of tokens(sql)) {
    if (kind === 'open') return `${text} at position ${at + 1} is never closed`;
    if (kind === 'space') {
      if (text.startsWith('/*') && text.indexOf('/*', 2) > 0) return `a comment within a comment at position ${at + 1}`;
      continue;
    }
    if (ended) return `more than one statement: "${sql.slice(at, at + 20).trim()}" stands behind the semicolon`;
    if (kind === 'flow') return 'more than one statement: ->> chains them';
    if (first === '' && text !== '(') first = text;
    if (text === '(') depth += 1;
    if (text === ')') depth -= 1;
    if (depth < 0) return `the parenthesis at position ${at + 1} closes nothing`;
    if (text === ';') ended = true;
  }
  if (first === '' || first === ';') return 'is empty: expected a SELECT';
  if (!/^(select|with)$/i.test(first)) return `begins with ${first}: expected one SELECT, or WITH … SELECT`;
  return depth > 0 ? `${depth} parenthes${depth === 1 ? 'is is' : 'es are'} never closed` : null;
}

/** A query that `queryProblem` accepts, without its closing semicolon. */
export function bareQuery(sql: string): string {
  const last = [...tokens(sql)].findLast(({ kind }) => kind !== 'space')!;
  return last.text === ';' ? sql.slice(0, last.at).trim() : sql.trim();
}
