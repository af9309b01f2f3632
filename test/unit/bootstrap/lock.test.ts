import { describe, expect, it } from 'vitest';
import { withLock } from '../../../core/bootstrap/lock.js';
import { ScriptedSnowflake } from './scripted-snowflake.js';

/** The lock's row, as the UPDATE statements treat it; its age is not kept. */
function lockedBy(first: string | null) {
  const lock = { owner: first };
  const warehouse = new ScriptedSnowflake()
    .when(/SET owner = \?/, (_, [owner]) => {
      const free = lock.owner === null || lock.owner === owner;
      if (free) lock.owner = owner as string;
      return [{ 'number of rows updated': Number(free), 'number of multi-joined rows updated': 0 }];
    })
    .when(/SET owner = NULL/, (_, [owner]) => {
      if (lock.owner === owner) lock.owner = null;
      return [];
    });
  return { lock, warehouse };
}
const never = () => Promise.reject(new Error('waited'));

describe('the lock of a deployment (scripted Snowflake)', () => {
  it('is held during the work and given back', async () => {
    const { lock, warehouse } = lockedBy(null);
    expect(await withLock(warehouse, 'me', never, async () => lock.owner)).toBe('me');
    expect(lock.owner).toBeNull();
  });

  it('is given back when the work fails', async () => {
    const { lock, warehouse } = lockedBy(null);
    await expect(withLock(warehouse, 'me', never, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(lock.owner).toBeNull();
  });

  it('of another deployment is waited for', async () => {
    const { lock, warehouse } = lockedBy('other');
    let pauses = 0;
    const pause = async () => {
      if (++pauses === 3) lock.owner = null;
    };
    expect(await withLock(warehouse, 'me', pause, async () => 'done')).toBe('done');
    expect(pauses).toBe(3);
  });

  it('of a deployment that does not end is not broken', async () => {
    const { lock, warehouse } = lockedBy('other');
    const work = () => Promise.reject(new Error('worked without the lock'));
    await expect(withLock(warehouse, 'me', async () => {}, work)).rejects.toMatchObject({ code: 'ConfigConflict' });
    expect(lock.owner).toBe('other');
  });

  it('that is older than any function lives is taken: the statement says so', async () => {
    const { warehouse } = lockedBy(null);
    await withLock(warehouse, 'me', never, async () => {});
    expect(warehouse.statements[warehouse.at(/SET owner = \?/)]).toContain("taken_at < DATEADD('minute', -15, SYSDATE())");
  });
});
