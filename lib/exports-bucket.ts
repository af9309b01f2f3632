import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { stagePrefix } from '../core/export/aside.js';
import type { Environment } from './environments.js';

/**
 * What exports make, below `exports/`. A bucket of its own, so that Snowflake can read the raw bucket only, and Snowpipe hears of no
 * export. Snowflake writes below `unload/` alone, and the function `export` brings what it wrote to where readers look for it.
 */
export class ExportsBucket extends Bucket {
  constructor(scope: Construct, id: string, { name, removal }: Pick<Environment, 'name' | 'removal'>) {
    super(scope, id, {
      // Known, so that an environment that is made anew fits the stage that Snowflake has kept.
      bucketName: `firn-${name}-exports-${Stack.of(scope).account}-${Stack.of(scope).region}`,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      lifecycleRules: [
        { id: 'abandoned-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
        // What a statement wrote that nobody waited for.
        { id: 'left-aside', prefix: stagePrefix, expiration: Duration.days(2) },
      ],
      removalPolicy: removal === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      autoDeleteObjects: removal === 'destroy',
    });
  }
}
