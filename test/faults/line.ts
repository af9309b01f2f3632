import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from './random.js';

/**
 * - `refused`: the connection breaks before the request arrives
 * - `lost`: the request is carried out, and its answer lost
 * - `unavailable`: the service answers 503 and does nothing
 * - `slow`: the answer takes a second longer
 */
export const disturbances = ['refused', 'lost', 'unavailable', 'slow'] as const;
export type Disturbance = (typeof disturbances)[number];

/** Which share of the requests is disturbed, and how. */
export interface Weather {
  rate: number;
  kinds: readonly Disturbance[];
  /** At most so many; then it is fair. @default - no limit */
  requests?: number;
  /** So many pass before. @default 0 */
  after?: number;
}

export const fair: Weather = { rate: 0, kinds: [] };

/** Where a line is told its weather, and says how many requests were disturbed: another process may do so. */
const control = '/_weather';

/** An HTTP line on 127.0.0.1 to a server there, which disturbs requests when it is told to. */
export class Line {
  #weather: Weather = fair;
  #disturbed = 0;
  readonly #server: Server;
  readonly #random: Random;

  /** `target`: the server's port, asked for with each request. */
  constructor(
    name: string,
    seed: number,
    private readonly target: () => number,
  ) {
    this.#random = new Random(seed, name);
    this.#server = createServer((incoming, answer) => void this.#carry(incoming, answer));
    this.#server.keepAliveTimeout = 60_000;
  }

  /** @returns the port */
  async open(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  set(weather: Weather): void {
    this.#weather = { ...weather };
  }

  /** Requests that are still to be disturbed, of a limited number. */
  get left(): number | undefined {
    return this.#weather.requests;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #next(): Disturbance | null {
    const { rate, kinds, requests = 1, after = 0 } = this.#weather;
    if (after > 0) this.#weather.after = after - 1;
    if (after > 0 || requests === 0 || !this.#random.chance(rate)) return null;
    if (this.#weather.requests !== undefined) this.#weather.requests--;
    return this.#random.pick(kinds);
  }

  async #carry(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    if (incoming.url === control) {
      if (incoming.method === 'PUT') this.set((await json(incoming)) as Weather);
      answer.end(JSON.stringify(this.#disturbed));
      return;
    }
    const kind = this.#next();
    if (kind !== null) this.#disturbed++;
    if (kind === 'refused') {
      incoming.socket.destroy();
      return;
    }
    if (kind === 'unavailable') {
      incoming.resume();
      answer.writeHead(503, { 'Content-Type': 'application/json' }).end('{"__type":"ServiceUnavailable","message":"disturbed"}');
      return;
    }
    if (kind === 'slow') await pause(1000);
    const { method, url, headers } = incoming;
    const forwarded = request({ host: '127.0.0.1', port: this.target(), method, path: url, headers }, (answered) => {
      if (kind === 'lost') {
        answered.resume();
        answered.once('end', () => incoming.socket.destroy());
        return;
      }
      answer.writeHead(answered.statusCode!, answered.headers);
      answered.pipe(answer);
    });
    forwarded.once('error', () => incoming.socket.destroy());
    incoming.once('error', () => forwarded.destroy());
    incoming.pipe(forwarded);
  }
}

/** Tells the line on `port` its weather. @returns how many requests it has disturbed so far */
export async function setWeather(port: number, weather: Weather): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}${control}`, { method: 'PUT', body: JSON.stringify(weather) });
  return (await answer.json()) as number;
}
