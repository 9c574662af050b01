/** One command that arrived at a fake Redis. */
export interface LoggedCommand {
  /** Connections are numbered from 1 in the order in which they came. */
  readonly connection: number;
  readonly args: readonly string[];
  /** `SET a 1`. */
  readonly text: string;
  readonly user: string;
  readonly db: number;
  readonly protocol: 2 | 3;
  /** It had an effect, or gave what a read gives: it wasn't refused, and no fault came before it. */
  executed: boolean;
}
