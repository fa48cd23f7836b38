import type Database from 'better-sqlite3';

/** What a column holds. */
export type Sql = string | number | Uint8Array | null;

/** One connection with its prepared statements. Statements are prepared at their first use, so that a start pays for none that it does not need. */
export class Db {
  readonly connection: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  constructor(connection: Database.Database) {
    this.connection = connection;
  }

  /** Carries out a statement that changes rows; answers how many. */
  change(sql: string, values: readonly Sql[] = []): number {
    return this.#prepare(sql).run(values).changes;
  }

  /** The first row, as a tuple; the caller knows what its statement selects. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- stands for a cast at every caller
  row<Row extends readonly Sql[]>(sql: string, values: readonly Sql[] = []): Row | null {
    return (this.#reader(sql).get(values) as Row | undefined) ?? null;
  }

  /** All rows, as tuples. */
  rows<Row extends readonly Sql[]>(sql: string, values: readonly Sql[] = []): Row[] {
    return this.#reader(sql).all(values) as Row[];
  }

  #reader(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    return this.#prepare(sql).raw(true);
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
