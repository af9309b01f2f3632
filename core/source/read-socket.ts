import net from 'node:net';

/** Of one read; the kernel collects no more while we wait between two. */
const readBytes = 1 << 19;

/**
 * A TCP socket that reads into one buffer. As long as nobody has set `receiver` it emits 'data' as any socket does; pg lives on that.
 * A receiver sees bytes that are its own until it returns true or resumes the socket: they are overwritten by the next read.
 */
export class ReadSocket extends net.Socket {
  /** False: no more until `resume`. */
  receiver: ((bytes: Uint8Array) => boolean) | null = null;

  constructor() {
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    super({
      onread: {
        buffer,
        callback: (count: number): boolean => {
          if (this.receiver !== null) return this.receiver(buffer.subarray(0, count));
          this.emit('data', Buffer.from(buffer.subarray(0, count)));
          return true;
        },
      },
    } as net.SocketConstructorOpts);
  }
}
