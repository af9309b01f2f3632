import { fileURLToPath } from 'node:url';
import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { type ICommandHooks, NodejsFunction, OutputFormat, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Environment } from './environments.js';
import type { Network } from './network.js';

export interface FirnFunctionProps {
  readonly environment: Environment;
  /** Folder under lambdas/, and last part of the function's name: `firn-<environment>-<name>`. */
  readonly name: string;
  readonly description: string;
  /** MB. 1769 is one whole processor. */
  readonly memorySize: number;
  readonly timeout: Duration;
  readonly variables: Record<string, string>;
  /** Joined by functions that read a source. @default - none */
  readonly network?: Network;
  /** @default - none */
  readonly commandHooks?: ICommandHooks;
}

export const functionName = (environment: string, name: string): string => `firn-${environment}-${name}`;

// The dependencies that are CommonJS look for these when they load something by a computed name.
const commonJs = [
  "import{createRequire as c_}from'node:module';import{dirname as d_}from'node:path';import{fileURLToPath as f_}from'node:url';",
  'const require=c_(import.meta.url),__filename=f_(import.meta.url),__dirname=d_(__filename);',
].join('');

/** A path of the checkout. */
export const projectPath = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** `lambdas/<name>/handler.ts` as a function of its own role, which may write its log and nothing else until it is granted more. */
export class FirnFunction extends NodejsFunction {
  constructor(scope: Construct, id: string, props: FirnFunctionProps) {
    const { environment, name, network } = props;
    const logGroup = new LogGroup(scope, `${id}Log`, {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: environment.removal === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    });
    const role = new Role(scope, `${id}Role`, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      managedPolicies: network ? [ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaENIManagementAccess')] : [],
    });
    logGroup.grantWrite(role);

    super(scope, id, {
      functionName: functionName(environment.name, name),
      description: props.description,
      entry: projectPath(`lambdas/${name}/handler.ts`),
      depsLockFilePath: projectPath('package-lock.json'),
      projectRoot: projectPath(''),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memorySize,
      timeout: props.timeout,
      tracing: Tracing.ACTIVE,
      role,
      logGroup,
      environment: { ...props.variables, NODE_OPTIONS: '--enable-source-maps' },
      ...(network && { vpc: network.vpc, vpcSubnets: network.vpcSubnets, securityGroups: network.securityGroups }),
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        banner: commonJs,
        // The SDK's modules can be shaken, its CommonJS cannot: a quarter less to load at a cold start.
        mainFields: ['module', 'main'],
        // Step Functions matches errors by name, and a stack trace should name functions.
        minify: false,
        keepNames: true,
        sourceMap: true,
        sourceMapMode: SourceMapMode.DEFAULT,
        sourcesContent: false,
        bundleAwsSDK: true,
        externalModules: ['pg-native'],
        ...(props.commandHooks && { commandHooks: props.commandHooks }),
      },
    });
  }
}
