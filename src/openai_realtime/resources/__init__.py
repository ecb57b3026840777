"""The nouns of the protocol: one class each, the same in both directions."""

from __future__ import annotations

from .anomaly import *
from .audio import *
from .calls import *
from .formatted import *
from .items import *
from .limits import *
from .response import *
from .secrets import *
from .seed_names import *
from .session import *
from .tools import *
from .transcript import *
from .translation import *
from .usage import *
