/** A package that connectors use: what the test runs in the sandbox, and what it has to give. */
export interface Works {
  readonly name: string;
  /** What for, in a few words. */
  readonly for: string;
  readonly top: string;
  /** Body of `async run(ctx, input)`. */
  readonly body: string;
  readonly gives: unknown;
  /** What an author has to know. */
  readonly note?: string;
  /** Hosts that it reaches. */
  readonly net?: string;
}

/** A package that cannot run in a connector. */
export interface Fails {
  readonly name: string;
  readonly why: string;
  readonly instead: string;
  readonly top: string;
  readonly body: string;
  /** What the build, or the run, says. */
  readonly says: RegExp;
}

export const WORKS: readonly Works[] = [
  {
    name: 'zod',
    for: 'schemas of inputs, outputs and credentials; parsing of answers',
    top: "import * as z from 'zod';",
    body: 'return z.object({ a: z.coerce.number(), mail: z.email() }).parse({ a: "1", mail: "a@example.com" });',
    gives: { a: 1, mail: 'a@example.com' },
    note: 'accepted as `input`, `output` and `credential`',
  },
  {
    name: 'typebox',
    for: 'schemas that are JSON Schema',
    top: "import { Type } from 'typebox'; import { Check } from 'typebox/value';",
    body: 'return [Type.Object({ a: Type.String() }).type, Check(Type.Object({ a: Type.String() }), { a: 1 })];',
    gives: ['object', false],
    note: 'accepted as `input`, `output` and `credential`',
  },
  {
    name: 'valibot',
    for: 'small schemas',
    top: "import * as v from 'valibot';",
    body: 'return v.parse(v.object({ a: v.pipe(v.string(), v.minLength(1)) }), { a: "x" });',
    gives: { a: 'x' },
    note: 'accepted through `toStandardJsonSchema` of `@valibot/to-json-schema`',
  },
  {
    name: '@valibot/to-json-schema',
    for: 'JSON Schema of valibot',
    top: "import { toJsonSchema } from '@valibot/to-json-schema'; import * as v from 'valibot';",
    body: 'return toJsonSchema(v.string()).type;',
    gives: 'string',
  },
  {
    name: 'jsonata',
    for: 'queries and transformations of JSON',
    top: "import jsonata from 'jsonata';",
    body: 'return await jsonata("$sum(items.price)").evaluate({ items: [{ price: 1 }, { price: 2 }] });',
    gives: 3,
  },
  {
    name: 'date-fns',
    for: 'dates',
    top: "import { addDays, formatISO } from 'date-fns';",
    body: 'return formatISO(addDays(new Date(Date.UTC(2026, 0, 31, 12)), 1), { representation: "date" });',
    gives: '2026-02-01',
  },
  {
    name: 'dayjs',
    for: 'dates',
    top: "import dayjs from 'dayjs'; import utc from 'dayjs/plugin/utc.js'; dayjs.extend(utc);",
    body: 'return dayjs.utc("2026-01-31").add(1, "month").format("YYYY-MM-DD");',
    gives: '2026-02-28',
  },
  {
    name: 'luxon',
    for: 'dates and time zones',
    top: "import { DateTime } from 'luxon';",
    body: 'return DateTime.fromISO("2026-07-01T12:00:00Z").setZone("Europe/Berlin").toISO();',
    gives: '2026-07-01T14:00:00.000+02:00',
  },
  {
    name: 'ms',
    for: 'durations as text',
    top: "import ms from 'ms';",
    body: 'return ms("2h");',
    gives: 7_200_000,
  },
  {
    name: 'lodash',
    for: 'collections',
    top: "import groupBy from 'lodash/groupBy.js'; import get from 'lodash/get.js';",
    body: 'return [groupBy([1, 2, 3], (n) => (n % 2 ? "odd" : "even")), get({ a: [{ b: 1 }] }, "a[0].b")];',
    gives: [{ odd: [1, 3], even: [2] }, 1],
    note: 'import single functions (`lodash/groupBy.js`): the whole is 70 kB',
  },
  {
    name: 'ramda',
    for: 'functional collections',
    top: "import { map, pipe, sum } from 'ramda';",
    body: 'return pipe(map((n: number) => n * 2), sum)([1, 2]);',
    gives: 6,
  },
  {
    name: 'immer',
    for: 'changes of immutable data',
    top: "import { produce } from 'immer';",
    body: 'return produce({ a: { b: 1 } }, (draft) => { draft.a.b = 2; });',
    gives: { a: { b: 2 } },
  },
  {
    name: 'uuid',
    for: 'UUIDs',
    top: "import { v4, v5, validate } from 'uuid';",
    body: 'return [validate(v4()), v5("a", v5.URL)];',
    gives: [true, 'e1407479-3136-56c0-9908-bb02fb0339e2'],
    note: '`crypto.randomUUID()` is a global',
  },
  {
    name: 'nanoid',
    for: 'short ids',
    top: "import { nanoid } from 'nanoid';",
    body: 'return nanoid().length;',
    gives: 21,
  },
  {
    name: 'papaparse',
    for: 'CSV',
    top: "import Papa from 'papaparse';",
    body: 'return Papa.parse("a,b\\n1,2", { header: true }).data;',
    gives: [{ a: '1', b: '2' }],
    note: 'no workers: leave `worker: true` out',
  },
  {
    name: 'csv-parse',
    for: 'CSV',
    top: "import { parse } from 'csv-parse/browser/esm/sync';",
    body: 'return parse("a,b\\n1,2", { columns: true });',
    gives: [{ a: '1', b: '2' }],
    note: 'import `csv-parse/browser/esm/sync`',
  },
  {
    name: 'fast-xml-parser',
    for: 'XML',
    top: "import { XMLBuilder, XMLParser } from 'fast-xml-parser';",
    body: 'return [new XMLParser().parse("<a><b>1</b></a>"), new XMLBuilder().build({ a: { b: 2 } })];',
    gives: [{ a: { b: 1 } }, '<a><b>2</b></a>'],
  },
  {
    name: 'yaml',
    for: 'YAML',
    top: "import { parse, stringify } from 'yaml';",
    body: 'return [parse("a: [1, 2]"), stringify({ b: 1 })];',
    gives: [{ a: [1, 2] }, 'b: 1\n'],
  },
  {
    name: 'marked',
    for: 'Markdown',
    top: "import { marked } from 'marked';",
    body: 'return await marked.parse("*hi*");',
    gives: '<p><em>hi</em></p>\n',
  },
  {
    name: 'mustache',
    for: 'text templates',
    top: "import Mustache from 'mustache';",
    body: 'return Mustache.render("Hello {{name}}", { name: "<Ada>" });',
    gives: 'Hello &lt;Ada&gt;',
  },
  {
    name: 'liquidjs',
    for: 'text templates with conditions and loops',
    top: "import { Liquid } from 'liquidjs';",
    body: 'return await new Liquid().parseAndRender("{% for n in list %}{{ n | times: 2 }} {% endfor %}", { list: [1, 2] });',
    gives: '2 4 ',
    note: 'templates from text; there are no files to include',
  },
  {
    name: 'qs',
    for: 'nested query strings',
    top: "import qs from 'qs';",
    body: 'return qs.stringify({ a: { b: [1, 2] } }, { encode: false });',
    gives: 'a[b][0]=1&a[b][1]=2',
  },
  {
    name: 'semver',
    for: 'versions',
    top: "import semver from 'semver';",
    body: 'return semver.satisfies("1.2.3", "^1.0.0");',
    gives: true,
  },
  {
    name: 'decimal.js',
    for: 'money and exact numbers',
    top: "import { Decimal } from 'decimal.js';",
    body: 'return new Decimal("0.1").plus("0.2").toString();',
    gives: '0.3',
  },
  {
    name: '@noble/hashes',
    for: 'hashes without waiting',
    top: "import { sha256 } from '@noble/hashes/sha2.js'; import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';",
    body: 'return bytesToHex(sha256(utf8ToBytes("a"))).slice(0, 8);',
    gives: 'ca978112',
    note: '`crypto.subtle` is a global',
  },
  {
    name: 'fflate',
    for: 'zip and gzip',
    top: "import { gunzipSync, gzipSync, strFromU8, strToU8, unzipSync, zipSync } from 'fflate';",
    body: 'const zip = unzipSync(zipSync({ "a.txt": strToU8("hi") })); return [strFromU8(gunzipSync(gzipSync(strToU8("x")))), strFromU8(zip["a.txt"] ?? new Uint8Array())];',
    gives: ['x', 'hi'],
    note: 'the functions without workers (`…Sync`)',
  },
  {
    name: 'jose',
    for: 'JWT, JWS, JWE',
    top: "import { jwtVerify, SignJWT } from 'jose';",
    body: 'const key = new TextEncoder().encode("a".repeat(32)); const jwt = await new SignJWT({ a: 1 }).setProtectedHeader({ alg: "HS256" }).sign(key); return (await jwtVerify(jwt, key)).payload;',
    gives: { a: 1 },
    note: 'signing needs the key itself: `secrets: "value"`',
  },
  {
    name: 'aws4fetch',
    for: 'AWS and S3 requests',
    top: "import { AwsClient } from 'aws4fetch';",
    body: 'const aws = new AwsClient({ accessKeyId: "a", secretAccessKey: "b", region: "eu-central-1", service: "s3" }); const signed = await aws.sign("https://bucket.s3.example.com/key"); return signed.headers.get("authorization")?.slice(0, 16);',
    gives: 'AWS4-HMAC-SHA256',
    note: 'signing needs the key itself: `secrets: "value"`',
  },
  {
    name: 'eventsource-parser',
    for: 'server-sent events of an answer',
    top: "import { createParser } from 'eventsource-parser';",
    body: 'const seen: string[] = []; const parser = createParser({ onEvent: (event) => { seen.push(event.data); } }); parser.feed("data: a\\n\\ndata: b\\n\\n"); return seen;',
    gives: ['a', 'b'],
  },
  {
    name: 'axios',
    for: 'HTTP',
    top: "import axios from 'axios';",
    body: 'return (await axios.get("https://api.example.com/json", { adapter: "fetch" })).data;',
    gives: { path: '/json' },
    net: 'api.example.com',
    note: 'over `fetch`',
  },
  {
    name: 'ky',
    for: 'HTTP with retries',
    top: "import ky from 'ky';",
    body: 'return await ky.get("https://api.example.com/json").json();',
    gives: { path: '/json' },
    net: 'api.example.com',
  },
  {
    name: 'graphql-request',
    for: 'GraphQL',
    top: "import { GraphQLClient } from 'graphql-request';",
    body: 'return await new GraphQLClient("https://api.example.com/graphql").request("{ a }");',
    gives: { a: 1 },
    net: 'api.example.com',
  },
  {
    name: 'stripe',
    for: 'the Stripe API',
    top: "import Stripe from 'stripe';",
    body: 'const stripe = new Stripe("sk_test_1", { httpClient: Stripe.createFetchHttpClient(), maxNetworkRetries: 0 }); return (await stripe.customers.retrieve("cus_1")).id;',
    gives: 'cus_1',
    net: 'api.stripe.com',
    note: 'with `httpClient: Stripe.createFetchHttpClient()`',
  },
  {
    name: 'p-retry',
    for: 'trying again',
    top: "import pRetry from 'p-retry';",
    body: 'let n = 0; return await pRetry(async () => { n += 1; if (n < 2) throw new Error("no"); return n; }, { minTimeout: 1 });',
    gives: 2,
    note: 'also: `retry` of the workflow',
  },
  {
    name: 'p-limit',
    for: 'so many at once',
    top: "import pLimit from 'p-limit';",
    body: 'const limit = pLimit(2); return await Promise.all([1, 2, 3].map((n) => limit(async () => n * 2)));',
    gives: [2, 4, 6],
  },
  {
    name: 'worker-mailer',
    for: 'SMTP',
    top: "import { WorkerMailer } from 'worker-mailer';",
    body: 'return typeof WorkerMailer.connect;',
    gives: 'function',
    note: 'over `ctx.connect`; the first-party connector `email` uses it',
  },
  {
    name: 'postgres',
    for: 'PostgreSQL',
    top: "import postgres from 'postgres';",
    body: "const sql = postgres({ host: '127.0.0.1', port: input.port, user: 'u', database: 'd', ssl: false, max: 1, fetch_types: false, connect_timeout: 5 }); try { return (await sql.unsafe('select 1 as one').simple()).map((row) => row.one); } finally { await sql.end({ timeout: 1 }); }",
    gives: ['1'],
    note: 'over `ctx.connect`; `secrets: "value"`, since the password goes into the protocol; close it (`sql.end()`) before the action returns',
  },
];

export const FAILS: readonly Fails[] = [
  {
    name: 'ajv',
    why: 'it makes code of each schema, and a connector cannot evaluate code',
    instead: '`input` and `output` are checked by the host; in the code `zod`, `valibot` or `typebox`',
    top: "import { Ajv } from 'ajv';",
    body: 'return new Ajv().compile({ type: "string" })("x");',
    says: /cannot evaluate|Function|eval|constructor/i,
  },
  {
    name: 'handlebars',
    why: 'it makes code of each template',
    instead: '`mustache` or `liquidjs`; or templates that are precompiled',
    top: "import Handlebars from 'handlebars';",
    body: 'return Handlebars.compile("Hello {{name}}")({ name: "Ada" });',
    says: /cannot evaluate|Node module|Function|constructor/i,
  },
  {
    name: 'eta',
    why: 'it makes code of each template',
    instead: '`mustache` or `liquidjs`',
    top: "import { Eta } from 'eta';",
    body: 'return new Eta().renderString("Hello <%= it.name %>", { name: "Ada" });',
    says: /cannot evaluate|Node module|Function|constructor/i,
  },
];
