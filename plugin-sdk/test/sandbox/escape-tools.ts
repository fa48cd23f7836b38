/**
 * Functions that the escape fixtures use inside the compartment, as text. `crawl` walks everything that can be reached from a
 * value (properties, getters, prototypes, constructors) and says where something evaluates code or is an object of Node.
 */
export const ESCAPE_TOOLS = `
const NODE_NAMES = new Set(['NodeError', 'Buffer', 'FastBuffer', 'EventEmitter', 'Timeout', 'Immediate', 'process', 'Worker', 'AsyncResource', 'Module']);
function evaluates(found) {
  try {
    const made = found('return 7');
    return typeof made === 'function' && made() === 7;
  } catch {
    return false;
  }
}
function nameOf(found) {
  const { value } = Object.getOwnPropertyDescriptor(found, 'name') ?? {};
  return typeof value === 'string' ? value : '';
}
function ofNode(found) {
  if (Object.getOwnPropertySymbols(found).some((symbol) => /^(nodejs[.]|k[A-Z])/.test(symbol.description ?? ''))) return true;
  const { value } = Object.getOwnPropertyDescriptor(found, 'constructor') ?? {};
  return NODE_NAMES.has(nameOf(found)) || (typeof value === 'function' && NODE_NAMES.has(nameOf(value)));
}
function reach(root, visit) {
  const seen = new Set();
  const queue = [[root, 'it']];
  while (queue.length > 0) {
    const [found, path] = queue.pop();
    if (found === null || (typeof found !== 'object' && typeof found !== 'function') || seen.has(found)) continue;
    seen.add(found);
    const verdict = visit(found, path);
    if (verdict) return verdict;
    queue.push([Object.getPrototypeOf(found), path + '.__proto__']);
    for (const key of Reflect.ownKeys(found)) {
      const { value, get, set } = Object.getOwnPropertyDescriptor(found, key);
      const at = path + '.' + String(key);
      queue.push([value, at], [get, at + '(get)'], [set, at + '(set)']);
      if (get) try { queue.push([Reflect.apply(get, root, []), at]); } catch {}
      if (get) try { queue.push([found[key], at]); } catch {}
    }
  }
  return null;
}
const tools = {
  reach,
  crawl(root) {
    try {
      return reach(root, (found, path) => {
        if (typeof found === 'function' && /Function|eval|constructor/i.test(path + nameOf(found)) && evaluates(found)) return path + ' evaluates code';
        return ofNode(found) ? path + ' is of Node' : null;
      });
    } catch (error) {
      return 'the crawl failed: ' + error.message;
    }
  },
};`;
