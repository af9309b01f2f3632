/** More than a piece took so far: the next one may be larger. */
const margin = 1.5;

/** How long the pieces of a function's call take, and whether there is time for another one. */
export class Pace {
  #began: number | null = null;
  #longest = 0;

  /** `until`: milliseconds of Date.now(). */
  constructor(private readonly until: number) {}

  /** A piece begins, and the one before has ended. */
  begin(): void {
    this.#measure();
    this.#began = Date.now();
  }

  /** The first piece always; another when the time is enough for half as much again as the longest one took. */
  allows(): boolean {
    if (this.#began === null) return true;
    this.#measure();
    return Date.now() + margin * this.#longest <= this.until;
  }

  #measure(): void {
    if (this.#began !== null) this.#longest = Math.max(this.#longest, Date.now() - this.#began);
  }
}
