/** The list of parts that hear what happens to the node. */
import type { NodeEvent } from "../../engine/types.ts";

/** Called with each event; it must not wait. */
export type NodeEventListener = (event: NodeEvent) => void;

/**
 * Passes the events of the engine on to the parts of the daemon. Each part adds its own listener when it is built.
 *
 * Listeners are called in the order in which they were added, each to its end before the next. An error of a listener is a
 * broken invariant: the listeners behind it are not called, and the error ends the process.
 */
export class NodeEvents {
  private readonly listeners: NodeEventListener[] = [];

  /** Adds a listener behind those that are there. */
  listen(listener: NodeEventListener): void {
    this.listeners.push(listener);
  }

  /** Tells all listeners of an event. */
  tell(event: NodeEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}
