import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { type CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { SourceSettings } from '../core/config/schema.js';
import type { Environment } from './environments.js';
import { snowflakeSecretName, sourceSecretName } from './secret-names.js';

export interface SecretsStackProps extends StackProps {
  readonly environment: Environment;
  readonly sources: SourceSettings[];
}

/**
 * The secrets, without values: their owner puts those between this deployment and the one of FirnStack,
 * so that no value passes through a template. A source with a secret of its own name gets none here.
 */
export class SecretsStack extends Stack {
  constructor(scope: Construct, id: string, props: SecretsStackProps) {
    super(scope, id, props);
    const { environment, sources } = props;

    this.secret('Snowflake', snowflakeSecretName(environment.name), "Firn's Snowflake user", environment);
    for (const source of sources.filter(({ secret }) => !secret)) {
      const { source: system, database } = source;
      this.secret(`${system}-${database}`, sourceSecretName(environment.name, source), `Firn's user of ${system} ${database}`, environment);
    }
  }

  private secret(id: string, secretName: string, description: string, { removal }: Environment): void {
    const secret = new Secret(this, id, {
      secretName,
      description,
      removalPolicy: removal === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    });
    // The construct would fill in a random password, which looks like a value to whoever reads it.
    (secret.node.defaultChild as CfnSecret).generateSecretString = undefined;
  }
}
