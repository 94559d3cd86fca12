"""The settings: one TOML file and `ORDERLOOM_...` variables, checked at start.

A variable is named after its place: `kafka.bootstrap` is `ORDERLOOM_KAFKA__BOOTSTRAP`; it wins over
the file. Nothing here is secret: keys stand in `accounts.toml` as references (runtime/accounts.py).
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as NoJson

from runtime.problems import Location, problem_lines
from runtime.secret import is_reference, secret_text
from runtime.trouble import SettingsError

PREFIX: Final = "ORDERLOOM_"
NESTED: Final = "__"
FILE_NAME: Final = "orderloom.toml"
FILE_VARIABLE: Final = "ORDERLOOM_CONFIG"
TESTS_PREFIX: Final = "ORDERLOOM_TEST_"
OTHER_VARIABLES: Final = frozenset({FILE_VARIABLE, "ORDERLOOM_CACHE", "ORDERLOOM_RESTARTS"})
MIB: Final = 1024 * 1024
MINUTE_MS: Final = 60_000
DAY_SECONDS: Final = 86_400
DAY_MS: Final = DAY_SECONDS * 1_000
SESSION_MS_MAX: Final = 30 * MINUTE_MS
"""The longest session that a broker takes as it comes (group.max.session.timeout.ms)."""

Port = Annotated[int, Field(ge=0, le=65_535)]
Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]


class Section(BaseModel):
    """A part of the settings: unknown keys are refused, nothing changes after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(Section):
    """The cluster. `security` is passed to librdkafka: `"sasl.mechanism" = "SCRAM-SHA-512"`, ...

    A value may be a reference, `"sasl.password" = "env:KAFKA_PASSWORD"`; no text form shows any.
    """

    bootstrap: str = "127.0.0.1:9092"
    security: dict[str, SecretStr] = {}
    replication: Positive = 1

    def client_security(self) -> dict[str, str]:
        """`security` for a client, its references followed. Raises SettingsError."""
        given = {key: value.get_secret_value() for key, value in self.security.items()}
        return {
            key: secret_text(text) if is_reference(text) else text for key, text in given.items()
        }

    @field_validator("bootstrap")
    @classmethod
    def _check_bootstrap(cls, text: str) -> str:
        if not all(re.fullmatch(r"[^\s:,]+:\d{1,5}", part) for part in text.split(",")):
            raise ValueError("write host:port, several separated by commas")
        return text


class BrokerSettings(Section):
    """The embedded broker, where there is no cluster. `port` 0 takes a free one."""

    port: Port = 9092
    heap_mib: Annotated[int, Field(ge=128)] = 768


class HttpSettings(Section):
    """Where each process answers `/healthz` and `/metrics`; `port` 0 takes a free one."""

    host: str = "127.0.0.1"
    port: Port = 0


class VenueSettings(Section):
    """One exchange. `rest` and `stream` replace the addresses by product (a simulator's, say).

    None means what the venue's own profile says. `questions_share` is the part of the rate limits
    that questions may use; `limits` replaces the capacity of a bucket by its name, for an IP whose
    limits differ from the published ones.
    """

    rest: dict[str, str] = {}
    stream: dict[str, str] = {}
    reconcile_seconds: Annotated[float, Field(gt=0, le=DAY_SECONDS, allow_inf_nan=False)] = 30.0
    grace_ms: Annotated[int, Field(ge=0, le=DAY_MS)] | None = None
    visibility_lag_ms: Annotated[int, Field(ge=0, le=DAY_MS)] | None = None
    questions_share: Share = 0.5
    limits: dict[str, Positive] = {}


class IngestSettings(Section):
    """Limits of the edge. A larger frame is a dead letter; a full queue stops reading sockets."""

    frame_bytes_max: Annotated[int, Field(ge=1, le=15 * MIB)] = 15 * MIB
    record_messages_max: Positive = 100
    record_bytes_max: Positive = 1 * MIB
    queue_messages_max: Positive = 10_000
    queue_bytes_max: Positive = 64 * MIB
    liveness_ms: Annotated[int, Field(ge=1, le=MINUTE_MS)] = 1_000


class ProcessSettings(Section):
    """Limits of a step, and the worker's group session."""

    step_messages_max: Positive = 2_000
    step_bytes_max: Positive = 16 * MIB
    step_ms_max: Annotated[int, Field(ge=1, le=MINUTE_MS)] = 1_000
    inbox_records_max: Positive = 4_000
    session_ms: Annotated[int, Field(ge=1_000, le=SESSION_MS_MAX)] = 6_000


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTED, extra="forbid", frozen=True
    )
    _file: ClassVar[Path | None] = None

    namespace: str = ""
    partitions: Annotated[int, Field(ge=1, le=1_000)] = 12
    data_dir: Path = Path("var")
    accounts_file: Path = Path("accounts.toml")
    log_level: str = "INFO"
    kafka: KafkaSettings = KafkaSettings()
    broker: BrokerSettings = BrokerSettings()
    http: HttpSettings = HttpSettings()
    ingest: IngestSettings = IngestSettings()
    process: ProcessSettings = ProcessSettings()
    venues: dict[str, VenueSettings] = {}

    def venue(self, name: str) -> VenueSettings:
        """The section of one venue; all defaults where the file has none."""
        return self.venues.get(name, VenueSettings())

    @field_validator("namespace")
    @classmethod
    def _check_namespace(cls, text: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9._-]{0,60}", text):
            raise ValueError("use letters, digits, dot, dash and underscore, such as prod.")
        return text

    @field_validator("log_level")
    @classmethod
    def _check_level(cls, text: str) -> str:
        if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("use DEBUG, INFO, WARNING or ERROR")
        return text.upper()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What wins, first to last: arguments, variables, the file."""
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, toml_file=cls._file),
        )


def load_settings(path: Path | None = None, **given: Any) -> Settings:
    """Read and check the settings; `given` wins over variables and file.

    The file is `path`, else the one that ORDERLOOM_CONFIG names, else `orderloom.toml` in the
    working directory if there is one. Raises SettingsError.
    """
    file = _settings_file(path)
    if lines := list(_strange_variables(os.environ)):
        raise SettingsError(lines)
    reading = type("Settings", (Settings,), {"_file": file})
    try:
        return Settings.model_validate(reading(**given).model_dump())
    except ValidationError as error:
        raise SettingsError(problem_lines(error, _source_of(file), _known_keys())) from None
    except NoJson as error:
        raise SettingsError([f"{error}: write that variable as JSON"]) from None
    except OSError as error:
        raise SettingsError([f"{file} cannot be read ({error.strerror}): correct it"]) from None
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, too long, too deep
        raise SettingsError([f"{file} is not TOML: {error}"]) from None


def _settings_file(path: Path | None) -> Path | None:
    named = path or (Path(os.environ[FILE_VARIABLE]) if FILE_VARIABLE in os.environ else None)
    if named is None:
        named = Path(FILE_NAME)
        if not named.exists():
            return None
    if not named.is_file():
        wrong = "is no file" if named.exists() else "does not exist"
        raise SettingsError([f"{named} {wrong}: name the settings file that is to be read"])
    return named


def variable_of(location: Location) -> str:
    """The variable that sets a key: `ORDERLOOM_KAFKA__BOOTSTRAP`."""
    return PREFIX + NESTED.join(str(part).upper() for part in location)


def _source_of(file: Path | None) -> Callable[[Location], str]:
    def source(location: Location) -> str:
        for end in range(len(location), 0, -1):
            if (variable := variable_of(location[:end])) in os.environ:
                return f"the variable {variable}"
        return str(file) if file else "the arguments"

    return source


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    for name, described in Settings.model_fields.items():
        kind = described.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield name, kind


def _known_keys() -> set[str]:
    sections = [kind.model_fields for _, kind in _sections()]
    return set(Settings.model_fields).union(VenueSettings.model_fields, *sections)


def _strange_variables(environment: Mapping[str, str]) -> Iterator[str]:
    """A misspelt variable would be passed over in silence: `ORDERLOOM_KAFKA_BOOTSTRAP`."""
    places = {variable_of((name,)) for name in Settings.model_fields}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or _is_other(variable):
            continue
        if variable.partition(NESTED)[0].upper() in places:
            continue
        yield f"the variable {variable} is no setting{_meant(variable)}"


def _is_other(variable: str) -> bool:
    return variable in OTHER_VARIABLES or variable.startswith(TESTS_PREFIX)


def _meant(variable: str) -> str:
    for name, kind in _sections():
        for key in kind.model_fields:
            if variable.upper() == PREFIX + f"{name}_{key}".upper():
                return f": did you mean {variable_of((name, key))}?"
    return ": remove it, or see `orderloom --help`"
