/**
 * A proxy between us and PostgreSQL that cuts connections at a chosen moment: before a message reaches the server, or
 * after the server has done what it says and before we hear of it.
 */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

export interface FlakyProxy {
  readonly url: string;
  /** Cuts at the next message from us that holds this text: before it is passed on, or once it is answered. */
  cutAt(text: string, when: 'before' | 'after'): void;
  /** How often it has cut. */
  readonly cuts: () => number;
  close(): Promise<void>;
}

export async function flakyProxy(url: string): Promise<FlakyProxy> {
  const target = new URL(url);
  let armed: { text: string; when: 'before' | 'after' } | null = null;
  let cuts = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let cutting = false;
    const cut = () => {
      cuts++;
      client.destroy();
      // The server goes on with what it has read, as it would behind a network that broke.
      setTimeout(() => upstream.destroy(), 300).unref();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        if (!cutting) (socket === client ? upstream : client).destroy();
      });
    }
    client.on('data', (chunk) => {
      if (armed && chunk.includes(armed.text)) {
        const { when } = armed;
        armed = null;
        cutting = true;
        if (when === 'before') return cut();
        upstream.write(chunk);
        upstream.removeAllListeners('data');
        upstream.once('data', cut);
        return;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => client.write(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    cutAt: (text, when) => {
      armed = { text, when };
    },
    cuts: () => cuts,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
