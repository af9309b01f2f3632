import type { TypeCase } from './case.js';

/** Addresses. */
export const network: TypeCase[] = [
  { type: 'inet', sql: "'192.168.0.1/24'", value: '192.168.0.1/24', staging: 'VARCHAR' },
  { type: 'inet', sql: "'192.168.0.1'", value: '192.168.0.1/32', staging: 'VARCHAR' },
  { type: 'inet', sql: "'::1'", value: '::1/128', staging: 'VARCHAR' },
  { type: 'inet', sql: "'2001:db8::1/64'", value: '2001:db8::1/64', staging: 'VARCHAR' },
  { type: 'inet', sql: "'::ffff:1.2.3.4'", value: '::ffff:1.2.3.4/128', staging: 'VARCHAR' },
  { type: 'inet', sql: "'0.0.0.0/0'", value: '0.0.0.0/0', staging: 'VARCHAR' },
  { type: 'cidr', sql: "'10.0.0.0/8'", value: '10.0.0.0/8', staging: 'VARCHAR' },
  { type: 'cidr', sql: "'10.1.2.3/32'", value: '10.1.2.3/32', staging: 'VARCHAR' },
  { type: 'cidr', sql: "'2001:db8::/32'", value: '2001:db8::/32', staging: 'VARCHAR' },
  { type: 'cidr', sql: "'::/0'", value: '::/0', staging: 'VARCHAR' },
  { type: 'macaddr', sql: "'08:00:2b:01:02:03'", value: '08:00:2b:01:02:03', staging: 'VARCHAR' },
  { type: 'macaddr', sql: "'FF-FF-FF-FF-FF-FF'", value: 'ff:ff:ff:ff:ff:ff', staging: 'VARCHAR' },
  { type: 'macaddr8', sql: "'08:00:2b:01:02:03:04:05'", value: '08:00:2b:01:02:03:04:05', staging: 'VARCHAR' },
  { type: 'macaddr8', sql: "'08002b:010203'", value: '08:00:2b:ff:fe:01:02:03', staging: 'VARCHAR' },
];
