import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { SourceSettings } from '../core/config/schema.js';
import { segment } from '../core/raw-bucket/layout.js';
import type { Environment } from './environments.js';

/** Parquet files, manifests and logs. Nothing in it is ever overwritten, so it needs no versions. */
export class RawBucket extends Bucket {
  constructor(scope: Construct, id: string, { name, removal }: Pick<Environment, 'name' | 'removal'>) {
    super(scope, id, {
      // Known, so that an environment that is made anew fits the stage and the pipes that Snowflake has kept.
      bucketName: `firn-${name}-raw-${Stack.of(scope).account}-${Stack.of(scope).region}`,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [{ id: 'abandoned-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: removal === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      autoDeleteObjects: removal === 'destroy',
    });
  }

  /** Data files go after so many days; manifests and logs stay. Their rows stay in Snowflake until nothing needs them. */
  expireData(days: number, sources: Pick<SourceSettings, 'source' | 'database'>[]): void {
    for (const { source, database } of sources) {
      const prefix = `${segment(source)}/${segment(database)}/`;
      this.addLifecycleRule({ id: `raw-retention ${prefix}`, prefix, expiration: Duration.days(days) });
    }
  }
}
