"""The cache of masks, shared with lacuna: same folder, same file names, hashed at every use."""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from .publish import publish
from .registry import BrainMaskMetadata

log = logging.getLogger(__name__)

SHA256 = "sha256"
CONTENT_SHA256 = "content_sha256"


@dataclass(frozen=True)
class Origin:
    """Where the bytes of a mask came from, and how they were verified.

    Attributes
    ----------
    location : str
        The URL, or the copy as the table of mirrors writes it.
    recoded : bool
        Whether it was stored differently there, and recoded to the canonical encoding.
    verified_by : str
        ``"sha256"``, or ``"content_sha256"`` if only the gunzipped bytes are the registered ones.
    """

    location: str
    recoded: bool
    verified_by: str


@dataclass(frozen=True)
class Verified:
    """The bytes of a mask, verified, and where they came from."""

    data: bytes
    origin: Origin

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


class Cache:
    """Verified masks in one folder.

    A file under lacuna's name always has the registered SHA-256. A mask that only has the
    registered content (another deflate library made the file) is kept under a name of its own,
    because lacuna would take it for damaged.

    Parameters
    ----------
    folder
        The folder; it need not exist.
    """

    def __init__(self, folder) -> None:
        self.folder = Path(folder)

    def path(self, mask: BrainMaskMetadata, verified_by: str = SHA256) -> Path:
        """Return the path at which a mask is kept."""
        suffix = "" if verified_by == SHA256 else "_recoded"
        return self.folder / f"{mask.name}_desc-brain_mask{suffix}.nii.gz"

    def load(self, mask: BrainMaskMetadata) -> Verified | None:
        """Return a mask if it is there and verifies; set a damaged file aside."""
        return self._load_registered(mask) or self._load_recoded(mask)

    def store(self, mask: BrainMaskMetadata, found: Verified) -> Path:
        """Keep a verified mask, and a note of where it came from.

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        path = self.path(mask, found.origin.verified_by)
        publish(found.data, path)
        publish(json.dumps({"sha256": found.sha256} | asdict(found.origin)).encode(), _note(path))
        return path

    def _load_registered(self, mask: BrainMaskMetadata) -> Verified | None:
        path = self.path(mask)
        data = _read(path)
        if data is None:
            return None
        found = hashlib.sha256(data).hexdigest()
        if found == mask.sha256:
            return Verified(data, _origin(path, found))
        _set_aside(path, f"has SHA-256 {found}, expected {mask.sha256}")
        return None

    def _load_recoded(self, mask: BrainMaskMetadata) -> Verified | None:
        from .image import content_limit
        from .stream import gunzip

        path = self.path(mask, CONTENT_SHA256)
        data = _read(path)
        if data is None:
            return None
        stream = gunzip(data, content_limit(mask.size))
        content = hashlib.sha256(stream.content).hexdigest()
        if content == mask.content_sha256 and not stream.problem:
            return Verified(data, _origin(path, hashlib.sha256(data).hexdigest(), CONTENT_SHA256))
        _set_aside(path, f"has content of SHA-256 {content}, expected {mask.content_sha256}")
        return None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as err:
        log.warning("cached file %s cannot be read (%s); it is not used", path, err.strerror)
        return None


def _note(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".nii.gz") + ".source.json")


def _origin(path: Path, sha256: str, verified_by: str = SHA256) -> Origin:
    """Return the origin that was noted for a cached file, or the cache itself if none was."""
    try:
        note = json.loads(_note(path).read_text(encoding="utf-8"))
        if note.pop("sha256") == sha256:
            return Origin(**note)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # lacuna, or a person, put the file there
    return Origin(f"cache:{path.name}", recoded=False, verified_by=verified_by)


def _set_aside(path: Path, reason: str) -> None:
    aside = path.with_name(f"{path.name}.damaged-1")
    try:
        path.replace(aside)
    except OSError as err:
        log.warning("cached file %s %s; it cannot be set aside (%s)", path, reason, err.strerror)
    else:
        log.warning("cached file %s %s; set aside as %s", path, reason, aside.name)
