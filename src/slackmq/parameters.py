"""A handler's parameters: read once from its signature, then used to check and convert arguments at the door."""

from __future__ import annotations

import inspect
import types
import typing
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from slackmq.depends import Needs
from slackmq.errors import ArgumentsRejected, ConfigurationError
from slackmq.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from slackmq.message import Json

__all__ = ["Parameters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a function wants, apart from its `Job` and what it depends on.

    Attributes:
        name: the function's name, for error messages.
        signature: the function's signature, with its annotations as types instead of strings.
        job: the name of the parameter that gets the `Job`; None if the function asks for none.
        needs: what is opened for each attempt.
    """

    name: str
    signature: inspect.Signature
    job: str | None
    needs: Needs

    @classmethod
    def read(cls, function: Callable[..., object], *, untyped: object) -> Parameters:
        """Read a function's parameters; those without an annotation count as annotated `untyped`.

        Raises:
            ConfigurationError: no message could ever be turned into such arguments.
        """
        signature, hints = inspect.signature(function), _hints(function)
        found: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise ConfigurationError(
                    f"{place(function)}: {parameter} has no names that a message could give arguments to.",
                    remedy="Name each parameter.",
                )
            found.append(parameter.replace(annotation=hints.get(parameter.name, untyped)))
        jobs = [parameter.name for parameter in found if _is_job(parameter.annotation)]
        if len(jobs) > 1:
            raise ConfigurationError(f"{place(function)}: {' and '.join(jobs)} both ask for the Job; one is enough.")
        signature = signature.replace(parameters=found, return_annotation=signature.empty)
        awaits = inspect.iscoroutinefunction(function)
        needs = Needs.read(signature.parameters, awaits=awaits, owner=place(function))
        for parameter in found:
            if parameter.name not in (*jobs, *needs.openers):
                _check_annotation(function, parameter)
        return cls(name=function.__name__, signature=signature, job=jobs[0] if jobs else None, needs=needs)

    @property
    def posted(self) -> inspect.Signature:
        """The signature without the `Job` and what is opened: what a message must bring."""
        here = {self.job, *self.needs.openers}
        return self.signature.replace(parameters=[p for p in self.signature.parameters.values() if p.name not in here])

    @property
    def required(self) -> frozenset[str]:
        """The names of the arguments that a message must bring, because they have no default."""
        return frozenset(p.name for p in self.posted.parameters.values() if p.default is p.empty)

    def body(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, Json]:
        """The body of a message for a call with these arguments; checked as the worker will check it.

        Raises:
            ArgumentsRejected: the call does not fit, or an argument cannot be written as JSON.
        """
        try:
            given = self.posted.bind(*args, **kwargs).arguments
        except TypeError as error:
            keyed = "key" in kwargs and "key" not in self.signature.parameters
            remedy = f'For an idempotency key write {self.name}.keyed("…").post(…).' if keyed else ""
            raise ArgumentsRejected(f"{self} cannot be called so: {error}.", remedy=remedy) from error
        body: dict[str, Json] = {}
        wrong: list[str] = []
        for name, value in given.items():
            try:
                body[name] = msgspec.json.decode(msgspec.json.encode(value, enc_hook=_encode))
            except (TypeError, ValueError, OverflowError, RecursionError) as error:
                wrong.append(f"{name}: cannot be written as JSON ({error})")
        self._reject(wrong)
        self.convert(body, strict=True)
        return body

    def convert(self, body: Mapping[str, object], *, strict: bool) -> dict[str, object]:
        """The arguments in a message's body, as the types that the function asks for.

        Args:
            body: the arguments by name.
            strict: False turns text into numbers, booleans and so on, as a person's typing needs.

        Raises:
            ArgumentsRejected: names every argument that does not fit.
        """
        parameters = self.posted.parameters
        arguments: dict[str, object] = {}
        wrong = [f"{name}: missing" for name in parameters if name in self.required and name not in body]
        for name, value in body.items():
            parameter = parameters.get(name)
            if parameter is None:
                wrong.append(f"{name}: there is no such parameter")
                continue
            try:
                arguments[name] = msgspec.convert(value, parameter.annotation, strict=strict, dec_hook=_decode)
            except msgspec.ValidationError as error:
                wrong.append(f"{name}: expected {_expected(parameter.annotation)} ({error})")
        self._reject(wrong)
        return arguments

    def result(self, function: Callable[..., object], told: str) -> object:
        """A handler's result from JSON, as the type that its function says it returns; "" stands for None.

        Raises:
            ValueError: it is not of this type.
        """
        hint = _returned(function)
        if not told:
            return "" if hint is str else None
        return msgspec.convert(msgspec.json.decode(told), hint, dec_hook=_decode)

    def call(self, function: Callable[..., object], arguments: Mapping[str, object], job: Job) -> object:
        """Call the function with converted arguments, and the job where it asks for it."""
        bound = self.signature.bind_partial()
        bound.arguments.update(arguments)
        if self.job is not None:
            bound.arguments[self.job] = job
        bound.apply_defaults()
        return function(*bound.args, **bound.kwargs)

    def _reject(self, wrong: Iterable[str]) -> None:
        """Raise if anything is wrong."""
        if reasons := "; ".join(wrong):
            raise ArgumentsRejected(f"The arguments do not fit {self}: {reasons}.")

    def __str__(self) -> str:
        return f"{self.name}{self.posted}"


def place(function: Callable[..., object]) -> str:
    """Where a function is defined, as "file.py:12 name"."""
    code: types.CodeType | None = getattr(inspect.unwrap(function), "__code__", None)
    name = getattr(function, "__qualname__", repr(function))
    return f"{code.co_filename}:{code.co_firstlineno} {name}" if code else name


def _hints(function: Callable[..., object]) -> dict[str, Any]:
    """The annotations of the parameters as types; the return type is left alone, nobody needs it at run time."""
    plain = inspect.unwrap(function)
    plain = getattr(plain, "__func__", plain)
    bare = types.SimpleNamespace(__annotations__={k: v for k, v in plain.__annotations__.items() if k != "return"})
    try:
        return typing.get_type_hints(bare, globalns=plain.__globals__, include_extras=True)
    except NameError as error:
        raise ConfigurationError(
            f"{place(function)}: the annotation {error.name!r} is not defined when the program runs.",
            remedy="Import it at the top of the module, outside `if TYPE_CHECKING:`.",
        ) from error


def _returned(function: Callable[..., object]) -> Any:
    """The type of a function's result; Any where it says nothing that is known when the program runs."""
    plain = inspect.unwrap(function)
    plain = getattr(plain, "__func__", plain)
    bare = types.SimpleNamespace(__annotations__={"return": plain.__annotations__.get("return", Any)})
    try:
        return typing.get_type_hints(bare, globalns=plain.__globals__, include_extras=True)["return"]
    except NameError:
        return Any


def _is_job(hint: object) -> bool:
    """True for `Job` and `Job | None`."""
    return hint is Job or set(typing.get_args(hint)) == {Job, types.NoneType}


def _check_annotation(function: Callable[..., object], parameter: inspect.Parameter) -> None:
    """Refuse a parameter that JSON cannot be turned into."""
    try:
        msgspec.json.schema(parameter.annotation, schema_hook=_schema)
    except Exception as error:  # msgspec has no error of its own for this, and walks through foreign classes
        raise ConfigurationError(
            f"{place(function)}: no message can give {parameter} its value ({str(error).splitlines()[-1]}).",
            remedy="Use str, int, float, bool, Path, an Enum, a Literal, a dataclass, or lists and dicts of these.",
        ) from error


def _expected(hint: object) -> str:
    """What a person should write: the values of an Enum, the name of any other type."""
    written = inspect.formatannotation(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " or ".join(str(member.value) for member in hint)
    return written


def _schema(kind: type) -> dict[str, object]:
    """The answer to msgspec about types it does not know: paths are text, nothing else is ours."""
    if issubclass(kind, PurePath):
        return {"type": "string"}
    raise NotImplementedError  # what msgspec asks of a schema_hook for a type that it does not know


def _encode(value: object) -> object:
    """A value that msgspec cannot write."""
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not supported")


def _decode(kind: type, value: object) -> object:
    """A value of a type that msgspec cannot read."""
    if issubclass(kind, PurePath) and isinstance(value, str):
        return kind(value)
    raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
