"""What people see who operate a queue, read from what Slack holds, and what they may do about it."""

from slackmq.operating.figures import Figures, figures_of
from slackmq.operating.life import Life, Step
from slackmq.operating.link import Place, place_of
from slackmq.operating.look import Look, looking
from slackmq.operating.purging import Purged, purging
from slackmq.operating.turns import turns

__all__ = [
    "Figures",
    "Life",
    "Look",
    "Place",
    "Purged",
    "Step",
    "figures_of",
    "looking",
    "place_of",
    "purging",
    "turns",
]
