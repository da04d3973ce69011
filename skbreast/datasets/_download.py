"""Download one file: only from https, resumable, verified, moved into place when complete."""

import hashlib
import http.client
import ipaddress
import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

__all__ = ["check_url", "download", "file_digest", "progress_bar", "verify"]

ATTEMPTS = 5
BLOCK_BYTES = 1 << 20
TIMEOUT_SECONDS = 60


class _CutOffError(OSError):
    """The connection broke; what came so far is in the partial file."""


def download(url, path, *, checksum=None, progress=True):
    """Download `url` to `path`, going on where an earlier attempt was cut off.

    The bytes go to ``<path>.part``, which is verified and then moved. A download is gone on with
    only if the server says that the file is still the one that was begun, or if `checksum` is
    known; else it begins again.

    Parameters
    ----------
    url : str
        Address; https, or http on this machine itself.
    path : path-like
        Where the file goes. Its folder is made.
    checksum : str, optional
        ``"<algorithm>:<hexadecimal digest>"``, with md5 or sha256, for instance.
    progress : bool, default=True
        Show a progress bar on stderr.

    Returns
    -------
    Path
        The complete file.

    Raises
    ------
    ValueError
        If the address isn't allowed or the checksum doesn't match; the file is removed then.
    OSError
        If the server refuses, can't be reached, breaks off too often, or the disk is full.
    """
    check_url(url)
    path = Path(path)
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with progress_bar(progress) as bar:
        task = bar.add_task(path.name, total=None)
        for attempt in range(ATTEMPTS):
            try:
                _receive(url, part, checksum is not None, lambda **now: bar.update(task, **now))
                break
            except _CutOffError as error:
                if attempt == ATTEMPTS - 1:
                    raise OSError(
                        f"{url}: {error}, {ATTEMPTS} times; call again to go on with {part}."
                    ) from error
    if checksum is not None:
        _verify_or_remove(part, checksum, url)
    _validator_file(part).unlink(missing_ok=True)
    return part.replace(path)


def verify(path, checksum, *, source):
    """Compare a file with its ``"<algorithm>:<digest>"``, raise a ValueError if they differ."""
    algorithm, _, expected = checksum.partition(":")
    found = file_digest(path, algorithm)
    if found != expected.lower():
        raise ValueError(
            f"{source}: the {algorithm} checksum is {found} instead of {expected}. Either the "
            "file was damaged on its way (remove it, try again), or it isn't the one published."
        )


def file_digest(path, algorithm="sha256"):
    """Return the digest of a file in hexadecimal."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, algorithm).hexdigest()
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"checksum must look like 'md5:<digest>' or 'sha256:<digest>'; got {algorithm!r}."
        ) from error


def _verify_or_remove(part, checksum, url):
    try:
        verify(part, checksum, source=url)
    except ValueError:
        part.unlink()
        _validator_file(part).unlink(missing_ok=True)
        raise


def check_url(url):
    """Raise a ValueError unless `url` is https, or http on this machine itself."""
    parts = urlsplit(url)
    if not (parts.scheme == "https" and parts.hostname) and not _is_local(url):
        raise ValueError(
            f"url must begin with https:// (http:// only for this machine itself); got {url!r}."
        )


def _is_local(url):
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        return False
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def progress_bar(visible):
    """Return a progress bar for bytes, on stderr."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not visible,
    )


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follow a redirection only if it is as safe as the address that was asked for."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        check_url(newurl)
        if _is_local(newurl) and not _is_local(req.full_url):
            raise ValueError(f"{req.full_url} redirects to this machine itself: {newurl!r}.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url, headers):
    handlers = [_SafeRedirects()]
    if _is_local(url):
        handlers.append(urllib.request.ProxyHandler({}))
    headers = {"User-Agent": "skbreast", "Accept-Encoding": "identity", **headers}
    request = urllib.request.Request(url, headers=headers)
    try:
        return urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            return error
        raise OSError(f"{url}: the server answered {error.code} {error.reason}.") from error
    except urllib.error.URLError as error:
        raise OSError(f"{url}: cannot be reached ({error.reason}).") from error
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _CutOffError(f"no answer ({error!r})") from error


def _receive(url, part, has_checksum, update):
    """Make one request, and append to `part` what comes."""
    have = part.stat().st_size if part.exists() else 0
    with _open(url, _resume_headers(part, have, has_checksum)) as response:
        start, total = _read_range(response)
        if response.status == 416 and have and total == have:
            return
        if response.status == 416 or start not in (0, have):
            part.unlink(missing_ok=True)
            raise _CutOffError("the server cannot go on where the partial file ends")
        _check_space(part, total, start)
        _keep_validator(part, response.headers)
        update(completed=start, total=total)
        with part.open("ab" if start else "wb") as file:
            _copy(response, file, lambda size: update(completed=size))
            size = file.tell()
    if total is not None and size != total:
        if size > total:
            part.unlink()
        raise _CutOffError(f"{size:,} of {total:,} bytes came")


def _resume_headers(part, have, has_checksum):
    """Ask for the rest, but only of the very file that was begun."""
    if not have:
        return {}
    validator = _validator_file(part)
    if validator.exists():
        return {"Range": f"bytes={have}-", "If-Range": validator.read_text(encoding="latin-1")}
    return {"Range": f"bytes={have}-"} if has_checksum else {}


def _read_range(response):
    """Return where the answer begins, and the size of the whole file if it is known."""
    length = response.headers.get("Content-Length")
    if response.status == 200:
        return 0, None if length is None else int(length)
    pattern = r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)"
    match = re.fullmatch(pattern, response.headers.get("Content-Range", "").strip())
    if match is None:
        return -1, None
    return int(match[1] or -1), None if match[2] == "*" else int(match[2])


def _copy(response, file, tell):
    try:
        while block := response.read(BLOCK_BYTES):
            file.write(block)
            tell(file.tell())
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _CutOffError(f"the connection broke ({error!r})") from error


def _check_space(part, total, start):
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - start > free:
        raise OSError(f"{part.parent} has {free:,} bytes left; {total - start:,} are needed.")


def _keep_validator(part, headers):
    """Remember what identifies this version of the file, for the If-Range of a later request."""
    etag = headers.get("ETag", "")
    validator = etag if etag.startswith('"') else headers.get("Last-Modified", "")
    if validator and validator.isprintable():
        _validator_file(part).write_text(validator, encoding="latin-1")
    else:
        _validator_file(part).unlink(missing_ok=True)


def _validator_file(part):
    return part.with_name(part.name + ".version")
