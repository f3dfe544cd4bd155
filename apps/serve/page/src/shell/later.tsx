// A part of a screen that is loaded when it is first shown, so that the first paint does not wait for it.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Fault } from "./Working";

export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let there: ComponentType<P> | null = null;
  return function Later(props: P) {
    const [, shown] = useState(0);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (!there) load().then((found) => ((there = found), shown(1)), () => setFailed(true));
    }, []);
    const Part = there;
    return Part ? <Part {...props} /> : failed ? <Fault what="A part of this page could not be loaded: is the service still running?" /> : null;
  };
}
