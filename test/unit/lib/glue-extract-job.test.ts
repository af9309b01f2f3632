import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { environmentSchema } from '../../../lib/environments.js';
import { definitionOf, dev, grantsOf, prod, stacks, templateOf, text } from './stacks.js';

const glue = { worker_type: 'G.2X', workers: 10, timeout_minutes: 90, max_concurrent_runs: 3, availability_zone: 'eu-west-1a' };
const withGlue = environmentSchema.parse({ ...dev, glue });
const inNetwork = environmentSchema.parse({ ...prod, glue });
const [devStacks, prodStacks] = [stacks(withGlue), stacks(inNetwork)];
const template = templateOf(devStacks.firn);
const ingest = definitionOf(template, 'firn-dev-ingest');

it('an environment without Glue has nothing of it', () => {
  const resources = Object.values(templateOf(stacks(dev).firn).toJSON().Resources as Record<string, { Type: string }>);
  expect(resources.filter(({ Type }) => Type.startsWith('AWS::Glue'))).toEqual([]);
  expect(Object.keys(definitionOf(templateOf(stacks(dev).firn), 'firn-dev-ingest').States)).not.toContain('ExtractJob');
});

describe('the job', () => {
  it('has the workers, the time and the runs at once that the environment says; further runs queue, and Glue repeats none', () => {
    template.hasResourceProperties('AWS::Glue::Job', {
      Name: 'firn-dev-extract',
      WorkerType: 'G.2X',
      NumberOfWorkers: 10,
      Timeout: 90,
      MaxRetries: 0,
      JobRunQueuingEnabled: true,
      ExecutionProperty: { MaxConcurrentRuns: 3 },
      GlueVersion: '5.0',
      Command: { Name: 'glueetl', PythonVersion: '3', ScriptLocation: Match.anyValue() },
    });
    template.resourceCountIs('AWS::Glue::Connection', 0);
  });

  it('joins the network of the sources where there is one', () => {
    const there = templateOf(prodStacks.firn);
    there.hasResourceProperties('AWS::Glue::Connection', {
      ConnectionInput: {
        ConnectionType: 'NETWORK',
        PhysicalConnectionRequirements: {
          SubnetId: 'subnet-0123456789abcdef0',
          AvailabilityZone: 'eu-west-1a',
          SecurityGroupIdList: ['sg-0123456789abcdef0'],
        },
      },
    });
    there.hasResourceProperties('AWS::Glue::Job', { Connections: { Connections: ['firn-prod-sources'] } });
  });

  it('reads manifests and its sources’ secrets, writes files, parts and logs, and touches nothing of Snowflake or the state', () => {
    const [role] = Object.entries(template.findResources('AWS::IAM::Role')).find(([id]) => id.startsWith('ExtractJobRole'))!;
    const statements = Object.values(template.findResources('AWS::IAM::Policy'))
      .filter(({ Properties }) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === role))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
    const granted = statements.map(({ Action, Resource }) => [[Action].flat().sort().join(' '), [Resource].flat().map(text).join(' ')]);
    expect(granted.toSorted()).toMatchSnapshot();
  });
});

describe('the workflow', () => {
  const { Extract, PrepareJob, ExtractJob, ExplainJob } = ingest.States;

  it('has Glue read what the plan gives to Glue, and what turns out too large for Lambda', () => {
    expect(ingest.States['Engine?'].Choices).toEqual([{ Variable: '$.plan.engine', StringEquals: 'glue', Next: 'PrepareJob' }]);
    expect(ingest.States['Engine?'].Default).toBe('Extract');
    expect(Extract.Catch).toContainEqual({ ErrorEquals: ['ChunkTooLarge'], ResultPath: null, Next: 'PrepareJob' });
  });

  it('runs no job when nothing is left to be read', () => {
    expect(ingest.States['JobNeeded?'].Choices).toEqual([{ Variable: '$.job.read', StringEquals: '', Next: 'Seal' }]);
  });

  it('waits for the job, with the run, the bucket and what is to be read as its arguments, and nothing secret', () => {
    expect(ExtractJob.Resource).toMatch(/glue:startJobRun\.sync$/);
    expect(ExtractJob.Parameters).toEqual({
      JobName: 'firn-dev-extract',
      Timeout: 90,
      Arguments: { '--run_id.$': '$.runId', '--bucket': expect.stringContaining('RawBucket'), '--read.$': '$.job.read' },
    });
    // A job run may wait for others.
    expect(ExtractJob.TimeoutSeconds).toBe((90 + 12 * 60) * 60);
    expect(ExtractJob.Next).toBe('Seal');
  });

  it('goes on after a failure, and after a redrive, where the table is taken anew and earlier job runs are stopped', () => {
    expect(ExtractJob.Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'ExplainJob' }]);
    expect(ExplainJob.Next).toBe('PrepareJob');
    expect(ExplainJob.Parameters.Payload).toMatchObject({ 'failure.$': '$.failure', 'preparedAt.$': '$.job.preparedAt' });
    expect(PrepareJob.Catch.map(({ ErrorEquals }: { ErrorEquals: string[] }) => ErrorEquals)).toEqual([['Superseded']]);
  });

  it('may start and stop this job and no other', () => {
    const machine = Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement,
    );
    const onGlue = machine.filter(({ Action }) => [Action].flat().some((action: string) => action.startsWith('glue:')));
    expect(onGlue.flatMap(({ Resource }) => [Resource].flat().map(text)).every((arn) => arn.endsWith(':job/firn-dev-extract'))).toBe(true);
    expect(grantsOf(template, 'extract').filter(({ actions }) => actions.includes('glue:BatchStopJobRun'))).toHaveLength(1);
  });
});

/** What cdk-nag finds of the job, and why it stays. */
const accepted: [RegExp, string][] = [
  [
    /^IAM5\[Resource::<RawBucket\w+\.Arn>\/(_logs|_manifests|PostgreSQL\/\w+)\/\*\]/,
    'A prefix of the bucket: the keys below are made at run time.',
  ],
  [/^IAM5\[Resource::arn:.*log-group:\/aws-glue\/\*\]/, 'Glue makes its log groups itself.'],
  [/^IAM5\[Action::s3:(GetObject|GetBucket|List)\*\]/, "Reading the script: CDK's own grant for an asset."],
  [/^IAM5\[Resource::arn:.*:s3:::.*cdk-.*\/\*\]/, "The script stands in CDK's bucket of assets."],
  [/^IAM5\[Resource::\*\]/, 'Metrics of the namespace Glue, and the interfaces that Glue makes in the network, know no narrower resource.'],
  [/^IAM5\[Resource::arn:.*:network-interface\/\*\]/, 'Interfaces are made at run time.'],
  [/^GL[13] /, 'Logs and bookmarks: the data are encrypted in the bucket; the job keeps no bookmark, and its logs hold no data.'],
];

it('cdk-nag finds nothing of the job that is not accepted for a reason', () => {
  const found = [devStacks, prodStacks].flatMap(({ app }) =>
    new AwsSolutionsChecks(app)
      .validateScope(app)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => `${ruleName.replace(/^.*AwsSolutions-/, '')} ${constructPath}`),
      ),
  );
  const ofJob = found.filter((finding) => finding.includes('/ExtractJob/'));
  expect(ofJob.filter((finding) => !accepted.some(([pattern]) => pattern.test(finding)))).toEqual([]);
});
