import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonValue } from '@goflow/plugin-sdk/contract';
import { MAX_BUNDLE_BYTES } from '@goflow/plugin-sdk/contract';
import { GoflowError } from '../../core/errors.ts';
import { largeBodyTurn } from '../body/one-by-one.ts';
import { parseJson } from '../body/parse.ts';
import { hasBody, readBody } from '../body/read.ts';
import type { BodyKind } from '../route.ts';

export interface RequestBody {
  readonly json: JsonValue | undefined;
  readonly bytes: Uint8Array | undefined;
}

const NO_BODY: RequestBody = { json: undefined, bytes: undefined };
const EMPTY_OBJECT: RequestBody = { json: {}, bytes: undefined };

/** Reads what the route takes. Type and length are judged before the first byte is read. */
export async function readRequestBody(
  req: IncomingMessage,
  res: ServerResponse,
  kind: BodyKind,
  maxBody: number,
): Promise<RequestBody> {
  if (kind === 'none') return NO_BODY;
  if (hasBody(req)) {
    const encoding = req.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      throw new GoflowError(
        'UNSUPPORTED_MEDIA_TYPE',
        `a body with Content-Encoding "${encoding.slice(0, 40)}" is not read here; send it as it is`,
      );
    }
    checkType(req.headers['content-type'], kind);
  }
  const limit = kind === 'bundle' ? MAX_BUNDLE_BYTES : maxBody;
  // A client that asked first (`Expect: 100-continue`) sends its body only now.
  if (req.headers.expect !== undefined && Number(req.headers['content-length'] ?? 0) <= limit) res.writeContinue();
  const bytes = await readBody(req, limit);
  const turn = largeBodyTurn(bytes.length);
  if (turn !== null) await turn;
  if (kind === 'bundle') return { json: undefined, bytes };
  if (bytes.length > 0) return { json: parseJson(bytes), bytes };
  if (kind === 'json-or-empty') return EMPTY_OBJECT;
  throw new GoflowError('BAD_JSON', 'a JSON body is needed here, and the request has none');
}

/** Types that are read as JSON; the form type is what a plain `curl -d` sends. */
function checkType(header: string | undefined, kind: BodyKind): void {
  if (header === undefined || header === 'application/json' || header === '') return;
  const semicolon = header.indexOf(';');
  const type = (semicolon === -1 ? header : header.slice(0, semicolon)).trim().toLowerCase();
  const json =
    type === 'application/json' ||
    (kind !== 'bundle' && (type === 'application/x-www-form-urlencoded' || isJsonSuffix(type)));
  if (!json) {
    throw new GoflowError(
      'UNSUPPORTED_MEDIA_TYPE',
      `a body of type "${header.slice(0, 80)}" is not read here; send application/json`,
    );
  }
  const charset = semicolon === -1 ? null : charsetOf(header.slice(semicolon + 1));
  if (charset !== null && charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii') {
    throw new GoflowError('UNSUPPORTED_MEDIA_TYPE', `JSON is UTF-8, not "${charset.slice(0, 40)}"`);
  }
}

function isJsonSuffix(type: string): boolean {
  const slash = type.indexOf('/');
  return (
    slash > 0 && slash === type.lastIndexOf('/') && type.endsWith('+json') && type.length > slash + '+json'.length + 1
  );
}

function charsetOf(parameters: string): string | null {
  for (const parameter of parameters.split(';')) {
    const equals = parameter.indexOf('=');
    if (equals !== -1 && parameter.slice(0, equals).trim().toLowerCase() === 'charset') {
      return parameter
        .slice(equals + 1)
        .trim()
        .replaceAll('"', '')
        .toLowerCase();
    }
  }
  return null;
}
