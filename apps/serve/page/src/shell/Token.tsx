// The service wants a token (its --token-file): asked for once, kept as long as the tab.
import { useState } from "preact/hooks";
import { setToken, token, wantsToken } from "../base/client";

export function Token({ again }: { again: () => void }) {
  const [text, setText] = useState("");
  if (!wantsToken.value) return null;
  return (
    <form
      class="token" aria-label="Token"
      onSubmit={(e) => {
        e.preventDefault();
        setToken(text);
        again();
      }}
    >
      <label for="token">{token.value ? "The service does not take this token. Another:" : "This service wants a token:"}</label>
      <input id="token" type="password" autocomplete="off" value={text} onInput={(e) => setText(e.currentTarget.value)} />
      <button class="main" disabled={!text.trim()}>Use it</button>
    </form>
  );
}
