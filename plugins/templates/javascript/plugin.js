// A bar for every number.

const HIGHEST = 1000;

// One number a line; blank lines are skipped.
function parse(source) {
  const heights = [];
  const faults = [];
  source.split('\n').forEach((text, index) => {
    const word = text.trim();
    if (word === '') return;
    if (/^[0-9]{1,9}$/.test(word) && Number(word) <= HIGHEST) {
      heights.push(Number(word));
      return;
    }
    const message = `\`${word}\` is not a whole number from 0 to ${HIGHEST}`;
    const indent = [...text].length - [...text.trimStart()].length;
    faults.push(fault('number', message, index + 1, indent + 1));
  });
  if (heights.length === 0 && faults.length === 0) {
    faults.push(fault('empty', 'there is no number in it', 1, 1));
  }
  return { heights, faults };
}

function fault(code, message, line, column) {
  return { severity: 'error', code, message, start: { line, column }, end: undefined };
}

function svg(heights) {
  const width = heights.length * 12;
  const height = Math.max(1, ...heights);
  const bars = heights.map(
    (bar, n) => `<rect x='${n * 12}' y='${height - bar}' width='10' height='${bar}'/>`,
  );
  const head = `viewBox='0 0 ${width} ${height}' width='${width}' height='${height}'`;
  const text = `<svg xmlns='http://www.w3.org/2000/svg' ${head}>${bars.join('')}</svg>`;
  return { width, height, text };
}

// The runtime has no TextEncoder; a picture of ASCII needs none.
function bytes(text) {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export const rendering = {
  describe() {
    return {
      id: 'plugin-name',
      name: 'plugin-name',
      version: '0.1.0',
      author: 'You',
      licence: 'MIT',
      description: 'A bar for every number',
      handles: ['plugin-name'],
      attributes: [],
    };
  },

  validate(_format, source) {
    return parse(source).faults;
  },

  // What is thrown is the error of the call.
  render(request) {
    const { heights, faults } = parse(request.source);
    if (faults.length > 0) {
      throw {
        kind: 'invalid-input',
        message: 'the source has faults',
        diagnostics: faults,
        retryAfterMs: undefined,
      };
    }
    const { width, height, text } = svg(heights);
    return { mediaType: 'image/svg+xml', width, height, data: bytes(text), warnings: [] };
  },
};
