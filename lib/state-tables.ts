import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { expiryAttribute } from '../core/state/runtime-state.js';
import type { Environment } from './environments.js';

/** DynamoDB: what is configured, and what is going on. Keys and items: docs/architecture.md, "State". */
export class StateTables extends Construct {
  readonly tableConfig: Table;
  readonly runtimeState: Table;

  constructor(scope: Construct, id: string, { removal }: Pick<Environment, 'removal'>) {
    super(scope, id);
    const props = {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: removal === 'retain',
      removalPolicy: removal === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    };
    this.tableConfig = new Table(this, 'TableConfig', props);
    this.runtimeState = new Table(this, 'RuntimeState', { ...props, timeToLiveAttribute: expiryAttribute });
  }
}
