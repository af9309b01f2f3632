/**
 * Splits a file of this folder into its statements: each ends with a semicolon at the end of a line, and each can be executed by itself.
 * Comments before a statement belong to it. @throws when a comment ends like a statement, or text stands behind the last one.
 */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    const end = line.trimEnd().endsWith(';');
    if (end && line.includes('--')) throw new Error(`a comment stands at the end of a statement: ${line}`);
    lines.push(end ? line.trimEnd().slice(0, -1) : line);
    if (!end) continue;
    statements.push(lines.join('\n').trim());
    lines = [];
  }
  if (lines.join('').trim() !== '') throw new Error(`no semicolon ends: ${lines.join('\n').trim()}`);
  return statements;
}

/**
 * Puts values into the `${name}` placeholders of a statement. Placeholders stand for names, ARNs and URLs only.
 * @throws when a value is missing, or could be more than that.
 */
export function renderSql(sql: string, values: Record<string, string>): string {
  return sql.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined || !/^[\w.:/@+=-]+$/.test(value)) throw new Error(`no usable value for \${${name}}: ${value}`);
    return value;
  });
}
