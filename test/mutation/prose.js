/** Text with a space in it, where an error is made or thrown: to reword it changes nothing that code relies on. */
class Prose {
  shouldIgnore(path) {
    const isProse =
      (path.isStringLiteral() && path.node.value.includes(" ")) ||
      (path.isTemplateLiteral() && path.node.quasis.some(({ value }) => value.raw.includes(" ")));
    if (isProse && path.findParent((above) => above.isThrowStatement() || makesError(above))) return "prose";
  }
}

function makesError(path) {
  return path.isNewExpression() && /Error$/.test(path.node.callee.name ?? "");
}

export const strykerPlugins = [{ kind: "Ignore", name: "prose", factory: () => new Prose() }];
