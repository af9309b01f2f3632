import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import { AuthorizationType, EndpointType, LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { AnyPrincipal, ArnPrincipal, Effect, type IRole, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Environment } from './environments.js';
import type { FirnFunction } from './firn-function.js';

export interface ExternalFunctionApiProps {
  readonly environment: Environment;
  readonly start: FirnFunction;
  /** The role that Snowflake's API integration assumes. */
  readonly snowflakeRole: IRole;
}

/** Snowflake posts a batch of rows to one of these and polls the same path until it is answered. */
export const externalFunctionPaths = ['ingest', 'status', 'retry', 'plan', 'export', 'export-status'];

/** The door: callable by Snowflake's API integration and by nobody else, not even by an administrator of the account. */
export class ExternalFunctionApi extends Construct {
  readonly restApi: RestApi;

  constructor(scope: Construct, id: string, { environment, start, snowflakeRole }: ExternalFunctionApiProps) {
    super(scope, id);
    // Snowflake names its sessions `snowflake`. Source: Snowflake documentation, "Creating external functions on AWS".
    const session = Arn.format(
      {
        service: 'sts',
        region: '',
        resource: 'assumed-role',
        resourceName: `${snowflakeRole.roleName}/snowflake`,
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      },
      Stack.of(this),
    );
    const invoke = { actions: ['execute-api:Invoke'], resources: ['execute-api:/*'] };

    this.restApi = new RestApi(this, 'Api', {
      restApiName: `firn-${environment.name}`,
      description: "Called by Snowflake's external functions",
      endpointTypes: [EndpointType.REGIONAL],
      deployOptions: { stageName: 'v1', tracingEnabled: true, throttlingRateLimit: 100, throttlingBurstLimit: 200 },
      policy: new PolicyDocument({
        statements: [
          new PolicyStatement({ ...invoke, principals: [new ArnPrincipal(session)] }),
          // Within one account IAM alone would let others in.
          new PolicyStatement({
            ...invoke,
            effect: Effect.DENY,
            principals: [new AnyPrincipal()],
            conditions: { StringNotEquals: { 'aws:PrincipalArn': snowflakeRole.roleArn } },
          }),
        ],
      }),
      defaultMethodOptions: { authorizationType: AuthorizationType.IAM },
      defaultIntegration: new LambdaIntegration(start, { allowTestInvoke: false }),
      cloudWatchRole: false,
    });
    for (const path of externalFunctionPaths) {
      const resource = this.restApi.root.addResource(path);
      resource.addMethod('POST');
      resource.addMethod('GET');
    }
  }
}
