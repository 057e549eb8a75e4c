"""Verified binary brain masks: what scripts, rules and notebooks share.

It knows nothing of Snakemake, and imports nothing heavy before it is needed.
"""

from .checks import CHECKS_VERSION
from .compare import compare_to_mask
from .draw import DRAWING_VERSION
from .errors import FetchError, InvalidMaskError, MaskError, RegistryError, UnknownMaskError
from .images import IMAGES_VERSION, RESERVED, read_images
from .load import load_brain_mask, shipped_registry
from .mirrors import read_mirrors
from .names import closest, mask_name
from .overlay import OVERLAY_VERSION
from .registry import BrainMaskMetadata, read_registry
from .settings import cache_folder, is_offline, read_settings, user_path
from .steps import fetched_damage, published_damage
from .tabulate import TABLE_VERSION
from .tabulate_images import IMAGES_TABLE_VERSION
from .verdicts import Comparison
from .version import __version__

__all__ = [
    "BRAIN_MASK_REGISTRY",
    "CHECKS_VERSION",
    "DRAWING_VERSION",
    "IMAGES_TABLE_VERSION",
    "IMAGES_VERSION",
    "OVERLAY_VERSION",
    "RESERVED",
    "TABLE_VERSION",
    "BrainMaskMetadata",
    "Comparison",
    "FetchError",
    "InvalidMaskError",
    "MaskError",
    "RegistryError",
    "UnknownMaskError",
    "__version__",
    "cache_folder",
    "closest",
    "compare_to_mask",
    "fetched_damage",
    "is_offline",
    "load_brain_mask",
    "mask_name",
    "published_damage",
    "read_images",
    "read_mirrors",
    "read_registry",
    "read_settings",
    "user_path",
]


def __getattr__(name: str):
    # The tables are read when somebody asks for them, not when a script imports the package.
    if name == "BRAIN_MASK_REGISTRY":
        return shipped_registry()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
