import { expect, it } from 'vitest';
import { catalogue } from '../../../core/errors.js';

const remedies = {
  retry: 'Firn retries, or a redrive does',
  configuration: 'change the configuration',
  source: 'change the source',
  bug: 'report it',
};

it('docs/errors.md lists every error with what to do', async () => {
  const rows = Object.entries(catalogue).map(([code, { remedy, action }]) => `| \`${code}\` | ${remedies[remedy]} | ${action} |`);
  const page = `# Errors

Every error has a stable code. It is the same in the answer of the SELECT, in \`firn.runs\`, in the execution, in the run's log and in the CLI.
This page is written from \`core/errors.ts\`.

| code | remedy | what to do |
|---|---|---|
${rows.join('\n')}
`;
  await expect(page).toMatchFileSnapshot('../../../docs/errors.md');
});
