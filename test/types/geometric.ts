import type { TypeCase } from './case.js';

/** Geometric types. */
export const geometric: TypeCase[] = [
  { type: 'point', sql: "'(1.5,2)'", value: '(1.5,2)', staging: 'VARCHAR' },
  { type: 'point', sql: "'(0.1,1e-300)'", value: '(0.1,1e-300)', staging: 'VARCHAR' },
  { type: 'point', sql: "'(NaN,Infinity)'", value: '(NaN,Infinity)', staging: 'VARCHAR' },
  { type: 'point', sql: "'(-0,0.30000000000000004)'", value: '(-0,0.30000000000000004)', staging: 'VARCHAR' },
  { type: 'line', sql: "'{1,-1,0}'", value: '{1,-1,0}', staging: 'VARCHAR' },
  { type: 'lseg', sql: "'[(0,0),(1,1)]'", value: '[(0,0),(1,1)]', staging: 'VARCHAR' },
  { type: 'box', sql: "'(2,2),(0,0)'", value: '(2,2),(0,0)', staging: 'VARCHAR' },
  { type: 'path', sql: "'((0,0),(1,1),(2,0))'", value: '((0,0),(1,1),(2,0))', staging: 'VARCHAR' },
  { type: 'path', sql: "'[(0,0),(1,1)]'", value: '[(0,0),(1,1)]', staging: 'VARCHAR' },
  { type: 'polygon', sql: "'((0,0),(1,1),(2,0))'", value: '((0,0),(1,1),(2,0))', staging: 'VARCHAR' },
  { type: 'circle', sql: "'<(1,2),3>'", value: '<(1,2),3>', staging: 'VARCHAR' },
];
