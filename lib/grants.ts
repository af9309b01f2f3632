import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

/** What a function may do to the raw bucket: key patterns such as `_manifests/*`. */
export interface BucketAccess {
  readonly read: string[];
  readonly write: string[];
}

export function grantBucket(to: IGrantable, bucket: IBucket, { read, write }: BucketAccess): void {
  const objects = (patterns: string[]) => patterns.map((pattern) => bucket.arnForObjects(pattern));
  const allow = (actions: string[], resources: string[]) =>
    to.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources }));
  if (read.length > 0) {
    allow(['s3:GetObject'], objects(read));
    // Without it S3 answers 403 instead of 404 to whoever asks for an object that is not there yet.
    allow(['s3:ListBucket'], [bucket.bucketArn]);
  }
  if (write.length > 0) allow(['s3:PutObject', 's3:AbortMultipartUpload'], objects(write));
}

export const grantRead = (to: IGrantable, table: ITable) => table.grant(to, 'dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query');

/** Reads and conditional writes of single items: nobody scans or deletes the table. */
export const grantWrite = (to: IGrantable, table: ITable) =>
  table.grant(
    to,
    'dynamodb:GetItem',
    'dynamodb:BatchGetItem',
    'dynamodb:Query',
    'dynamodb:PutItem',
    'dynamodb:UpdateItem',
    'dynamodb:DeleteItem',
    'dynamodb:ConditionCheckItem',
  );

/** The secrets stand in a stack of their own and get their values between the two deployments, so they are known by name only. */
export function grantSecrets(scope: Construct, to: IGrantable, names: string[]): void {
  for (const name of names) {
    const id = `Secret-${name.replaceAll('/', '-')}`;
    const secret = scope.node.tryFindChild(id) as ReturnType<typeof Secret.fromSecretNameV2> | undefined;
    (secret ?? Secret.fromSecretNameV2(scope, id, name)).grantRead(to);
  }
}
