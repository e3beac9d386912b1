// All requests to the service.  A call is never repeated by itself: whoever asked decides.

let credential = null;
let source = "console";

export class Problem extends Error {
  constructor(status, members = {}, retryAfter = 0) {
    super(members.detail ?? "");
    this.status = status;
    this.members = members;
    this.type = (members.type ?? "").replace("/problems/", "");
    this.detail = members.detail ?? "";
    this.requestId = members.request_id ?? "";
    this.retryAfter = retryAfter;
  }
}

// The audit log shows by `id` what came through this page.
export function useCredential(text, id = "") {
  credential = text;
  source = id ? `console-${id}` : "console";
}

export const randomHex = (bytes) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// call("secret/list", {…}) → the answer's members.  Throws a Problem; status 0 if there was no answer, or if it
// came after the console was locked.
export async function call(path, body = {}, options = {}) {
  const { bearer = credential, method = "POST", keepalive = false } = options;
  const headers = { "X-Request-ID": `${source}-${randomHex(8)}` };
  if (method === "POST") headers["Content-Type"] = "application/json";
  if (bearer !== null) headers.Authorization = `Bearer ${bearer}`;
  const response = await send(path.startsWith("/") ? path : `/vault/${path}`, {
    method, headers, keepalive, body: method === "POST" ? JSON.stringify(body) : undefined,
    credentials: "omit", cache: "no-store", redirect: "error",
  });
  if (options.bearer === undefined && bearer !== credential) throw new Problem(0, { type: "/problems/locked" });
  if (response.ok) return response.members;
  if (response.status === 401 && bearer === credential && bearer !== null) {
    window.dispatchEvent(new Event("session-ended"));
  }
  throw new Problem(response.status, response.members, response.retryAfter);
}

async function send(url, request) {
  try {
    const response = await fetch(url, request);
    const members = response.headers.get("Content-Type")?.includes("json") ? await response.json() : {};
    const retryAfter = Number(response.headers.get("Retry-After")) || 1;
    return { ok: response.ok, status: response.status, members, retryAfter };
  } catch {
    throw new Problem(0);
  }
}
