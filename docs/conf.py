"""How Sphinx builds these pages: MyST text, furo's clothes, every reference checked."""

from __future__ import annotations

from importlib.metadata import version as version_of
from typing import TYPE_CHECKING

from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
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


def resolve_bare_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | nodes.TextElement | None:
    """Link a name in an annotation, which Python keeps as it was written, to the one page that documents it.

    A name that we do not document is somebody else's and stays plain text. One that is written in full and begins
    with `slackmq.` must be found: returning None makes Sphinx complain.
    """
    if node.get("refdomain") != "py":
        return None
    target = str(node.get("reftarget", ""))
    if target.startswith("slackmq."):
        return None
    domain = env.domains.python_domain
    found = {entry.docname: name for name, entry in domain.objects.items() if name.endswith(f".{target}")}
    if len(found) != 1:
        return content
    [(page, name)] = found.items()
    return make_refnode(app.builder, str(node["refdoc"]), page, domain.objects[name].node_id, content, name)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("missing-reference", resolve_bare_name)
