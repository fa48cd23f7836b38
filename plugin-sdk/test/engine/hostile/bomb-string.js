// Long strings, flattened so that they are really held.
module.exports = {
  actions: {
    main: {
      run() {
        const all = [];
        for (let text = 'xyz'; ; text = text.length > 2 ** 24 ? `${all.length}` : text + text) {
          all.push(text);
          text.charCodeAt(3);
        }
      },
    },
  },
};
