"""What has been posted? Reading, changing and deleting posts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import Unavailable
from connectors.linkedin import web
from connectors.linkedin.content import MENTIONS, TEXT
from connectors.linkedin.platform import LINKEDIN, AuthorUrn, PostUrn, author_of
from connectors.linkedin.text import little_text

_READ = ("r_organization_social",)
_PAGES_ONLY = ("Pages only: LinkedIn lets no app read a member's posts",)


class PostRef(Input):
    """A post."""

    post_urn: PostUrn = Field(description="Of the post, as publishPost gave it.")


class Post(Output):
    """A post as LinkedIn shows it."""

    post_urn: str
    author: str | None
    text: str | None = Field(description="In LinkedIn's little text format, with its escapes.")
    visibility: str | None
    state: str | None = Field(description="PUBLISHED, or DRAFT, PUBLISH_REQUESTED, PUBLISH_FAILED.")
    created_at: datetime | None


@LINKEDIN.read("getPost", PostRef, Post, scopes=_READ, limits=_PAGES_ONLY)
def get_post(call: Call, data: PostRef) -> Post:
    """Read a post of a Page."""
    return _post(web.get(call, f"posts/{web.encoded(data.post_urn)}", needs=("id",)))


class ListPosts(Input):
    """Whose posts to list, the newest first."""

    author: AuthorUrn | None = Field(default=None, description="URN of the Page; the connection's if left out.")
    limit: int = Field(default=50, ge=1, le=500, description="At most so many.")


class PostList(Output):
    """Posts of one author."""

    posts: tuple[Post, ...]


@LINKEDIN.read("listPosts", ListPosts, PostList, scopes=_READ, limits=_PAGES_ONLY)
def list_posts(call: Call, data: ListPosts) -> PostList:
    """List the posts of a Page."""
    author, found = web.encoded(author_of(call, data.author)), list[Post]()
    while len(found) < data.limit:
        count = min(100, data.limit - len(found))
        query = f"q=author&author={author}&count={count}&start={len(found)}&sortBy=CREATED"
        rows = web.get(call, "posts", query, needs=("elements",), finder=True)["elements"]
        if not isinstance(rows, list):
            raise Unavailable("LinkedIn's list of posts cannot be read")
        found += [_post(one) for one in rows if isinstance(one, dict) and "id" in one]
        if len(rows) < count:
            break
    return PostList(posts=tuple(found[: data.limit]))


def _post(found: dict[str, Any]) -> Post:
    return Post(
        post_urn=str(found["id"]),
        author=web.text(found.get("author")),
        text=web.text(found.get("commentary")),
        visibility=web.text(found.get("visibility")),
        state=web.text(found.get("lifecycleState")),
        created_at=web.instant(found.get("createdAt")),
    )


class UpdatePost(PostRef):
    """The new text of a post; nothing else of it can be changed."""

    text: str = TEXT
    mentions: dict[str, AuthorUrn] = MENTIONS

    @model_validator(mode="after")
    def _fits(self) -> UpdatePost:
        little_text(self.text, self.mentions)
        return self


class Done(Output):
    """It is so."""

    done: Literal[True] = True


@LINKEDIN.action(
    "updatePost",
    UpdatePost,
    Done,
    repeat=Resend(),
    why="It sets the text: twice is the same as once.",
    scopes=("w_member_social", "w_organization_social"),
    limits=("3,000 characters",),
)
def update_post(call: Call, data: UpdatePost) -> Done:
    """Replace the text of a post."""
    web.update(call, f"posts/{web.encoded(data.post_urn)}", {"commentary": little_text(data.text, data.mentions)})
    return Done()


@LINKEDIN.action(
    "deletePost",
    PostRef,
    Done,
    repeat=Resend(),
    why="LinkedIn answers a second deletion as it did the first.",
    scopes=("w_member_social", "w_organization_social"),
)
def delete_post(call: Call, data: PostRef) -> Done:
    """Delete a post."""
    web.delete(call, f"posts/{web.encoded(data.post_urn)}")
    return Done()
