"""How Sphinx builds these pages: MyST text, furo's clothes, every reference checked."""

from __future__ import annotations

import ast
from functools import cache
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.addnodes import pending_xref
from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "SlackMQ"
version = release = version_of("slackmq")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.doctest", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "SlackMQ"
html_show_sphinx = False
html_show_copyright = False

nitpicky = True
default_role = "code"  # a single backtick in a docstring quotes code
autodoc_default_options = {"members": True, "member-order": "bysource", "show-inheritance": True}
autodoc_typehints = "signature"
autoclass_content = "class"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
add_module_names = False


@cache
def parsed(module: str) -> ast.Module:
    """A module's source as a tree; an empty one if there is no such module."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        spec = None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8")) if spec and spec.origin else ast.Module([], [])


def imported(module: str) -> dict[str, str]:
    """What the names in a module's annotations stand for: name -> full name, by the module's own imports."""
    tree = parsed(module)
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def assigned(module: str) -> set[str]:
    """The aliases and type variables of a module: they are read in place, and have no entry of their own."""
    tree = parsed(module)
    assignments = [node for node in tree.body if isinstance(node, ast.Assign)]
    return {target.id for node in assignments for target in node.targets if isinstance(target, ast.Name)}


def write_names_out(_app: Sphinx, doctree: nodes.document) -> None:
    """Python keeps an annotation as it was written; two rooms may have a class of the same name."""
    for node in doctree.findall(pending_xref):
        if node.get("refdomain") == "py" and (module := node.get("py:module")):
            node["reftarget"] = imported(module).get(node["reftarget"], node["reftarget"])


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | nodes.TextElement | None:
    """Link a name to where it is documented, if the room shows it under a shorter name than it is defined.

    A name that is not ours is somebody else's and stays plain text. One of ours must be found: returning None makes
    Sphinx complain.
    """
    if node.get("refdomain") != "py":
        return None
    target = str(node["reftarget"])
    if not target.startswith("slackmq."):
        return content
    room, _, name = target.rpartition(".")
    objects = env.domains.python_domain.objects
    found = [full for full in objects if full.startswith(f"{room}.") and full.endswith(f".{name}")]
    if len(found) != 1:
        return content if name in assigned(room) else None
    entry = objects[found[0]]
    return make_refnode(app.builder, str(node["refdoc"]), entry.docname, entry.node_id, content, target)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("doctree-read", write_names_out)
    app.connect("missing-reference", resolve)
