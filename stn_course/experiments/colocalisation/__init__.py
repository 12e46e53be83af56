"""Co-localisation: find what pictures have in common, told neither its place nor its class.

The paper's appendix A.2. A hundred pictures of 84×84 pixels hold a digit of one class each. A
spatial transformer crops them, and learns by a triplet loss alone: two crops should be more alike,
to a classifier of digits, than a crop and a random one of the same picture. It learns from the
pictures that it is measured on; no label is used. `search` says what is searched, `learning` how.

What did not come off, in trials on training digits: the paper's kind of localization network, whose
windows all left for a black corner; encodings that are not scaled, by which black crops cost least;
and boxes of a size that is learned, see `class_table(zoom=1.65)`.
"""

from stn_course.experiments.colocalisation.learning import (
    CropLoss,
    Found,
    WindowScores,
    colocalise,
    encode,
    share_right,
    triplet_loss,
    window_theta,
    windows_at,
)
from stn_course.experiments.colocalisation.results import (
    STORED,
    class_table,
    load_found,
    save_found,
)
from stn_course.experiments.colocalisation.search import (
    OURS,
    PRINTED,
    SETS,
    ZOOMS,
    Search,
    make_pictures,
    searches,
)

__all__ = [
    "OURS",
    "PRINTED",
    "SETS",
    "STORED",
    "ZOOMS",
    "CropLoss",
    "Found",
    "Search",
    "WindowScores",
    "class_table",
    "colocalise",
    "encode",
    "load_found",
    "make_pictures",
    "save_found",
    "searches",
    "share_right",
    "triplet_loss",
    "window_theta",
    "windows_at",
]
