-- Never OR REPLACE: a recreated integration has another external id, and the role's trust would be broken.
CREATE API INTEGRATION IF NOT EXISTS ${apiIntegration}
API_PROVIDER = AWS_API_GATEWAY
API_AWS_ROLE_ARN = '${apiRoleArn}'
API_ALLOWED_PREFIXES = ('${apiUrl}/')
ENABLED = TRUE;
