"""How does Twilio say no? Its error codes, and which violation of the contract gets which code."""

from __future__ import annotations

from connectors.sandbox.contract import Problem, ProblemKind
from connectors.sandbox.platform import Refusal, Reply

# code: (HTTP status, message). Wording ours; clients decide by the code.
_CODES: dict[int, tuple[int, str]] = {
    20001: (400, "Unknown parameters"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20404: (404, "The requested resource was not found"),
    20422: (400, "Invalid parameter"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    20503: (503, "Service Unavailable"),
    21211: (400, "The 'To' number is not a valid phone number"),
    21212: (400, "The 'From' number is not a valid phone number or sender"),
    21408: (400, "Permission to send to the region of the 'To' number is not enabled"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (400, "The 'From' number is not an SMS-capable number of this account"),
    21609: (400, "The 'StatusCallback' URL is not valid"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (400, "The 'From' number has exceeded its maximum number of queued messages"),
    21612: (400, "The 'To' number is not currently reachable from this 'From'"),
    21614: (400, "The 'To' number is not a valid mobile number"),
    21617: (400, "The message body exceeds the 1600 character limit"),
    21620: (400, "Invalid media URL"),
    21623: (400, "Number of media files exceeds the limit"),
    21655: (400, "The ContentSid is invalid"),
    21656: (400, "The ContentVariables parameter is invalid"),
    21705: (400, "The Messaging Service sid is invalid"),
    21910: (400, "The 'From' and 'To' pair must be of the same channel"),
    30409: (400, "The message is in a final state and cannot be changed"),
    35111: (400, "SendAt timestamp is missing"),
    35114: (400, "SendAt must be more than 300 seconds and at most 35 days in the future"),
    35115: (400, "SendAt must be a UTC timestamp of the form YYYY-MM-DDTHH:MM:SSZ"),
    35118: (400, "MessagingServiceSid is required to schedule a message"),
    35126: (400, "The ScheduleType value is not supported"),
    90007: (400, "ValidityPeriod must be between 1 and 36000 seconds"),
}

_DEPENDENT = "dependentRequired"
# (field, rule or None for any) to code; the first that matches is answered.
_CREATE: tuple[tuple[str, str | None, int], ...] = (
    ("To", "required", 21604),
    ("To", None, 21211),
    ("From|MessagingServiceSid", None, 21603),
    ("From", None, 21212),
    ("MessagingServiceSid", _DEPENDENT, 35118),
    ("MessagingServiceSid", None, 21705),
    ("Body|MediaUrl|ContentSid", None, 21602),
    ("Body", "maxLength", 21617),
    ("Body", None, 21602),
    ("MediaUrl", "maxItems", 21623),
    ("MediaUrl", None, 21620),
    ("ContentSid", None, 21655),
    ("SendAt", _DEPENDENT, 35111),
    ("SendAt", None, 35115),
    ("ScheduleType", None, 35126),
    ("ValidityPeriod", None, 90007),
    ("StatusCallback", None, 21609),
)


def error(code: int, detail: str = "") -> Reply:
    """Twilio's error body with the status that belongs to the code."""
    status, message = _CODES[code]
    return Reply(
        status,
        {
            "code": code,
            "message": f"{message}: {detail}" if detail else message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
        headers={"WWW-Authenticate": 'Basic realm="Twilio API"'} if code == 20003 else {},
    )


def refusal(code: int, detail: str = "") -> Refusal:
    """The same, to be raised."""
    return Refusal(error(code, detail))


def refuse(problem: Problem) -> Reply:
    """Twilio's answer to a request that does not fit the contract."""
    match problem.kind:
        case ProblemKind.UNKNOWN_PATH | ProblemKind.PATH:
            return error(20404)
        case ProblemKind.METHOD:
            return error(20004)
        case ProblemKind.CONTENT_TYPE | ProblemKind.MALFORMED_BODY:
            return _unread(problem)
        case _:
            return _unfit(problem)


def _unread(problem: Problem) -> Reply:
    # Fields that are not a form are not seen at all, so the first required one is missing.
    creating = problem.operation is not None and problem.operation.id == "sendSMS"
    return error(21604 if creating else 20422, "send application/x-www-form-urlencoded")


def _unfit(problem: Problem) -> Reply:
    unknown = [found.field for found in problem.violations if found.rule == "additionalProperties"]
    if unknown:
        return error(20001, ", ".join(unknown))
    if problem.operation is not None and problem.operation.id == "sendSMS":
        for field, rule, code in _CREATE:
            if problem.has(field, rule):
                return error(code)
    return error(20422, ", ".join(dict.fromkeys(found.field for found in problem.violations)))
