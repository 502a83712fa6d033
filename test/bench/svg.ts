/** As much of SVG as a chart needs. */

export type Attributes = Record<string, string | number>;

/** An element with others inside. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const opening: string = [name, ...Object.entries(attributes).map(attribute)].join(" ");
  return children.length === 0 ? `<${opening}/>` : `<${opening}>${children.join("")}</${name}>`;
}

export function text(attributes: Attributes, content: string): string {
  return element("text", attributes, escape(content));
}

/** A whole picture. Its style sheet knows `prefers-color-scheme`, also where the picture is shown as an image. */
export function picture(
  width: number,
  height: number,
  style: string,
  ...children: readonly string[]
): string {
  const frame: Attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
  };
  return `${element("svg", frame, "\n", element("style", {}, style), "\n", children.join("\n"), "\n")}\n`;
}

function attribute([name, value]: [string, string | number]): string {
  return `${name}="${escape(typeof value === "number" ? String(Math.round(value * 100) / 100) : value)}"`;
}

function escape(content: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return content.replace(/[&<>"]/g, (character) => names[character] ?? character);
}
