import type { Client } from 'pg';
import type { SourceSecret } from '../secret.js';
import { cancelQuery, connect } from './connection.js';

/** The connections of one read, which end together. */
export class Sessions {
  readonly #secret: SourceSecret;
  readonly #sessions: Client[] = [];
  readonly #stopping = new AbortController();
  #ended: Promise<unknown> | undefined;

  constructor(secret: SourceSecret) {
    this.#secret = secret;
  }

  add(session: Client): Client {
    this.#sessions.push(session);
    return session;
  }

  /** @throws FirnError as connect; SourceUnreachable when stopped before it is open */
  async open(): Promise<Client> {
    const session = this.add(await connect(this.#secret, this.#stopping.signal));
    // Those that are open are being ended: this one came too late to be among them.
    if (this.#ended !== undefined) await session.end().catch(() => {});
    return session;
  }

  /** Cancels what the server does for them, drops them, and gives up those that are being opened. Never throws. */
  readonly stop = async (): Promise<void> => {
    this.#stopping.abort();
    await Promise.all(this.#sessions.map((session) => cancelQuery(session, this.#secret)));
  };

  /** Gives up those that are being opened. Never throws. */
  async end(): Promise<void> {
    this.#stopping.abort();
    this.#ended ??= Promise.all(this.#sessions.map((session) => session.end().catch(() => {})));
    await this.#ended;
  }
}
