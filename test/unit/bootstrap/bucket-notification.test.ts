import type { QueueConfiguration } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { forgetSnowpipe, notifySnowpipe } from '../../../core/bootstrap/bucket-notification.js';
import { bucket } from './bucket.js';

const queue = 'arn:aws:sqs:eu-west-1:999999999999:sf-snowpipe-abc';
const entry: QueueConfiguration = {
  Id: 'firn-snowpipe',
  QueueArn: queue,
  Events: ['s3:ObjectCreated:*'],
  Filter: { Key: { FilterRules: [{ Name: 'suffix', Value: '.parquet' }] } },
};
const theirs: QueueConfiguration = { Id: 'audit', QueueArn: 'arn:aws:sqs:eu-west-1:123456789012:audit', Events: ['s3:ObjectCreated:Put'] };
const others = {
  TopicConfigurations: [{ Id: 'x', TopicArn: 'arn:x', Events: ['s3:ObjectRemoved:*' as const] }],
  EventBridgeConfiguration: {},
};

describe("the bucket's notification (S3 scripted: it knows the configuration as a whole only)", () => {
  it('tells Snowpipe of Parquet files', async () => {
    const { s3, state } = bucket();
    await notifySnowpipe(s3, 'raw', queue);
    expect(state.configuration).toEqual({ QueueConfigurations: [entry] });
  });

  it('leaves the entries of others as they are', async () => {
    const { s3, state } = bucket({ ...others, QueueConfigurations: [theirs] });
    await notifySnowpipe(s3, 'raw', queue);
    expect(state.configuration).toEqual({ ...others, QueueConfigurations: [theirs, entry] });
  });

  it('stays one entry, of the latest queue, however often it is deployed', async () => {
    const { s3, state } = bucket({ QueueConfigurations: [{ ...entry, QueueArn: 'arn:aws:sqs:eu-west-1:1:old' }, theirs] });
    await notifySnowpipe(s3, 'raw', queue);
    await notifySnowpipe(s3, 'raw', queue);
    expect(state.configuration).toEqual({ QueueConfigurations: [theirs, entry] });
  });

  it('goes without the others', async () => {
    const { s3, state } = bucket({ ...others, QueueConfigurations: [entry, theirs] });
    await forgetSnowpipe(s3, 'raw');
    expect(state.configuration).toEqual({ ...others, QueueConfigurations: [theirs] });
  });
});
