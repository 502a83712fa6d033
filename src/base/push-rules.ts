/** The options of a push beyond sending what differs. The same type serves from the command line to the tree. */
export interface PushRules {
  /** What members delete: nothing; also what the sender does not have; or only that, and nothing is sent. */
  readonly deletes: "nothing" | "also" | "only";
  /** A path that was given and that the sender does not have is deleted on the members. */
  readonly syncs: boolean;
  /** The delete limit does not apply. */
  readonly isForced: boolean;
  /** Contents are compared, not only sizes and times. */
  readonly comparesContents: boolean;
  /** Members report how entries differ. */
  readonly isCheck: boolean;
  /** Extended attributes are sent as well. */
  readonly sendsAttributes: boolean;
}
