import type { Compress } from './compression.js';
import { releasePage } from './page-memory.js';
import type { Search } from './zstd.js';

/** Pages that keep more of their size than this are written as they are. */
const worthwhile = 0.9;
/** Of what keeps less, repetition must be looked for. */
const repetitive = 0.3;
/** By how much more a frame may hold for which it was hardly looked for. */
const quickEnough = 1.04;
/** Row groups until it is found out again how a column is compressed best. */
const groupsUntilRetry = 16;

/** Compresses the pages of one column, row group after row group, of one connection or of several. */
export class ColumnCompressor {
  /** Null: not at all. */
  #search: Search | null = 'thorough';
  #groupsLeft = 0;

  constructor(private readonly compressPage: Compress) {}

  /** Frames, to be given back by `releasePage`; null: the pages are to be written as they are. */
  async compress(pages: readonly Uint8Array[]): Promise<Uint8Array[] | null> {
    const isTrial = this.#groupsLeft === 0;
    if (isTrial) this.#search = 'thorough';
    this.#groupsLeft = isTrial ? groupsUntilRetry : this.#groupsLeft - 1;
    const search = this.#search;
    if (search === null) return null;
    const frames = await Promise.all(pages.map((page) => this.compressPage(page, search)));
    const kept = sizeOf(frames) / sizeOf(pages);
    if (kept > worthwhile) {
      // By a quick search it is not known what a thorough one would find.
      if (search === 'quick') this.#groupsLeft = 0;
      else this.#search = null;
      frames.forEach(releasePage);
      return null;
    }
    if (isTrial && kept > repetitive && (await this.#isQuickEnough(pages, frames))) this.#search = 'quick';
    return frames;
  }

  /** By the largest of the pages. */
  async #isQuickEnough(pages: readonly Uint8Array[], frames: readonly Uint8Array[]): Promise<boolean> {
    const largest = pages.reduce((most, { length }, i) => (length > pages[most]!.length ? i : most), 0);
    const quick = await this.compressPage(pages[largest]!, 'quick');
    releasePage(quick);
    return quick.length <= quickEnough * frames[largest]!.length;
  }
}

const sizeOf = (bodies: readonly Uint8Array[]): number => bodies.reduce((sum, { length }) => sum + length, 0);
