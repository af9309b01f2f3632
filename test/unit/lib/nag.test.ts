import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { dev, prod, stacks } from './stacks.js';

/** What cdk-nag finds and we leave: the finding (its rule, a blank, its construct) and why. */
const accepted: [RegExp, string][] = [
  [/^SMG4 /, 'Only the owner of a database or of the Snowflake user can rotate his credentials; the functions read the secret anew.'],
  [
    /^S1 .*\/(Raw|Exports)Bucket/,
    'CloudTrail data events record access where an account wants it; a log object for each Parquet part would cost more.',
  ],
  [/^IAM5\[Resource::\*\] .*\/(\w+Role|FunctionRole)\/DefaultPolicy/, 'X-Ray takes traces on no narrower resource.'],
  [/^IAM5\[Resource::\*\] .*\/StateMachine\/Role/, 'X-Ray and the delivery of vended logs know no narrower resource.'],
  [
    /^IAM5\[Resource::<RawBucket\w+\.Arn>\/(_logs|_manifests|PostgreSQL\/\w+)\/\*\] .*\/Functions\//,
    'A prefix of the bucket: the keys below are made at run time.',
  ],
  [/^IAM5\[Resource::<RawBucket\w+\.Arn>\/\*\] .*\/StorageRole\//, "Snowflake reads every table's files; its stage is the whole bucket."],
  [
    /^IAM5\[Resource::<ExportsBucket\w+\.Arn>\/(exports|unload)\/\*\] .*\/(ExportRole|StorageRole)\//,
    'A prefix of the bucket: whose keys exports name.',
  ],
  [
    /^IAM5\[Resource::arn:.*:execution:firn-\w+-(ingest|gold|export):\*\] /,
    'Executions of one state machine: their names are made at run time.',
  ],
  [/^IAM5\[Resource::<\w+\.Arn>:\*\] .*\/StateMachine\/Role/, 'Versions of the one function; the task construct grants them.'],
  [/^IAM5\[Resource::<SnowflakeFunction\w+\.Arn>:\*\] .*\/Provider\//, 'Versions of the one function; the provider construct grants them.'],
  [/^IAM4\[.*AWSLambdaBasicExecutionRole\] .*\/Provider\//, "CDK's provider function writes its log by the managed policy."],
  [/^IAM4\[.*AWSLambdaENIManagementAccess\] .*\/(Plan|Extract)Role/, 'What a function in a network needs is a managed policy of AWS.'],
  [/^APIG2 /, 'The function `start` checks each row itself, and answers each with a receipt.'],
  [/^APIG[16] /, "API Gateway's logs need a role that is set for the whole account; the function `start` logs every request."],
  [/^APIG3 /, 'Only one signed principal gets in; there is no public traffic to filter.'],
  [/^COG4 /, 'Snowflake signs with IAM.'],
];

const findings = [dev, prod].flatMap((environment) => {
  const { app } = stacks(environment);
  return new AwsSolutionsChecks(app)
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName.replace(/^.*AwsSolutions-/, '')} ${constructPath}`),
    );
});

describe('cdk-nag, AwsSolutions', () => {
  it('finds nothing that is not accepted for a reason', () => {
    expect(findings.filter((finding) => !accepted.some(([pattern]) => pattern.test(finding)))).toEqual([]);
  });

  it.each(accepted)('still finds %s', (pattern) => {
    expect(findings.some((finding) => pattern.test(finding))).toBe(true);
  });
});
