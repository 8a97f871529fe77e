"""What do the codes of the Marketing API and of Pages mean, besides those of the whole Graph API?"""

from __future__ import annotations

from connectors.dialects.meta_graph_errors import Rules, Table
from connectors.kit.errors import InvalidRequest, OutcomeUnknown, PolicyRejected, RateLimited

DUPLICATES = frozenset({"506", "1366051"})
"""The Page's last post says the same, or the photos are posted already."""

# Meta puts these into the code or into the subcode.
_EITHER: Table = {
    # Rules of campaigns, ad sets, ads and creatives.
    InvalidRequest: "1487000-1487999 1885000-1885999",
    PolicyRejected: "506 1366051 1346003 1404006 1404078 1404102 1404112 1609008 4854002",
    RateLimited: "1390008 1487742",
    OutcomeUnknown: "1349193 1363047 1609010",
}

RULES = Rules.of(
    codes={
        **_EITHER,
        InvalidRequest: f"2500 {_EITHER[InvalidRequest]}",
        RateLimited: "341 1390008 80000-80006 80009 80014",
    },
    subcodes={**_EITHER, InvalidRequest: f"4834011 {_EITHER[InvalidRequest]}"},
    # Meta says only that posting was too fast.
    waits_s={1390008: 300.0},
    hints={
        17: "the account's calls are used up, or an ad set's budget was changed four times within the hour",
        506: "the Page's last post says the same",
        1366051: "these photos are posted already",
        1390008: "posting too fast",
        1404078: "the Page needs publishing authorization; its owner has to look",
        4834011: "a campaign without a budget must say whether its ad sets share theirs",
    },
)
