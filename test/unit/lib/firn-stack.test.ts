import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { dev, functionNames, stacks, templateOf } from './stacks.js';

const template = templateOf(stacks(dev).firn);
const resources = template.toJSON().Resources;
const only = (type: string): string => {
  const [id, ...more] = Object.keys(template.findResources(type));
  expect(more).toEqual([]);
  return id!;
};

it('answers with what the command line needs to find it', () => {
  expect(Object.keys(template.toJSON().Outputs).sort()).toEqual(
    expect.arrayContaining([
      'ApiId',
      'ApiUrl',
      'ExportStateMachineArn',
      'ExportsBucket',
      'FailureTopicArn',
      'GoldStateMachineArn',
      'IngestStateMachineArn',
      'RawBucket',
      'RuntimeState',
      'TableConfig',
    ]),
  );
});

it('has no failpoints: what switches them on stands in no deployment', () => {
  expect(JSON.stringify(resources)).not.toMatch(/FIRN_FAILPOINTS|FIRN_FUNCTIONS_ENDPOINT/);
});

it('runs every function on Node 24, traced, with its log kept for a limited time', () => {
  for (const name of functionNames) {
    template.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: `firn-dev-${name}`,
      Runtime: 'nodejs24.x',
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: { LogGroup: Match.anyValue() },
    });
  }
  template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
});

it('gives the extractor a whole processor and as much time as there is', () => {
  template.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'firn-dev-extract', MemorySize: 1769, Timeout: 900 });
});

describe('the trust between the two accounts is closed in this order', () => {
  const needs = (id: string): Set<string> => {
    const seen = new Set<string>();
    const visit = (one: string) => {
      for (const [, next] of JSON.stringify(resources[one]).matchAll(/"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/g)) add(next!);
      for (const next of [resources[one].DependsOn ?? []].flat()) add(next);
    };
    const add = (one: string) => {
      if (!resources[one] || seen.has(one)) return;
      seen.add(one);
      visit(one);
    };
    visit(id);
    return seen;
  };
  const integrations = only('Custom::FirnSnowflakeIntegrations');
  const objects = only('Custom::FirnSnowflakeObjects');
  const api = only('AWS::ApiGateway::RestApi');
  const role = (name: string) => Object.keys(template.findResources('AWS::IAM::Role', { Properties: { RoleName: name } }))[0]!;
  const roles = ['firn-dev-snowflake-storage', 'firn-dev-snowflake-api'].map(role);

  it('the integrations before the roles', () => {
    for (const each of roles) expect(needs(each)).toContain(integrations);
    expect([...needs(integrations)].filter((id) => roles.includes(id) || id === api)).toEqual([]);
  });

  it('the role before the API that admits it', () => {
    expect(needs(api)).toContain(role('firn-dev-snowflake-api'));
  });

  it('everything before what Snowflake makes of it', () => {
    expect([...needs(objects)]).toEqual(expect.arrayContaining([integrations, ...roles, api, only('AWS::ApiGateway::Stage')]));
  });

  it('and runs again when the SQL changes', () => {
    expect(resources[objects].Properties.SqlChecksum).toBe('of-the-sql');
  });

  it('each resource of Snowflake goes before the rights that it needs to go', () => {
    const bootstrapPolicy = Object.keys(resources).find((id) => /^SnowflakeFunctionRoleDefaultPolicy/.test(id))!;
    for (const id of [integrations, objects]) expect(needs(id)).toContain(bootstrapPolicy);
  });
});

it.each([
  ['a run', 'IngestStateMachine', 'FunctionsOnFailure'],
  ['a build of gold', 'GoldStateMachine', 'FailureTopic'],
])('%s that failed, timed out or was stopped is reported', (_, machine, target) => {
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: {
      source: ['aws.states'],
      detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: [{ Ref: Match.stringLikeRegexp(machine) }] },
    },
    Targets: [
      Match.objectLike({
        Arn: Match.objectLike(
          target === 'FailureTopic'
            ? { Ref: Match.stringLikeRegexp(target) }
            : { 'Fn::GetAtt': Match.arrayWith([Match.stringLikeRegexp(target)]) },
        ),
      }),
    ],
  });
});
