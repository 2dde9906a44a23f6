// Reads a list of {grammar, sql} from standard input, and prints a list with the errors of each statement.
import { HiveSQL, TrinoSQL } from "dt-sql-parser";

const grammars = { hive: new HiveSQL(), trino: new TrinoSQL() };
let input = "";
process.stdin.on("data", (piece) => (input += piece));
process.stdin.on("end", () => {
  const verdicts = JSON.parse(input).map(({ grammar, sql }) =>
    grammars[grammar].validate(sql).map((error) => `${error.startLine}:${error.startColumn} ${error.message}`),
  );
  process.stdout.write(JSON.stringify(verdicts));
});
