import {
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';

/** Stands in for S3: one bucket, whose notifications are replaced as a whole. */
export function bucket(configuration: NotificationConfiguration = {}) {
  const state = { configuration };
  const send = async (command: unknown) => {
    if (command instanceof GetBucketNotificationConfigurationCommand) return { $metadata: {}, ...state.configuration };
    if (!(command instanceof PutBucketNotificationConfigurationCommand)) throw new Error('S3 is asked for something else');
    state.configuration = command.input.NotificationConfiguration!;
    return {};
  };
  return { state, s3: { send } as unknown as S3Client };
}
