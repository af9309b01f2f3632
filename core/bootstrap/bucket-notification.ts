import {
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  type QueueConfiguration,
  type S3Client,
} from '@aws-sdk/client-s3';

/** Name of the one entry that is Firn's. The bucket may have others. */
export const entryId = 'firn-snowpipe';

const entry = (queueArn: string): QueueConfiguration => ({
  Id: entryId,
  QueueArn: queueArn,
  Events: ['s3:ObjectCreated:*'],
  Filter: { Key: { FilterRules: [{ Name: 'suffix', Value: '.parquet' }] } },
});

/** Has the bucket tell the queue of each new Parquet file. S3 knows the configuration as a whole only, so the other entries are kept. */
export async function notifySnowpipe(s3: S3Client, bucket: string, queueArn: string): Promise<void> {
  const configuration = await read(s3, bucket);
  const others = (configuration.QueueConfigurations ?? []).filter(({ Id }) => Id !== entryId);
  await write(s3, bucket, { ...configuration, QueueConfigurations: [...others, entry(queueArn)] });
}

/** Takes Firn's entry out again. */
export async function forgetSnowpipe(s3: S3Client, bucket: string): Promise<void> {
  const configuration = await read(s3, bucket);
  const others = (configuration.QueueConfigurations ?? []).filter(({ Id }) => Id !== entryId);
  if (others.length !== configuration.QueueConfigurations?.length)
    await write(s3, bucket, { ...configuration, QueueConfigurations: others });
}

async function read(s3: S3Client, bucket: string): Promise<NotificationConfiguration> {
  const { $metadata: _, ...configuration } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: bucket }));
  return configuration;
}

async function write(s3: S3Client, bucket: string, configuration: NotificationConfiguration): Promise<void> {
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: bucket, NotificationConfiguration: configuration }));
}
