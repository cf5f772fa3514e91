/** Where the console is: the fragment after `#`, parsed. */

export type Route =
  | { page: "devices" }
  | { page: "device"; id: string }
  | { page: "events" }
  | { page: "diagram" }
  | { page: "plugins" }
  | { page: "unknown"; path: string };

export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#\/?/, "");
  const [head = "", ...rest] = path.split("/");
  if (head === "" || (head === "devices" && rest.length === 0)) return { page: "devices" };
  if (head === "devices" && rest.length === 1 && rest[0]) return { page: "device", id: decode(rest[0]) };
  if (head === "events" && rest.length === 0) return { page: "events" };
  if (head === "diagram" && rest.length === 0) return { page: "diagram" };
  if (head === "plugins" && rest.length === 0) return { page: "plugins" };
  return { page: "unknown", path };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

class Location {
  route = $state<Route>(parseRoute(location.hash));
}

export const place = new Location();

addEventListener("hashchange", () => (place.route = parseRoute(location.hash)));
