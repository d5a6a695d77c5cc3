// A refused or failed request: the server's code and sentence, or "network".
export class ChatError extends Error {
  constructor(code, message, status = 0, retryAfter = 0) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const TIMEOUT = 20_000;

// The chat API of one server. Opens a session when one is needed, and a new one when the old has expired.
export class Api {
  constructor(server, memory, onRenewed) {
    this.server = server;
    this.memory = memory;
    this.onRenewed = onRenewed;
  }

  // The token of the session; several callers at once wait for the same one.
  token() {
    const session = this.memory.session;
    if (session) return Promise.resolve(session.token);
    this.opening ??= this.openSession().finally(() => (this.opening = null));
    return this.opening;
  }

  async openSession() {
    const { earlier } = this.memory;
    await this.keep(await this.request("POST", "/sessions", earlier ? { token: earlier, fresh: true } : {}));
    return this.memory.session.token;
  }

  // Take the remembered session up again, which also prolongs it; forget it where the server does.
  async resume() {
    const session = this.memory.session;
    if (!session) return false;
    try {
      await this.keep(await this.request("POST", "/sessions", { token: session.token }));
      return true;
    } catch (error) {
      if (error.status !== 401) throw error;
      this.forget(session.token);
      return false;
    }
  }

  async keep(response) {
    this.memory.session = await response.json();
    this.memory.earlier = this.memory.session.token;
  }

  forget(token) {
    if (this.memory.session?.token !== token) return;
    this.memory.session = null;
    this.memory.seen = 0;
    this.onRenewed();
  }

  async send(message) {
    const { client_id, text, press } = message;
    const response = await this.authorised("POST", "/messages", press ? { client_id, press } : { client_id, text });
    return response.json();
  }

  stop() {
    return this.authorised("POST", "/stop", {});
  }

  // For staff: the visitor is writing, or has read up to a message. What is lost of it is no loss.
  sign(body) {
    this.authorised("POST", "/signs", body).catch(() => {});
  }

  rate(messageId, helpful, comment) {
    const body = comment ? { helpful, comment } : { helpful };
    return this.authorised("PUT", `/messages/${encodeURIComponent(messageId)}/feedback`, body);
  }

  // First without a code, which is then sent to the number.
  move(number, code) {
    return this.authorised("POST", "/transfer-to-whatsapp", { number, consent: true, ...(code && { code }) });
  }

  async end() {
    return (await this.authorised("POST", "/end", {})).json();
  }

  async ending() {
    return (await this.authorised("POST", "/surveys", {})).json();
  }

  async answerSurvey(kind, score, comment) {
    return (await this.authorised("PUT", `/surveys/${kind}`, comment ? { score, comment } : { score })).json();
  }

  async authorised(method, path, body) {
    const token = await this.token();
    try {
      return await this.request(method, path, body, token);
    } catch (error) {
      if (error.status !== 401) throw error;
      this.forget(token);
      return this.request(method, path, body, await this.token());
    }
  }

  async request(method, path, body, token) {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const options = { method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT) };
    return checked(await this.fetch(path, options));
  }

  async fetch(path, options) {
    try {
      return await fetch(`${this.server}/api/chat${path}`, { credentials: "omit", cache: "no-store", ...options });
    } catch (error) {
      throw new ChatError("network", error.message);
    }
  }
}

export async function checked(response) {
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  throw new ChatError(problem.error?.code ?? "internal", problem.error?.message ?? "", response.status, retryAfter);
}
