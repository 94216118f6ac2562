/* Whoever asks the server comes again as it says: not before it is due, a few times, and never with the same change. */
"use strict";
(() => {
  const [PATIENCE, LEAST] = [30000, 3000];
  const STEPS = [1000, 2000, 4000];
  const CALM = new Set(["DB_POOL_EXHAUSTED", "CIRCUIT_BREAKER_OPEN", "SERVICE_UNAVAILABLE"]);
  const FEWER = { DB_POOL_EXHAUSTED: 0, CIRCUIT_BREAKER_OPEN: 1 };

  /* What of an answer decides; status 0 stands for none. */
  function reply(status, header) {
    const code = header("X-Lockstep-Code") || (status === 503 ? "SERVICE_UNAVAILABLE" : "");
    return { status, code, after: Number(header("Retry-After")) || 0 };
  }
  const NONE = reply(0, () => null);
  async function replyOf(answer) {
    if (!answer) return NONE;
    const told = reply(answer.status, (name) => answer.headers.get(name));
    if (!(answer.headers.get("Content-Type") || "").startsWith("application/json")) return told;
    const { error = {}, meta = {} } = await answer.clone().json().catch(() => ({}));
    return { ...told, code: error.code || told.code, after: told.after || Number(meta.retry_after_seconds) || 0 };
  }
  const good = ({ status }) => status > 0 && status < 400;
  const refusal = ({ status }) => status >= 400 && status < 500 && status !== 429;
  const often = (told) => (refusal(told) ? 0 : FEWER[told.code] ?? STEPS.length);
  const keyed = (headers) => new Headers(headers).has("Idempotency-Key");
  const harmless = ({ method = "GET", headers }) => method === "GET" || method === "HEAD" || keyed(headers);
  function wait(attempt, { status, code, after }) {
    const asked = status === 429 || status === 503 ? after * 1000 : 0;
    return Math.max(STEPS[Math.min(attempt, STEPS.length - 1)], asked, CALM.has(code) ? LEAST : 0);
  }

  function once(url, { patience = PATIENCE, most, signal, ...options }, attempt) {
    const headers = new Headers(options.headers);
    if (attempt) headers.set("X-Retry-Attempt", String(attempt));
    const signals = [AbortSignal.timeout(patience), ...(signal ? [signal] : [])];
    return fetch(url, { ...options, headers, signal: AbortSignal.any(signals) });
  }
  const pause = (milliseconds, signal) => new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    if (signal) signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
  /* As fetch, which it asks at most `most` times more. */
  async function ask(url, options = {}) {
    const most = harmless(options) ? options.most ?? STEPS.length : 0;
    for (let attempt = 0; ; attempt += 1) {
      let [answer, problem] = [null, null];
      try {
        answer = await once(url, options, attempt);
      } catch (lost) {
        if (options.signal && options.signal.aborted) throw lost;
        problem = lost;
      }
      const told = await replyOf(answer);
      if (good(told) || attempt >= Math.min(most, often(told))) {
        if (problem) throw problem;
        return answer;
      }
      await pause(wait(attempt, told), options.signal);
    }
  }

  /* What a page asks again and again, by its address: how often it failed since it was last answered, and when it is due. */
  const failed = new Map();
  let rest = 0; /* until when the server wants to be left alone, whatever is asked */
  function heard(place, told) {
    if (good(told)) { failed.delete(place); return; }
    const before = tries(place);
    const due = Date.now() + wait(before, told);
    failed.set(place, { tries: before + 1, due });
    if (CALM.has(told.code) || told.status === 429) rest = Math.max(rest, due);
  }
  const tries = (place) => (failed.has(place) ? failed.get(place).tries : 0);
  const due = (place) => Math.max(rest, failed.has(place) ? failed.get(place).due : 0);

  window.lockstep = Object.freeze({ ask, reply, replyOf, heard, tries, due });
})();
