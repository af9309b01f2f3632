import { describe, expect, it } from 'vitest';
import { externalFunctionPaths } from '../../../lib/external-function-api.js';
import { dev, stacks, templateOf, text } from './stacks.js';

const template = templateOf(stacks(dev).firn);
const [api] = Object.values(template.findResources('AWS::ApiGateway::RestApi'));

describe('who may call the API', () => {
  const [allow, deny, ...more] = api!.Properties.Policy.Statement;

  it('the session of Snowflake in the role of its integration', () => {
    expect(allow).toMatchObject({ Effect: 'Allow', Action: 'execute-api:Invoke' });
    expect(text(allow.Principal.AWS)).toMatch(
      /^arn:\{AWS::Partition\}:sts::\{AWS::AccountId\}:assumed-role\/\{SnowflakeApiRole\w+\}\/snowflake$/,
    );
  });

  it('nobody else, whatever IAM grants him', () => {
    expect(deny).toMatchObject({ Effect: 'Deny', Action: 'execute-api:Invoke', Principal: { AWS: '*' } });
    expect(Object.keys(deny.Condition)).toEqual(['StringNotEquals']);
    expect(text(deny.Condition.StringNotEquals['aws:PrincipalArn'])).toMatch(/^\{SnowflakeApiRole\w+\.Arn\}$/);
    expect(more).toEqual([]);
  });

  it('only with a signature: each method asks for IAM', () => {
    const methods = Object.values(template.findResources('AWS::ApiGateway::Method'));
    expect(new Set(methods.map(({ Properties }) => Properties.AuthorizationType))).toEqual(new Set(['AWS_IAM']));
  });
});

it('takes POST and GET of each path: Snowflake polls where it has posted', () => {
  const resources = template.findResources('AWS::ApiGateway::Resource');
  const methods = Object.values(template.findResources('AWS::ApiGateway::Method')).map(
    ({ Properties }) => `${Properties.HttpMethod} /${resources[Properties.ResourceId.Ref]!.Properties.PathPart}`,
  );
  expect(methods.sort()).toEqual(['GET', 'POST'].flatMap((method) => externalFunctionPaths.toSorted().map((path) => `${method} /${path}`)));
});
