"""The command line of logmill, as a list of words. Independent of Airflow and of any shell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Value = str | int | float | bool | None | Sequence[str]

# Commands that take --day.
DAY_COMMANDS = frozenset({"run", "plan", "register", "verify", "why", "diff"})
# Commands that take --summary-json.
SUMMARY_COMMANDS = frozenset({"run", "publish", "backfill"})
# Commands that take a table name but no log type.
LAKE_COMMANDS = frozenset({"register", "verify"})
# Commands that read raw logs and can therefore be limited to one source.
SOURCE_COMMANDS = frozenset({"run", "plan", "backfill", "status", "doctor"})


@dataclass(frozen=True)
class Source:
    """One source of raw logs, which feeds one table."""

    dataset: str
    table: str
    # Whether the config file names the table. Only then does --table find the source.
    named: bool = False

    def options(self, verb: str) -> dict[str, Value]:
        """The options that limit a command to this source."""
        if verb in LAKE_COMMANDS:
            return {"table": self.table}
        if verb not in SOURCE_COMMANDS:
            return {}
        return {"dataset": self.dataset} | ({"table": self.table} if self.named else {})


@dataclass(frozen=True)
class Command:
    """A command of logmill with its options, by their long names, written with `_` or `-`."""

    verb: str
    options: Mapping[str, Value] = field(default_factory=dict)
    config_file: str | None = None

    def arguments(self) -> list[str]:
        """The words that follow the name of the binary."""
        words = [self.verb, *options_of({"config": self.config_file})]
        return [*words, *options_of(self.options), "--log-format=json"]

    def with_options(self, **options: Value) -> "Command":
        """The same command with more options."""
        return Command(self.verb, {**self.options, **options}, self.config_file)


def options_of(options: Mapping[str, Value]) -> list[str]:
    """Options as words. True is a bare flag, None and False are left out, and a list repeats the option."""
    return [word for name, value in options.items() for word in words_of(name, value)]


def words_of(name: str, value: Value) -> list[str]:
    """One option as words. Name and value share one word, so that no value is taken for an option."""
    flag = "--" + name.replace("_", "-")
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    values = [value] if isinstance(value, str | int | float) else value
    return [f"{flag}={entry}" for entry in values]
