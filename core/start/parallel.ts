/** How many rows are dealt with at once. */
const width = 8;

/** The answers of `work` in the order of the items. Throws the first error once all that was begun has ended: a Lambda freezes what is left. */
export async function inParallel<T, R>(items: T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const answers = new Array<R>(items.length);
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) answers[index] = await work(item, index);
  };
  const ends = await Promise.allSettled(Array.from({ length: width }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return answers;
}
