// The API of the example: `node ticket-desk.mjs [PORT]`. It wants the key "demo-key" and forgets everything when it ends.
import { createServer } from 'node:http';

const KEY = 'demo-key';
const tickets = [];
const asked = new Map();

const server = createServer((request, response) => void serve(request, response));

async function serve(request, response) {
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.headers['x-api-key'] !== KEY) return answer(401, { error: 'this API key is not known' });
  if (request.method === 'POST' && request.url === '/tickets') {
    const { title, priority } = JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString('utf8'));
    const key = request.headers['idempotency-key'];
    if (!asked.has(key)) asked.set(key, { id: tickets.push({ title, priority }) });
    return answer(201, asked.get(key));
  }
  const id = Number(/^\/tickets\/(\d+)$/.exec(request.url)?.[1]);
  const ticket = tickets[id - 1];
  return ticket === undefined ? answer(404, { error: 'no such ticket' }) : answer(200, { id, ...ticket });
}

server.listen(Number(process.argv[2] ?? 4010), '127.0.0.1', () => {
  process.stdout.write(`ticket desk on http://127.0.0.1:${server.address().port}\n`);
});
