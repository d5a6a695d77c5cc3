"""Documents in a file, a folder or a zip."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from core.errors import InvalidInput
from knowledge.imports.sources.document import LARGEST_DOCUMENT, Failure, PassedOver, Raw
from knowledge.imports.sources.readers import why_passed_over

MOST_MEMBERS = 20_000
LARGEST_ARCHIVE = 500_000_000
HIGHEST_RATIO = 200
"""Deflate reaches about 1000 on nothing but zeros; text stays below 30."""
SMALL_MEMBER = 1_000_000
"""The size in bytes below which a high ratio is acceptable."""
ARCHIVES = frozenset((".zip", ".gz", ".tar", ".7z", ".rar", ".bz2", ".xz"))

Found = Raw | Failure | PassedOver


def list_file_documents(path: Path) -> Iterator[Found]:
    yield _build_file_document(path, path.name)


def in_folder(folder: Path) -> Iterator[Found]:
    """Yield everything below a folder, except hidden files; files of other kinds are passed over."""
    root = folder.resolve()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if any(part.startswith(".") for part in name.parts) or not path.is_file():
            continue
        reason = why_passed_over(path.name)
        if reason:
            yield PassedOver(name.as_posix(), reason)
            continue
        if not path.resolve().is_relative_to(root):
            yield Failure(name.as_posix(), "it is a link to outside the folder")
            continue
        yield _build_file_document(path, name.as_posix())


def list_zip_documents(path: Path) -> Iterator[Found]:
    """Yield everything in a zip; files of other kinds are passed over.

    Raises:
        InvalidInput: The zip is broken, or would unpack to too much data.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            _refuse_bomb(members)
            for member in sorted(members, key=lambda m: m.filename):
                yield from _build_member_document(archive, member)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise InvalidInput(f"{path.name} is no readable zip: {error}") from error


def _build_file_document(path: Path, uri: str) -> Raw:
    def load_file_bytes() -> bytes:
        try:
            if path.stat().st_size > LARGEST_DOCUMENT:
                raise InvalidInput(f"it is larger than {LARGEST_DOCUMENT // 1_000_000} MB")
            return path.read_bytes()
        except OSError as error:
            raise InvalidInput(f"it cannot be opened: {error.strerror}") from error

    return Raw(uri, path.suffix.lower(), load_file_bytes)


def _refuse_bomb(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS:
        raise InvalidInput(f"the zip has more than {MOST_MEMBERS} files")
    if sum(m.file_size for m in members) > LARGEST_ARCHIVE:
        raise InvalidInput(f"the zip unpacks to more than {LARGEST_ARCHIVE // 1_000_000} MB")
    for member in members:
        if member.file_size > SMALL_MEMBER and member.file_size > HIGHEST_RATIO * max(member.compress_size, 1):
            raise InvalidInput(f"the zip looks like a zip bomb: {member.filename} unpacks to a multiple of its size")


def _build_member_document(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[Found]:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    hidden = any(part.startswith(".") and part != ".." for part in name.parts) or name.parts[0] == "__MACOSX"
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
        yield Failure(member.filename, "its name points outside the zip")
    elif name.suffix.lower() in ARCHIVES:
        yield Failure(str(name), "an archive inside an archive is not opened")
    elif not hidden:
        reason = why_passed_over(str(name))
        yield (
            PassedOver(str(name), reason)
            if reason
            else Raw(str(name), name.suffix.lower(), _make_member_loader(archive, member))
        )


def _make_member_loader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    def load_member() -> bytes:
        if member.flag_bits & 1:
            raise InvalidInput("it is protected by a password")
        try:
            with archive.open(member) as file:
                # The size in the zip's directory may be false, so never read beyond the limit.
                data = file.read(LARGEST_DOCUMENT + 1)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
            raise InvalidInput(f"it cannot be unpacked: {error}") from error
        if len(data) > LARGEST_DOCUMENT:
            raise InvalidInput(f"it is larger than {LARGEST_DOCUMENT // 1_000_000} MB")
        return data

    return load_member
