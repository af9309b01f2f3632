-- Snowflake unloads here; what readers see is copied from here.
CREATE STAGE IF NOT EXISTS FIRN.EXPORT_STAGE
URL = 's3://${exportsBucket}/unload/'
STORAGE_INTEGRATION = ${storageIntegration};
