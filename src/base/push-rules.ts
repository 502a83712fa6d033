/** What a push is asked to do beyond sending what differs: the same from the command line to the tree. */
export interface PushRules {
  /** Whether members delete what is not here: nothing, also, or only, where nothing is sent. */
  readonly deletes: "nothing" | "also" | "only";
  /** A path that is asked for and is not here is deleted there. */
  readonly syncs: boolean;
  /** However much is deleted, it is meant. */
  readonly isForced: boolean;
  /** Contents are compared, not only sizes and times. */
  readonly comparesContents: boolean;
  /** Members say how entries differ. */
  readonly isCheck: boolean;
  /** Extended attributes are sent, too. */
  readonly sendsAttributes: boolean;
}
