export { allocate, beginColumn, bitmap, page, release, reservePage, values } from './scratch';
export { booleans, dates, doubleWords, int2s, longestText, texts, times, timestamps, unsigned4s, unsigned8s, uuids, words } from './postgres-fields';
export { decimals, misfits, wideDecimals } from './postgres-numeric';
export { scannedRows, scanRows, setScannedRows } from './postgres-rows';
export { dictionary4, dictionary8, dictionaryOfTexts, entries } from './dictionary';
export { bounds1, bounds16, bounds4, bounds8, boundsOfDoubles, boundsOfFloats, boundsOfTexts, greatest, greatestText, least, leastText } from './bounds';
export { copyTexts, packBooleans, packIndices, slicedBytes, slicedRows, slicedValues, slicePage } from './pages';
export { adoptTexts, packLevels, reserveVector } from './vectors';
