import { figuresOf, type Measured } from './figures.js';
import type { Runner } from './runners.js';
import { tables } from './tables.js';

const left = 210;
const width = 420;
const line = 20;

/** Bars of throughput as a share of the floor's, one group per table. */
export function plot({ runs }: Measured, runners: Runner[]): string {
  const parts: string[] = [];
  let y = 20;
  for (const table of tables) {
    const bars = runners.flatMap(({ name, writes }) => {
      const figures = figuresOf(runs, name, table);
      return figures === null || !writes || Number.isNaN(figures.ofFloor)
        ? []
        : [{ name, share: figures.ofFloor, seconds: figures.seconds }];
    });
    if (bars.length === 0) continue;
    parts.push(`<text x="8" y="${y}" font-weight="bold">${table}: throughput as a share of COPY to /dev/null</text>`);
    y += 10;
    for (const { name, share, seconds } of bars) {
      const length = Math.max(1, Math.round(share * width * 0.6));
      parts.push(
        `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${name}</text>`,
        `<rect x="${left}" y="${y + 2}" width="${length}" height="${line - 5}" fill="${name.startsWith('Firn') ? '#1f6feb' : '#8b949e'}"/>`,
        `<text x="${left + length + 6}" y="${y + 13}">${share.toFixed(2)} (${seconds.toFixed(1)} s)</text>`,
      );
      y += line;
    }
    y += 30;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 100} ${y}" font-family="sans-serif" font-size="12">
<title>Throughput of each reader as a share of COPY to /dev/null</title>
<rect width="100%" height="100%" fill="white"/>
${parts.join('\n')}
</svg>
`;
}
