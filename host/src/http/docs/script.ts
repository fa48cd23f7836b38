/**
 * The script of the page at /docs: asks this host for its OpenAPI document and shows it. Plain DOM calls and text nodes only: names and
 * descriptions in the document come from users, and none of them is ever read as HTML.
 */
export const SCRIPT = String.raw`
'use strict';
const VERBS = ['get', 'post', 'put', 'patch', 'delete'];
let doc = null;
let key = '';

function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'on') for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// Text with its code spans.
function prose(text) {
  return String(text).split('${'`'}').map((part, i) => (i % 2 === 1 ? h('code', {}, part) : part));
}

function resolve(schema) {
  let seen = 0;
  while (schema && typeof schema === 'object' && typeof schema.$ref === 'string' && seen++ < 10) {
    schema = doc.components.schemas[schema.$ref.split('/').pop()];
  }
  return schema;
}

// One object out of allOf, so that its members show in one list.
function flat(schema) {
  const one = resolve(schema);
  if (!one || typeof one !== 'object' || !one.allOf) return one;
  const merged = { ...one, type: 'object', properties: { ...one.properties }, required: [...(one.required || [])] };
  for (const part of one.allOf.map(flat)) {
    Object.assign(merged.properties, part.properties);
    merged.required.push(...(part.required || []));
  }
  return merged;
}

function typeOf(schema) {
  const one = flat(schema);
  if (one === undefined || one === true || typeof one !== 'object') return 'any';
  if (one.const !== undefined) return JSON.stringify(one.const);
  const options = one.anyOf || one.oneOf;
  if (options) return options.map(typeOf).join(' or ');
  if (one.type === 'array') return 'list of ' + typeOf(one.items);
  return [].concat(one.type || 'any').join(' or ');
}

const CONSTRAINTS = ['format', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minItems', 'maxItems'];

function notes(schema) {
  const one = flat(schema) || {};
  const parts = [];
  if (Array.isArray(one.enum)) parts.push('one of ' + one.enum.map((value) => JSON.stringify(value)).join(', '));
  if (one.default !== undefined) parts.push('default ' + JSON.stringify(one.default));
  for (const name of CONSTRAINTS) if (one[name] !== undefined) parts.push(name + ' ' + one[name]);
  if (one.writeOnly) parts.push('never shown');
  return parts.join('; ');
}

function members(schema) {
  const one = flat(schema);
  if (!one || typeof one !== 'object') return null;
  if (one.type === 'array') return members(one.items);
  const branch = (one.anyOf || one.oneOf || []).find((option) => (resolve(option) || {}).properties);
  if (branch) return members(branch);
  return one.properties && Object.keys(one.properties).length > 0 ? one : null;
}

function schemaTable(schema, depth) {
  const one = members(schema);
  if (one === null) return h('p', { class: 'soft' }, typeOf(schema) + (notes(schema) ? '; ' + notes(schema) : ''));
  const rows = Object.entries(one.properties).map(([name, member]) => {
    const inner = depth < 4 && members(member) !== null;
    const description = (flat(member) || {}).description;
    const nested = inner
      ? h('details', { class: 'schema', on: { toggle: (event) => fill(event.target, () => schemaTable(member, depth + 1)) } }, h('summary', {}, 'members'))
      : null;
    return h('tr', {},
      h('td', {}, h('code', {}, name), (one.required || []).includes(name) ? h('span', { class: 'need' }, 'required') : null),
      h('td', {}, h('span', { class: 'soft' }, typeOf(member)), description ? h('p', {}, prose(description)) : null,
        notes(member) ? h('p', { class: 'soft' }, notes(member)) : null, nested));
  });
  return h('table', {}, h('tbody', {}, rows));
}

// Inner members are made when somebody looks: schemas may refer to each other.
function fill(details, make) {
  if (details.open && details.children.length === 1) details.append(make());
}

function example(schema, depth) {
  const one = flat(schema);
  if (!one || typeof one !== 'object' || depth > 5) return {};
  if (one.const !== undefined) return one.const;
  if (one.default !== undefined) return one.default;
  if (Array.isArray(one.examples) && one.examples.length > 0) return one.examples[0];
  if (Array.isArray(one.enum)) return one.enum[0];
  const options = one.anyOf || one.oneOf;
  if (options) return example(options[0], depth + 1);
  const type = [].concat(one.type || (one.properties ? 'object' : 'any'))[0];
  if (type === 'object') {
    const required = one.required || [];
    const names = Object.keys(one.properties || {}).filter((name) => depth === 0 || required.includes(name) || Object.keys(one.properties).length <= 4);
    return Object.fromEntries(names.filter((name) => required.length === 0 || required.includes(name) || depth > 1).map((name) => [name, example(one.properties[name], depth + 1)]));
  }
  if (type === 'array') return one.items && (one.minItems || 0) > 0 ? [example(one.items, depth + 1)] : [];
  if (type === 'integer' || type === 'number') return one.minimum ?? (one.exclusiveMinimum !== undefined ? one.exclusiveMinimum + 1 : 1);
  if (type === 'boolean') return true;
  if (type === 'null') return null;
  return { email: 'alex@example.com', uri: 'https://example.com/', 'date-time': '2026-01-31T12:00:00Z', date: '2026-01-31' }[one.format] || 'text';
}

function quote(text) {
  return "'" + text.replaceAll("'", "'\\''") + "'";
}

function curlOf(verb, path, operation) {
  const lines = ['curl' + (verb === 'get' ? '' : ' -X ' + verb.toUpperCase()) + ' ' + quote(location.origin + path)];
  if (!operation.security && key !== '') lines.push('-H ' + quote('authorization: Bearer $GOFLOW_KEY').replaceAll("'", '"'));
  const media = operation.requestBody && operation.requestBody.content['application/json'];
  if (media && operation.operationId === 'installPlugin') lines.push("-H 'content-type: application/json'", '--data-binary @plugin.goflow.json');
  else if (media) lines.push("-H 'content-type: application/json'", '-d ' + quote(JSON.stringify(example(media.schema, 0))));
  return lines.join(' \\\n  ');
}

function copyable(text) {
  const button = h('button', { type: 'button', on: { click: copy } }, 'Copy');
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Select and copy';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  }
  return h('div', { class: 'copy' }, h('pre', {}, text), button);
}

function operationBody(verb, path, operation) {
  const parts = [operation.description ? h('p', {}, prose(operation.description)) : null];
  parts.push(h('p', { class: 'soft' }, operation.security ? 'Public.' : 'Needs the role ' + (operation['x-role'] || 'trigger') + '.'));
  if (operation.parameters.length > 0) {
    parts.push(h('h3', {}, 'Path, query and headers'));
    parts.push(h('table', {}, h('tbody', {}, operation.parameters.map((parameter) => h('tr', {},
      h('td', {}, h('code', {}, parameter.name), parameter.required ? h('span', { class: 'need' }, 'required') : null),
      h('td', {}, h('span', { class: 'soft' }, parameter.in + ', ' + typeOf(parameter.schema)), parameter.description ? h('p', {}, prose(parameter.description)) : null,
        notes(parameter.schema) ? h('p', { class: 'soft' }, notes(parameter.schema)) : null))))));
  }
  if (operation.requestBody) parts.push(h('h3', {}, 'Body'), schemaTable(operation.requestBody.content['application/json'].schema, 0));
  parts.push(h('h3', {}, 'Try it'), copyable(curlOf(verb, path, operation)));
  for (const [status, answer] of Object.entries(operation.responses)) {
    if (status === 'default') continue;
    const media = Object.values(answer.content || {})[0];
    parts.push(h('h3', {}, status + ' ', ...prose(answer.description)));
    if (media && status < '300') parts.push(schemaTable(media.schema, 0));
  }
  return parts;
}

function operationCard(verb, path, operation) {
  const body = h('div', {});
  const card = h('details', { class: 'op', id: operation.operationId, on: { toggle: () => { if (card.open && body.children.length === 0) body.append(...operationBody(verb, path, operation).filter(Boolean)); } } },
    h('summary', {}, h('span', { class: 'verb ' + verb }, verb.toUpperCase()), h('span', { class: 'path' }, path), h('span', { class: 'what' }, operation.summary)), body);
  return card;
}

function open(id) {
  const card = document.getElementById(id);
  if (card && card.tagName === 'DETAILS') card.open = true;
}

function render() {
  const main = document.querySelector('main');
  const links = document.querySelector('.links');
  main.replaceChildren(h('p', { class: 'soft' }, 'Errors are problem documents (RFC 9457). Every answer has an X-Trace-Id; the same id is in the log lines of what it did. The document of this page is ', h('a', { href: '/api/openapi.json' }, h('code', {}, '/api/openapi.json')), '.'));
  links.replaceChildren();
  for (const tag of doc.tags) {
    const cards = [];
    const names = [];
    for (const [path, item] of Object.entries(doc.paths)) for (const verb of VERBS) {
      const operation = item[verb];
      if (!operation || operation.tags[0] !== tag.name) continue;
      cards.push(operationCard(verb, path, operation));
      names.push(h('a', { href: '#' + operation.operationId, title: path, on: { click: () => open(operation.operationId) } }, operation.summary));
    }
    if (cards.length === 0) continue;
    main.append(h('section', {}, h('h2', {}, tag.name), ...cards));
    links.append(h('div', {}, h('strong', {}, tag.name), ...names));
  }
  open(decodeURIComponent(location.hash.slice(1)));
}

function filter(text) {
  const wanted = text.trim().toLowerCase();
  for (const section of document.querySelectorAll('main section')) {
    let shown = 0;
    for (const card of section.querySelectorAll('details.op')) {
      card.hidden = !card.querySelector('summary').textContent.toLowerCase().includes(wanted);
      if (!card.hidden) shown++;
    }
    section.hidden = shown === 0;
  }
}

function askForKey(reason) {
  const input = h('input', { type: 'password', autocomplete: 'off', placeholder: 'API key', 'aria-label': 'API key' });
  const form = h('form', { on: { submit: (event) => { event.preventDefault(); key = input.value.trim(); void load(); } } }, input, h('button', {}, 'Show the API'));
  document.querySelector('main').replaceChildren(h('p', {}, reason), form, h('p', { class: 'soft' }, 'The key stays in this page and is forgotten when you leave it.'));
  input.focus();
}

async function load() {
  try {
    const response = await fetch('/api/openapi.json', key === '' ? {} : { headers: { authorization: 'Bearer ' + key } });
    const body = await response.json();
    if (response.ok) {
      doc = body;
      render();
    } else askForKey(body.detail || 'The host answered ' + response.status + '.');
  } catch (error) {
    askForKey('The host does not answer: ' + error.message);
  }
}

document.querySelector('nav input').addEventListener('input', (event) => filter(event.target.value));
void load();
`;
