import { arrays } from './arrays.js';
import type { TypeCase } from './case.js';
import { decimals } from './decimals.js';
import { extensions } from './extensions.js';
import { geometric } from './geometric.js';
import { json, jsonText } from './json.js';
import { network } from './network.js';
import { numbers } from './numbers.js';
import { ownTypes } from './own-types.js';
import { ranges } from './ranges.js';
import { text } from './text.js';
import { time } from './time.js';

/** All values that arrive, by family. */
export const families = { numbers, decimals, time, text, json, jsonText, arrays, ownTypes, network, ranges, geometric, extensions };
export const typeCases: TypeCase[] = Object.values(families).flat();
