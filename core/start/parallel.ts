/** How many rows are dealt with at once. */
const width = 8;

/** The answers of `work` in the order of the items. After an error no further item is begun. */
export async function inParallel<T, R>(items: T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const answers = new Array<R>(items.length);
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) answers[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return answers;
}
