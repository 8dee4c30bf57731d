"""From `module:app` to the App, with the reason in one line if there is none."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from pathlib import Path

from slackmq.app import App
from slackmq.errors import ConfigurationError

__all__ = ["load"]


def load(reference: str) -> App:
    """Import an App; the current folder comes first on the path.

    Args:
        reference: "module:name", the module with dots if it is in a package.

    Raises:
        ConfigurationError: no such module or name, it is no App, or the import failed.
    """
    name, colon, attribute = reference.partition(":")
    if not colon or not name or not attribute:
        raise ConfigurationError(
            f"{reference!r} names no app.", remedy="Write it as module:name, as in home:app for `app` in home.py."
        )
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    found: object = _module(name)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise ConfigurationError(
                f"{name} has no {attribute}.", remedy=f"Its apps: {', '.join(_apps(found)) or 'none'}."
            )
        found = getattr(found, part)
    if not isinstance(found, App):
        raise ConfigurationError(
            f"{reference} is no App but {type(found).__name__}.", remedy="It must be what slackmq.App(…) returns."
        )
    return found


def _module(name: str) -> object:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ConfigurationError(
                f"There is no module {name!r}.",
                remedy=f"Start the command where {name.replace('.', '/')}.py is; here is {Path.cwd()}.",
            ) from error
        raise _broken(name, error) from error
    except (Exception, SystemExit) as error:
        raise _broken(name, error) from error


def _broken(name: str, error: BaseException) -> ConfigurationError:
    """What the import raised, and where in the module itself."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "importlib" not in frame.filename and frame.filename != __file__]
    place = f"{Path(own[-1].filename).name}:{own[-1].lineno}: " if own else ""
    return ConfigurationError(
        f"Importing {name} failed: {place}{type(error).__name__}: {error}",
        remedy="--debug shows the whole way there.",
    )


def _apps(module: object) -> list[str]:
    return sorted(name for name, value in vars(module).items() if isinstance(value, App))
