"""Reading a form that brings a file: who sends it is known first, and how large it may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from litestar import Request
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.handlers import BaseRouteHandler

from tallystick.api.services import services_of
from tallystick.releases.errors import ReleaseTooLargeError
from tallystick.releases.model import FILE_BYTES_MAX
from tallystick.web.caller import person
from tallystick.web.forms import FormInvalidError, read_form

#: A file of the largest size, the other fields, and what stands between them.
UPLOAD_BYTES_MAX: Final = FILE_BYTES_MAX + (64 << 10)
_FIELDS: Final = ("file", "name", "sha256", "source")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file with what was filled in beside it; `name` is the file's own where none was given."""

    name: str
    sha256: str | None
    source: bool
    data: bytes


async def need_manager(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Raise before anything of a file is read, unless its sender is known and manages the release."""
    services = services_of(connection)
    caller = await sync_to_thread(person, connection, services)  # type: ignore[arg-type]
    await sync_to_thread(services.releases.artifacts.check_may_add, caller, connection.path_params["release_id"])


async def read_upload(request: Request[Any, Any, Any]) -> Upload:
    """Return the file of a form; raises FormInvalidError, FormTooLargeError, ReleaseTooLargeError."""
    sent = await _parts(request)
    file = sent.get("file")
    if set(sent) - set(_FIELDS) or not isinstance(file, UploadFile):
        raise FormInvalidError("the form has no file, or a field that this page does not have")
    texts = {name: value.strip() for name in _FIELDS[1:] if isinstance(value := sent.get(name, ""), str)}
    # A browser may send the path that the file had where it comes from; only its name is taken.
    own_name = file.filename.replace("\\", "/").rpartition("/")[2]
    data = await file.read()
    await file.close()
    return Upload(texts.get("name") or own_name, texts.get("sha256") or None, bool(texts.get("source")), data)


async def _parts(request: Request[Any, Any, Any]) -> FormMultiDict:
    if request.content_type[0] != RequestEncodingType.MULTI_PART:
        await read_form(request)  # which bounds it, and names what does not belong there
        raise FormInvalidError("the form has no file")
    try:
        return await request.form()
    except RequestEntityTooLarge as error:
        raise ReleaseTooLargeError(f"the file is too large; at most {FILE_BYTES_MAX:,} bytes are stored") from error
    except ClientException as error:
        raise FormInvalidError("the form with the file cannot be read") from error


#: For `dependencies=UPLOAD` on a route, whose handler then takes `upload: NamedDependency[Upload]`.
UPLOAD: Final = {"upload": Provide(read_upload)}
