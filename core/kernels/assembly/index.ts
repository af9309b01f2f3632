export { bounds1, bounds16, bounds4, bounds8, boundsOfDoubles, boundsOfFloats, boundsOfTexts, greatest, greatestText, least, leastText } from './bounds';
export { dictionary4, dictionary8, entries } from './dictionary';
export { arenaBytes, clearArena, createArena, madeRows, markArena, returnToMark } from './made-text';
export { bringNear } from './near-text';
export { copyTexts, packBooleans, packIndices, slicedBytes, slicedRows, slicedValues, slicePage, sliceTexts } from './pages';
export { jsonArrays } from './postgres-arrays';
export { booleans, dates, doubleWords, int2s, texts, times, timestamps, unsigned4s, unsigned8s, uuids, words } from './postgres-fields';
export { decimals, wideDecimals } from './postgres-numeric';
export { numericDoubles } from './postgres-numeric-double';
export { numericTexts } from './postgres-numeric-text';
export { scannedRows, scanRows, setScannedRows } from './postgres-rows';
export { allocate, beginVector, bitmap, indices, page, release, releasePage, reservePage, values } from './scratch';
export {
  clearTextDictionary,
  createTextDictionary,
  enterTexts,
  leaveTexts,
  releaseTextDictionary,
  textDictionaryEntries,
  textDictionaryPays,
  textDictionarySize,
} from './text-dictionary';
export { adoptTexts, packLevels, reserveVector } from './vectors';
