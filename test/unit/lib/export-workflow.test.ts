import { describe, expect, it } from 'vitest';
import { definitionOf, dev, grantsOf, stacks, templateOf } from './stacks.js';

interface State {
  Type: string;
  Next?: string;
  End?: boolean;
  Catch?: { ErrorEquals: string[]; Next: string }[];
  Parameters?: { Payload: Record<string, unknown> };
  ItemProcessor?: { States: Record<string, State> };
  [key: string]: unknown;
}

const template = templateOf(stacks(dev).firn);
const definition = definitionOf(template, 'firn-dev-export') as { StartAt: string; States: Record<string, State> };
const each = definition.States.ExportAll!.ItemProcessor!.States;
const all = { ...definition.States, ...each };

describe('the workflow `export`', () => {
  it('lets one export fail without the others: each failure is caught within its own iteration, and noted', () => {
    for (const name of ['Unload', 'AwaitUnload', 'Publish']) {
      expect(each[name]!.Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Note' }]);
    }
    expect(each.Note!.Next).toBe('Exported');
    expect(each.Exported!.End).toBe(true);
  });

  it('fails in Pick alone, which a redrive runs again: there is no Fail state, and nothing is caught outside of the iterations', () => {
    expect(Object.values(all).filter(({ Type }) => Type === 'Fail')).toEqual([]);
    expect(Object.values(definition.States).filter((state) => state.Catch)).toEqual([]);
    expect([definition.StartAt, definition.States.ExportAll!.Next]).toEqual(['Pick', 'Pick']);
    expect(definition.States.Pick!.Parameters!.Payload).toEqual({
      action: 'pick',
      'exportId.$': '$.exportId',
      'execution.$': '$$.Execution',
    });
  });

  it('is told neither query nor secret nor time', () => {
    const payloads = Object.values(all).flatMap(({ Parameters }) => (Parameters?.Payload ? [Object.keys(Parameters.Payload)] : []));
    expect(new Set(payloads.flat())).toEqual(new Set(['action', 'exportId.$', 'index.$', 'execution.$', 'failure.$']));
  });

  it('is reported when it fails', () => {
    const rules = Object.values(template.findResources('AWS::Events::Rule'));
    const found = rules.find(({ Properties }) => JSON.stringify(Properties.EventPattern).includes('ExportsStateMachine'));
    expect(found!.Properties.EventPattern.detail.status).toEqual(['FAILED', 'TIMED_OUT', 'ABORTED']);
  });
});

describe('the function `export`', () => {
  const grants = grantsOf(template, 'export');
  const keysFor = (action: string) =>
    grants
      .filter(({ actions }) => actions.includes(action))
      .flatMap(({ resources }) => resources)
      .map((arn) => arn.replace(/^\{(\w+)[0-9A-F]{8}\.Arn\}/, '$1'))
      .sort();

  it('writes below exports/ alone, where Snowflake cannot, and removes only what exports made', () => {
    expect(keysFor('s3:PutObject')).toEqual(['ExportsBucket/exports/*']);
    expect(keysFor('s3:DeleteObject')).toEqual(['ExportsBucket/exports/*', 'ExportsBucket/unload/*']);
    expect(keysFor('s3:GetObject')).toEqual(['ExportsBucket/exports/*', 'ExportsBucket/unload/*']);
  });

  it('starts nothing, and reads no source', () => {
    expect(grants.flatMap(({ actions }) => actions).filter((action) => /^(states|lambda):/.test(action))).toEqual([]);
  });
});

describe('the bucket of the exports', () => {
  it('forgets what statements left aside', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketName: { 'Fn::Join': ['', ['firn-dev-exports-', { Ref: 'AWS::AccountId' }, '-', { Ref: 'AWS::Region' }]] },
      LifecycleConfiguration: {
        Rules: [
          { Id: 'abandoned-uploads', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
          { Id: 'left-aside', Status: 'Enabled', Prefix: 'unload/', ExpirationInDays: 2 },
        ],
      },
    });
  });
});

describe('raw_retention_days', () => {
  const rulesWith = (days?: number) => {
    const stack = stacks({ ...dev, raw_retention_days: days }).firn;
    const buckets = Object.values(templateOf(stack).findResources('AWS::S3::Bucket'));
    const raw = buckets.find(({ Properties }) => JSON.stringify(Properties.BucketName).includes('-raw-'))!;
    const [objects] = Object.values(templateOf(stack).findResources('Custom::FirnSnowflakeObjects'));
    const rules = raw.Properties.LifecycleConfiguration.Rules as { Prefix?: string; ExpirationInDays?: number }[];
    return { rules: rules.filter((rule) => rule.ExpirationInDays), told: objects!.Properties.RawRetentionDays };
  };

  it('lets the data files of each source go, not manifests and logs', () => {
    const { rules, told } = rulesWith(30);
    expect(rules.map(({ Prefix, ExpirationInDays }) => [Prefix, ExpirationInDays])).toEqual([
      ['PostgreSQL/clr/', 30],
      ['PostgreSQL/crm/', 30],
    ]);
    expect(told).toBe('30');
  });

  it('is off where it is not set', () => {
    expect(rulesWith()).toEqual({ rules: [], told: 'NULL' });
  });
});
