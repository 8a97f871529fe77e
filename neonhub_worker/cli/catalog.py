"""``neonhub catalog``: every action, with its input, its limits and what happens when its outcome is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from neonhub_worker.cli.output import AsJson, print_json, table
from neonhub_worker.errors import FieldError, InvalidInput

if TYPE_CHECKING:
    from connectors.kit.action import Action, Input, Output


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command()(catalog)


def catalog(
    name: Annotated[str | None, typer.Argument(metavar="[ACTION]", help="An action, or a connector's slug.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the actions, or show one whole."""
    from connectors import registry

    actions = [action for connector in registry.CONNECTORS for action in connector.actions.values()]
    if name is not None and "." in name:
        try:
            _show(registry.action(name), as_json=as_json)
        except registry.UnknownAction as error:
            raise InvalidInput([FieldError("action", str(error))]) from None
        return
    chosen = [action for action in actions if name in (None, action.slug)]
    if not chosen:
        slugs = ", ".join(connector.slug for connector in registry.CONNECTORS)
        raise InvalidInput([FieldError("connector", f"no connector {name!r}; there are {slugs}")])
    if as_json:
        print_json([_data(action) for action in chosen])
        return
    table(
        ("action", "if the outcome is unknown", "what it does"),
        ((action.full_name, type(action.repeat).__name__, action.description) for action in chosen),
    )


def _data(action: Action[Input, Output]) -> dict[str, Any]:
    return {
        "action": action.full_name,
        "task": action.task_name,
        "description": action.description,
        "repeat_policy": type(action.repeat).__name__,
        "why": action.why,
        "changes_the_outside_world": action.effect,
        "scopes": list(action.scopes),
        "limits": list(action.limits),
        "pace": [{"count": one.count, "per_s": one.per_s, "of": one.of} for one in action.pace],
        "cost": action.cost,
        "retry": {
            "max_retries": action.retry.max_retries,
            "retry_backoff": action.retry.retry_backoff,
            "retry_backoff_max": action.retry.retry_backoff_max,
            "retry_jitter": action.retry.retry_jitter,
        },
        "input": action.input.model_json_schema(),
        "output": action.output.model_json_schema(),
    }


def _show(action: Action[Input, Output], *, as_json: bool) -> None:
    data = _data(action)
    if as_json:
        print_json(data)
        return
    print(f"{action.full_name}: {action.description}\n")
    print(f"If the outcome is unknown: {data['repeat_policy']}. {action.why}")
    for limit in action.limits:
        print(f"Limit: {limit}")
    for pace in action.pace:
        print(f"Pace: at most {pace.count} in {pace.per_s:g} s for each {pace.of}")
    if action.scopes:
        print(f"Scopes: {', '.join(action.scopes)}")
    if action.cost:
        print(f"Cost: {action.cost}")
    required = set(data["input"].get("required", ()))
    print("\nInput:")
    table(
        ("field", "needed", "meaning"),
        (
            (field, "yes" if field in required else "", schema.get("description"))
            for field, schema in data["input"]["properties"].items()
        ),
    )
