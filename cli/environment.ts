import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { awsEnvironment } from '../sandbox/aws.js';
import { sandboxDirectory } from '../sandbox/paths.js';
import { readState } from '../sandbox/state.js';
import { CliError } from './cli-error.js';
import type { GlobalOptions } from './global-options.js';

/** One deployed Firn. */
export interface FirnEnvironment {
  name: string;
  /** Value of an output of the stack `firn-<name>`, e.g. RawBucket, TableConfig. Throws CliError EnvironmentMissing when there is none. */
  output(name: string): string;
}

/**
 * The environment that the options name, else the sandbox that is up; from then on, AWS clients of this process talk to it.
 * Throws CliError EnvironmentMissing when there is none.
 */
export async function openEnvironment({ env }: GlobalOptions): Promise<FirnEnvironment> {
  const sandbox = env === undefined ? readState(sandboxDirectory()) : null;
  if (sandbox) useSandbox(sandbox.aws.endpoint);
  const name = env ?? sandbox?.environment;
  if (!name) {
    const action = 'Name the environment with `--env <name>`, or start the sandbox: `firn sandbox up`.';
    throw new CliError('EnvironmentMissing', 'no environment is named and no sandbox is up', action);
  }
  const outputs = await stackOutputs(`firn-${name}`);
  return {
    name,
    output: (key) => {
      const value = outputs.get(key);
      if (value) return value;
      throw new CliError('EnvironmentMissing', `the stack firn-${name} has no output ${key}`, 'Deploy this version: `npx cdk deploy`.');
    },
  };
}

/** A profile or token of the user's would lead elsewhere, or win over the sandbox's keys. */
function useSandbox(endpoint: string): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, awsEnvironment(endpoint));
}

async function stackOutputs(stack: string): Promise<Map<string, string>> {
  const client = new CloudFormationClient({});
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    return new Map((Stacks?.[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey!, OutputValue!]));
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ValidationError') throw error;
    const where = `region ${await client.config.region()}`;
    const action = `Deploy it (\`npx cdk deploy ${stack}\`), or choose another account, region or \`--env\`.`;
    throw new CliError('EnvironmentMissing', `there is no stack ${stack} in ${where}`, action, { cause: error });
  }
}
