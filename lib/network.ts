import { type ISecurityGroup, type IVpc, SecurityGroup, Subnet, type SubnetSelection, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { NetworkSettings } from './environments.js';

/** The user's own network, joined by the functions that read the sources and by no other: Snowflake is reached from outside of it. */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly vpcSubnets: SubnetSelection;
  readonly securityGroups: ISecurityGroup[];

  constructor(scope: Construct, id: string, settings: NetworkSettings) {
    super(scope, id);
    const { subnets, security_groups: groups } = settings;
    this.vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId: settings.id,
      // Only asked for the number of zones; the functions are placed by the subnets named.
      availabilityZones: subnets.map((_, index) => `zone-${index}`),
    });
    this.vpcSubnets = { subnets: subnets.map((subnet) => Subnet.fromSubnetId(this, subnet, subnet)) };
    this.securityGroups = groups.map((group) => SecurityGroup.fromSecurityGroupId(this, group, group, { mutable: false }));
  }
}
