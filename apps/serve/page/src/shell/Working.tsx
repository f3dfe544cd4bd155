// What is being done, in words, and how far it is; never a bare spinner.
export function Working({ what, done, of }: { what: string; done?: number; of?: number }) {
  return (
    <p class="working" role="status">
      <span>{what}</span>
      {of ? <progress value={done ?? 0} max={of} aria-label={what} /> : <span class="beat" aria-hidden="true" />}
    </p>
  );
}

export function Fault({ what, children }: { what: string; children?: preact.ComponentChildren }) {
  return (
    <div class="fault" role="alert">
      <p>{what}</p>
      {children}
    </div>
  );
}
