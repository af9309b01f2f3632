-- Never OR REPLACE: a recreated integration has another external id, and the role's trust would be broken.
CREATE STORAGE INTEGRATION IF NOT EXISTS ${storageIntegration}
TYPE = EXTERNAL_STAGE
STORAGE_PROVIDER = 'S3'
ENABLED = TRUE
STORAGE_AWS_ROLE_ARN = '${storageRoleArn}'
STORAGE_ALLOWED_LOCATIONS = ('s3://${bucket}/', 's3://${exportsBucket}/unload/');
