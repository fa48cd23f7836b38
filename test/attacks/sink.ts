import { createServer as createWebServer } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP server and a web server on loopback that take whatever comes, and count it. */
export interface Sink {
  readonly port: number;
  readonly web: number;
  /** Bytes of both servers' clients so far. */
  readonly bytes: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Connections so far. */
  readonly connections: number;
  close(): Promise<void>;
}

export async function startSink(): Promise<Sink> {
  let bytes = 0;
  let connections = 0;
  const sockets = new Set<Socket>();
  const count = (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('data', (chunk) => (bytes += chunk.length));
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const plain = createServer(count);
  const web = createWebServer((request, response) => request.resume().on('end', () => response.end('taken')));
  web.on('connection', count);
  for (const server of [plain, web]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (plain.address() as AddressInfo).port,
    web: (web.address() as AddressInfo).port,
    get bytes() {
      return bytes;
    },
    get open() {
      return sockets.size;
    },
    get connections() {
      return connections;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([plain, web].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
