import { Converter } from "typedoc";

/** Writes the class that `@throws {Class}` names, which the Markdown plugin leaves out. */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const { comment } of Object.values(project.reflections)) {
      for (const { tag, typeAnnotation, content } of comment?.blockTags ?? []) {
        if (tag !== "@throws" || typeAnnotation === undefined) continue;
        content.unshift(
          { kind: "code", text: `\`${typeAnnotation.slice(1, -1)}\`` },
          { kind: "text", text: ": " },
        );
      }
    }
  });
}
