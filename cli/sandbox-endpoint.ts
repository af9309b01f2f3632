import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { awsEnvironment } from '../sandbox/aws.js';
import { sandboxDirectory } from '../sandbox/paths.js';

/** The sandbox of this checkout: the name of its environment, and what AWS clients need to reach it. Null when it is not up. */
export async function sandboxEndpoint(): Promise<{ environment: string; variables: Record<string, string> } | null> {
  const text = await readFile(join(sandboxDirectory(), 'state.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  const { environment, services } = JSON.parse(text) as { environment: string; services: { name: string; port: number }[] };
  const aws = services.find(({ name }) => name === 'aws')!;
  return { environment, variables: awsEnvironment(`http://127.0.0.1:${aws.port}`) };
}
