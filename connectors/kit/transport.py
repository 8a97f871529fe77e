"""Did a failed request leave this side? By what the sockets saw, else by the wrapped reason's class; never by text."""

from __future__ import annotations

import requests.exceptions as r
import urllib3.exceptions as u

BEFORE_SENDING: frozenset[type[Exception]] = frozenset(
    {
        r.ConnectTimeout,
        r.ProxyError,
        r.SSLError,
        r.URLRequired,
        r.MissingSchema,
        r.InvalidSchema,
        r.InvalidURL,
        r.InvalidHeader,
        r.InvalidProxyURL,
        r.UnrewindableBodyError,
        u.SSLError,
        u.ProxyError,
        u.ConnectTimeoutError,
        u.NewConnectionError,
        u.NameResolutionError,
        u.EmptyPoolError,
        u.FullPoolError,
        u.ClosedPoolError,
        u.HostChangedError,
        u.TimeoutStateError,
        u.LocationValueError,
        u.LocationParseError,
        u.URLSchemeUnknown,
        u.ProxySchemeUnknown,
        u.ProxySchemeUnsupported,
        u.UnrewindableBodyError,
    }
)
"""Raised before a request's first byte is written."""

PERHAPS_SENT: frozenset[type[Exception]] = frozenset(
    {
        r.RequestException,
        r.InvalidJSONError,
        r.JSONDecodeError,
        r.HTTPError,
        r.ConnectionError,
        r.Timeout,
        r.ReadTimeout,
        r.TooManyRedirects,
        r.ChunkedEncodingError,
        r.ContentDecodingError,
        r.StreamConsumedError,
        r.RetryError,
        u.HTTPError,
        u.PoolError,
        u.RequestError,
        u.DecodeError,
        u.ProtocolError,
        u.MaxRetryError,
        u.TimeoutError,
        u.ReadTimeoutError,
        u.ResponseError,
        u.ResponseNotChunked,
        u.BodyNotHttplibCompatible,
        u.IncompleteRead,
        u.InvalidChunkLength,
        u.InvalidHeader,
        u.HeaderParsingError,
    }
)
"""Raised afterwards, or perhaps so; some only wrap the reason that decides."""


def nothing_sent(error: Exception, *, written: bool | None) -> bool:
    """Whether certainly nothing of the request left this side.

    Args:
        written: What the sockets saw (``Wire.written``); None if they did not see the request.
    """
    if written is not None:
        return not written
    return _is_before(_reason(error))


def _reason(error: BaseException) -> BaseException:
    """The innermost reason: requests wraps urllib3's MaxRetryError, which wraps what happened."""
    inner = error.args[0] if isinstance(error, r.RequestException) and error.args else None
    if isinstance(inner, u.HTTPError):
        return _reason(inner)
    if isinstance(error, u.MaxRetryError) and error.reason is not None:
        return _reason(error.reason)
    return error


def _is_before(error: BaseException) -> bool:
    for kind in type(error).__mro__:
        if kind in BEFORE_SENDING:
            return True
        if kind in PERHAPS_SENT:
            return False
    return False
