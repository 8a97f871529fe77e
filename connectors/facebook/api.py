"""How is Facebook's part of the Graph API called? With the app's proof, for one ad account and one Page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from connectors.dialects.meta_graph import FACEBOOK_HOST, Graph, NodeId
from connectors.facebook.errors import RULES
from connectors.kit.errors import AuthExpired, InvalidRequest, OutcomeUnknown, Permission, Unavailable, looking
from connectors.kit.fields import Secret
from connectors.kit.oauth import OAuthCredential

if TYPE_CHECKING:
    from connectors.kit.call import Call

HOSTS = (FACEBOOK_HOST,)
AccountId = Annotated[str, StringConstraints(pattern=r"^act_[0-9]{1,32}$")]

_MOST_PAGES = 20
_PAGE = 100


class FacebookCredential(OAuthCredential):
    """An app, and the token of a person or of a system user (which has no end)."""

    page_access_token: Secret | None = Field(
        default=None, description="Token of the Page; fetched with the access token for each call if left out."
    )


class FacebookSettings(BaseModel):
    """Which ad account and which Page; either may be left out if it is not used."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ad_account_id: AccountId | None = Field(default=None, description="The ad account: act_ and digits.")
    page_id: NodeId | None = Field(default=None, description="The Page that posts, and that ads speak for.")


def graph(call: Call) -> Graph:
    """The Graph API with the connection's token.

    Raises:
        AuthExpired: There is no access token (yet).
    """
    credential = call.credential_as(FacebookCredential)
    if credential.access_token is None:
        raise AuthExpired("the connection has no access token; add its consent anew")
    return _graph(call, credential.access_token)


def page_graph(call: Call) -> Graph:
    """The Graph API with the Page's own token, which it wants for everything that a Page does.

    Raises:
        Permission: The connection's token may not act for the Page.
    """
    token = call.credential_as(FacebookCredential).page_access_token
    if token is not None:
        return _graph(call, token)
    found = graph(call).get(page(call), fields="access_token").get("access_token")
    if not isinstance(found, str) or not found:
        raise Permission("page_id: the connection's token may not act for this Page; nothing was sent")
    return _graph(call, SecretStr(found))


def _graph(call: Call, token: SecretStr) -> Graph:
    secret = call.credential_as(FacebookCredential).client_secret
    return Graph(call, token=token, rules=RULES, app_secret=secret)


def account(call: Call) -> str:
    """The connection's ad account.

    Raises:
        InvalidRequest: Its settings name none.
    """
    found = call.settings_as(FacebookSettings).ad_account_id
    if found is None:
        raise InvalidRequest("ad_account_id: the connection's settings must name the ad account; nothing was sent")
    return found


def page(call: Call) -> str:
    """The connection's Page.

    Raises:
        InvalidRequest: Its settings name none.
    """
    found = call.settings_as(FacebookSettings).page_id
    if found is None:
        raise InvalidRequest("page_id: the connection's settings must name the Page; nothing was sent")
    return found


def mark(call: Call) -> str:
    """What the names of this run's objects carry, to find them by."""
    return f"nh-{call.key}"


def named(call: Call, name: str) -> dict[str, Any]:
    """A name with the run's mark, and the mark as a label besides."""
    return {"name": f"{name} [{mark(call)}]", "adlabels": [{"name": mark(call)}]}


def made_id(made: Mapping[str, Any], what: str) -> str:
    """The id of what was created.

    Raises:
        OutcomeUnknown: The answer holds none that can be read.
    """
    found = made.get("id")
    if isinstance(found, str) and found:
        return found
    raise OutcomeUnknown(f"{what}: Meta's answer holds no readable id", http_status=200)


def rows(found: Mapping[str, Any], what: str) -> list[dict[str, Any]]:
    """The rows of a page.

    Raises:
        Unavailable: It holds none that can be read.
    """
    data = found.get("data")
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise Unavailable(f"{what}: Meta's answer is not readable", http_status=200)
    return data


def listed(source: Graph, path: str, **params: Any) -> Iterator[dict[str, Any]]:
    """The rows of all pages of an edge.

    Raises:
        Unavailable: There are more pages than may be read.
        ConnectorError: Meta did not answer with a list.
    """
    after: str | None = None
    for _ in range(_MOST_PAGES):
        found = source.get(path, needs=("data",), limit=_PAGE, after=after, **params)
        yield from rows(found, path.partition("/")[2])
        after = after_of(found)
        if after is None:
            return
    raise Unavailable(f"{path.partition('/')[2]}: more than {_MOST_PAGES} pages of {_PAGE}; ask for less")


def after_of(found: Mapping[str, Any]) -> str | None:
    """The cursor of the next page; None if this is the last: only then there is no ``next``."""
    paging = found.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return after if isinstance(after, str) and after else None


def find_marked(call: Call, edge: str, *, fields: str = "id,name") -> dict[str, Any] | None:
    """The one object of the ad account whose name carries this run's mark; None if there is none.

    Args:
        fields: What to read of it; id and name at least.

    Raises:
        OutcomeUnknown: There are several, or Meta refuses to tell.
    """
    wanted = mark(call)
    filtering = json.dumps([{"field": "name", "operator": "CONTAIN", "value": wanted}])
    with looking():
        rows_ = [*listed(graph(call), f"{account(call)}/{edge}", fields=fields, filtering=filtering)]
    found = [row for row in rows_ if wanted in str(row.get("name"))]
    if len(found) > 1:
        ids = ", ".join(str(row.get("id")) for row in found)
        raise OutcomeUnknown(f"ambiguous: {len(found)} {edge} carry this run's mark: {ids}")
    return found[0] if found else None
