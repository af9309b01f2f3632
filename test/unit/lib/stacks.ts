import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { SourceSettings } from '../../../core/config/schema.js';
import { type Environment, environmentSchema } from '../../../lib/environments.js';
import { FirnStack } from '../../../lib/firn-stack.js';
import { SecretsStack } from '../../../lib/secrets-stack.js';

export const dev = environmentSchema.parse({ name: 'dev', snowflake: { database: 'DEV_FIRN' }, removal: 'destroy' });
export const prod = environmentSchema.parse({
  name: 'prod',
  account: '123456789012',
  region: 'eu-west-1',
  snowflake: { database: 'PROD_FIRN' },
  vpc: {
    id: 'vpc-0123456789abcdef0',
    subnets: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
    security_groups: ['sg-0123456789abcdef0'],
  },
});

export const sources: SourceSettings[] = [
  { source: 'PostgreSQL', database: 'clr', type: 'postgres', permits: 4 },
  { source: 'PostgreSQL', database: 'crm', type: 'postgres', permits: 4, secret: 'teams/crm/reader' },
];

/** Both stacks of an environment, without bundling the functions. */
export function stacks(environment: Environment, configured = sources) {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [], '@aws-cdk/aws-iam:minimizePolicies': true } });
  const { account, region } = environment;
  const props = { environment, sources: configured, env: { account, region } };
  const secrets = new SecretsStack(app, `firn-${environment.name}-secrets`, props);
  const sql = { path: fileURLToPath(import.meta.url), checksum: 'of-the-sql' };
  const firn = new FirnStack(app, `firn-${environment.name}`, { ...props, sql });
  return { app, secrets, firn };
}

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource?: unknown;
  Principal?: unknown;
  Condition?: unknown;
}
export interface Granted {
  effect: string;
  actions: string[];
  /** As text; what is known only when deployed stands as `{…}`. */
  resources: string[];
  condition: unknown;
}

const list = <T>(one: T | T[]): T[] => (Array.isArray(one) ? one : [one]);

/** A CloudFormation value as text: `${Ref}` and `${GetAtt}` in braces, joined. */
export function text(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, ...rest } = value as Record<string, unknown>;
  if (Ref) return `{${Ref}}`;
  const [name, argument] = Object.entries(rest)[0]!;
  if (name === 'Fn::GetAtt') return `{${(argument as string[]).join('.')}}`;
  if (name === 'Fn::Join') return ((argument as [string, unknown[]])[1] ?? []).map(text).join((argument as [string, unknown[]])[0]);
  return JSON.stringify(value);
}

/** What a function may do, by the name of its folder. */
export function grantsOf(template: Template, name: string, environment = 'dev'): Granted[] {
  const functions = template.findResources('AWS::Lambda::Function', { Properties: { FunctionName: `firn-${environment}-${name}` } });
  const role = (Object.values(functions)[0]!.Properties.Role['Fn::GetAtt'] as string[])[0];
  const policies = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) =>
    Properties.Roles.some((of: { Ref: string }) => of.Ref === role),
  );
  return policies
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
    .map(({ Effect, Action, Resource, Condition }) => ({
      effect: Effect,
      actions: list(Action),
      resources: list(Resource).map(text),
      condition: Condition,
    }));
}

export const functionNames = ['start', 'plan', 'extract', 'seal', 'warehouse', 'commit', 'export', 'on-failure', 'snowflake-bootstrap'];

/** The definition of a state machine, its ARNs as text. */
export function definitionOf(template: Template, name: string) {
  const machines = template.findResources('AWS::StepFunctions::StateMachine', { Properties: { StateMachineName: name } });
  return JSON.parse(text(Object.values(machines)[0]!.Properties.DefinitionString));
}

export const templateOf = (stack: FirnStack | SecretsStack): Template => Template.fromStack(stack);
