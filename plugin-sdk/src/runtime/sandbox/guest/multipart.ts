import { File, blobBytes, isBlob } from './blob.ts';
import { concatBytes, utf8, utf8Text } from './bytes.ts';
import { FormData } from './form-data.ts';
import { outer } from './outer.ts';

/** A form as `multipart/form-data` (RFC 7578), escaped as browsers do. */
export function encodeMultipart(form: FormData): { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string } {
  const boundary = `----goflow-${outer.randomUuid()}`;
  const pieces: Uint8Array[] = [];
  for (const [name, value] of form) {
    const disposition = `--${boundary}\r\ncontent-disposition: form-data; name="${escapeName(name)}"`;
    if (isBlob(value)) {
      const type = value.type === '' ? 'application/octet-stream' : value.type;
      const filename = value instanceof File ? value.name : 'blob';
      pieces.push(utf8(`${disposition}; filename="${escapeName(filename)}"\r\ncontent-type: ${type}\r\n\r\n`));
      pieces.push(blobBytes(value), utf8('\r\n'));
    } else {
      pieces.push(utf8(`${disposition}\r\n\r\n${value.replace(/\r?\n|\r/g, '\r\n')}\r\n`));
    }
  }
  pieces.push(utf8(`--${boundary}--\r\n`));
  return { bytes: concatBytes(pieces), type: `multipart/form-data; boundary=${boundary}` };
}

function escapeName(name: string): string {
  return name
    .replace(/\r?\n|\r/g, '\r\n')
    .replaceAll('\r', '%0D')
    .replaceAll('\n', '%0A')
    .replaceAll('"', '%22');
}

const CRLF_CRLF = utf8('\r\n\r\n');

/** Reads `multipart/form-data`. Throws a TypeError where it is not that. */
export function parseMultipart(bytes: Uint8Array, contentType: string): FormData {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const name = boundary?.[1] ?? boundary?.[2];
  if (name === undefined) throw new TypeError('the multipart content type names no boundary');
  const delimiter = utf8(`--${name}`);
  const form = new FormData();
  let at = find(bytes, delimiter, 0);
  while (at >= 0) {
    const start = at + delimiter.byteLength;
    if (bytes[start] === 0x2d && bytes[start + 1] === 0x2d) return form;
    const next = find(bytes, delimiter, start);
    const head = find(bytes, CRLF_CRLF, start);
    if (next < 0 || head < 0 || head > next) break;
    appendPart(form, utf8Text(bytes.slice(start, head)), bytes.slice(head + 4, Math.max(head + 4, next - 2)));
    at = next;
  }
  throw new TypeError('the multipart body is cut off or malformed');
}

function appendPart(form: FormData, head: string, content: Uint8Array): void {
  const name = /content-disposition:[^\r\n]*?[;\s]name="([^"\r\n]*)"/i.exec(head)?.[1];
  if (name === undefined) throw new TypeError('a part of the multipart body has no name');
  const filename = /content-disposition:[^\r\n]*[;\s]filename="([^"\r\n]*)"/i.exec(head)?.[1];
  const type = /content-type:\s*([^\r\n]+)/i.exec(head)?.[1];
  if (filename === undefined) form.append(unescapeName(name), utf8Text(content));
  else form.append(unescapeName(name), new File([content], unescapeName(filename), { type: type ?? 'text/plain' }));
}

function unescapeName(name: string): string {
  return name.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n');
}

function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] as number;
  for (let i = bytes.indexOf(first, from); i >= 0; i = bytes.indexOf(first, i + 1)) {
    let k = 1;
    while (k < wanted.byteLength && bytes[i + k] === wanted[k]) k++;
    if (k === wanted.byteLength) return i;
  }
  return -1;
}
