"""What can be changed at Google Ads? Campaigns and budgets, all of a request or none, or each by itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from connectors.sandbox import google_ads_checks as checks
from connectors.sandbox import google_ads_data as data
from connectors.sandbox.google_ads_failures import Broken, Json, headers, refusal, reply, status
from connectors.sandbox.platform import Call, Refusal, Reply

# Field of an operation, kind of its resources, field of its result, name in the path of an error.
_KINDS = {
    "campaignBudgetOperation": ("campaignBudgets", "campaignBudgetResult", "campaign_budget_operation"),
    "campaignOperation": ("campaigns", "campaignResult", "campaign_operation"),
}


class _Many(Exception):
    """All that is wrong with one operation."""

    def __init__(self, broken: list[Broken]) -> None:
        super().__init__(len(broken))
        self.broken = broken


def mutate_all(call: Call) -> Reply:
    """POST googleAds:mutate: operations of several kinds, which may name each other by temporary names."""
    work: list[tuple[str, Json, list[Json]]] = []
    for index, operation in enumerate(call.body["mutateOperations"]):
        ((field, inner),) = operation.items()
        if field not in _KINDS:
            raise refusal(400, "mutateError", "MUTATE_NOT_ALLOWED", "mutate_operations")
        kind, _, name = _KINDS[field]
        work.append((kind, inner, [{"fieldName": "mutate_operations", "index": index}, {"fieldName": name}]))
    results = _perform(call, work)
    fields = [_KINDS[next(iter(operation))][1] for operation in call.body["mutateOperations"]]
    shown = [{field: result} if result else {} for field, result in zip(fields, results.made, strict=True)]
    return results.reply("mutateOperationResponses", shown)


def mutate_campaigns(call: Call) -> Reply:
    """POST campaigns:mutate."""
    return _of_one_kind(call, "campaigns")


def mutate_budgets(call: Call) -> Reply:
    """POST campaignBudgets:mutate."""
    return _of_one_kind(call, "campaignBudgets")


def _of_one_kind(call: Call, kind: str) -> Reply:
    work = [
        (kind, operation, [{"fieldName": "operations", "index": index}])
        for index, operation in enumerate(call.body["operations"])
    ]
    results = _perform(call, work)
    return results.reply("results", results.made)


class _Results:
    def __init__(self, made: list[Json], errors: list[Json]) -> None:
        self.made, self.errors = made, errors

    def reply(self, field: str, shown: list[Json]) -> Reply:
        partial = {"partialFailureError": _partial(self.errors)} if self.errors else {}
        return Reply(200, {field: shown, **partial}, headers())


def _partial(errors: list[Json]) -> Json:
    # A partial failure's status is a google.rpc.Status: its code is the canonical one's number.
    return {**{name: value for name, value in status(400, errors).items() if name != "status"}, "code": 3}


def _perform(call: Call, work: list[tuple[str, Json, list[Json]]]) -> _Results:
    if data.customer(call)["is_manager"]:
        raise refusal(400, "requestError", "CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT")
    temporary: dict[str, str] = {}
    made: list[Json] = []
    errors: list[Json] = []
    for kind, operation, above in work:
        call.db.execute("SAVEPOINT google_ads_operation")
        try:
            made.append({"resourceName": _one(call, kind, operation, temporary)})
        except _Many as many:
            call.db.execute("ROLLBACK TO google_ads_operation")
            errors += [one.shown(*above) for one in many.broken]
            made.append({})
    if errors and not call.body.get("partialFailure"):
        raise Refusal(reply(400, errors))
    if call.body.get("validateOnly"):
        # Nothing is kept of a dry run.
        raise Refusal(Reply(200, {"partialFailureError": _partial(errors)} if errors else {}, headers()))
    return _Results(made, errors)


def _one(call: Call, kind: str, operation: Json, temporary: dict[str, str]) -> str:
    if len(operation.keys() & {"create", "update", "remove"}) != 1:
        raise _Many([Broken("requestError", "OPERATION_REQUIRED")])
    try:
        if "create" in operation:
            return _create(call, kind, operation["create"], temporary)
        if "update" in operation:
            return _update(call, kind, operation["update"], operation.get("updateMask"))
        return _remove(call, kind, operation["remove"])
    except Broken as broken:
        raise _Many([broken]) from None


def _check(broken: Iterable[Broken]) -> None:
    found = [*broken]
    if found:
        raise _Many(found)


def _create(call: Call, kind: str, given: Json, temporary: dict[str, str]) -> str:
    wanted = given.get("resourceName", "")
    if wanted and not checks.is_temporary(wanted):
        raise Broken("fieldError", "IMMUTABLE_FIELD", "create", "resource_name")
    if wanted:
        # Known also if it breaks a rule: what names it is looked at too.
        temporary[wanted] = ""
    _check(checks.budget(call, given) if kind == "campaignBudgets" else checks.campaign(call, given, temporary))
    content = {name: value for name, value in given.items() if name != "resourceName"}
    if kind == "campaigns":
        content["campaignBudget"] = temporary.get(content["campaignBudget"]) or content["campaignBudget"]
        content.setdefault("status", "ENABLED")
    content.setdefault("name", f"Budget {call.now}")
    n = data.insert(call.db, call.path["customerId"], kind, content, visible_at=call.visible_at)
    resource = f"customers/{call.path['customerId']}/{kind}/{n}"
    temporary[wanted] = resource
    if kind == "campaigns":
        call.effect("createCampaign", str(n), key=content["name"], text=content["name"])
    return resource


def _update(call: Call, kind: str, given: Json, mask: str | None) -> str:
    resource: str = given.get("resourceName", "")
    row = data.find(call, kind, resource)
    if row is None:
        raise Broken("mutateError", "RESOURCE_NOT_FOUND", "update", "resource_name")
    if row["removed"]:
        raise Broken("operationAccessDeniedError", "OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE", "update")
    leaves = checks.mask(mask, "Campaign" if kind == "campaigns" else "CampaignBudget")
    content = _with(json.loads(row["content"]), given, leaves)
    _check(_broken_by(call, kind, content, given, leaves, besides=row["n"]))
    call.db.execute(
        "UPDATE google_ads_object SET content = ?, name = ? WHERE n = ?",
        (json.dumps(content), content["name"], row["n"]),
    )
    call.effect(_action(call, kind, content, leaves), str(row["n"]))
    return resource


def _with(content: Json, given: Json, leaves: list[list[str]]) -> Json:
    found = dict(content)
    for field, *rest in leaves:
        if field in data.BIDDING:
            found = {name: value for name, value in found.items() if name not in data.BIDDING or name == field}
        if not rest:
            found[field] = given.get(field)
            continue
        # A leaf that is named and not given is taken away.
        inner = {**found.get(field, {}), rest[0]: given.get(field, {}).get(rest[0])}
        found[field] = {name: value for name, value in inner.items() if value is not None}
    return found


def _broken_by(
    call: Call, kind: str, content: Json, given: Json, leaves: list[list[str]], *, besides: int
) -> Iterator[Broken]:
    fields = {one[0] for one in leaves}
    if "name" in fields and data.is_taken(call, kind, content["name"], besides=besides):
        code = ("campaignError", "DUPLICATE_CAMPAIGN_NAME") if kind == "campaigns" else _DUPLICATE
        yield Broken(*code, "update", "name")
    if "amountMicros" in fields:
        yield from checks.money(given.get("amountMicros", -1), "update", "amount_micros")
    if "status" in fields and given.get("status") not in ("ENABLED", "PAUSED"):
        yield Broken("fieldError", "INVALID_VALUE", "update", "status")
    if fields & set(data.BIDDING):
        yield from checks.bidding(content, "update")


_DUPLICATE = ("campaignBudgetError", "DUPLICATE_NAME")


def _action(call: Call, kind: str, content: Json, leaves: list[list[str]]) -> str:
    fields = {one[0] for one in leaves}
    if kind == "campaignBudgets":
        return "adjustBudget"
    if fields & set(data.BIDDING):
        return "updateBidStrategy"
    if fields != {"status"}:
        return "updateCampaign"
    if call.body.get("partialFailure"):
        return "setCampaignStatuses"
    return "enableCampaign" if content["status"] == "ENABLED" else "pauseCampaign"


def _remove(call: Call, kind: str, resource: str) -> str:
    row = data.find(call, kind, resource)
    if row is None:
        raise Broken("mutateError", "RESOURCE_NOT_FOUND", "remove")
    if row["removed"]:
        raise Broken("operationAccessDeniedError", "OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE", "remove")
    if kind == "campaignBudgets" and data.users(call.db, row["customer"], resource):
        raise Broken("campaignBudgetError", "CAMPAIGN_BUDGET_IN_USE", "remove")
    call.db.execute("UPDATE google_ads_object SET removed = 1 WHERE n = ?", (row["n"],))
    call.effect("removeCampaign" if kind == "campaigns" else "removeBudget", str(row["n"]))
    return resource
