"""The same report in fewer bytes: smaller pictures of patches, then fewer patches."""

import math
from dataclasses import replace

from skbreast.report._blocks import Text
from skbreast.report._drawing import shrink_picture

__all__ = ["smaller_versions"]

# Longest side in pixels and share of the patches, from nearly all to what may still be looked at.
STEPS = ((192, 1.0), (128, 1.0), (96, 1.0), (96, 0.5), (64, 0.5), (64, 0.25), (64, 0.1), (48, 0.0))


def smaller_versions(sections):
    """Yield the sections as they are, then versions of them that take less and less room.

    Parameters
    ----------
    sections : list of skbreast.report._blocks.Section
        Only their patches shrink; at least one right and one wrong patch of each kind stays.

    Yields
    ------
    list of Section
        A note in each that lost something says so.
    """
    yield sections
    if not any(map(_has_tiles, sections)):
        return
    for max_side, share in STEPS:
        yield [_shrink(each, max_side, share) if _has_tiles(each) else each for each in sections]


def _has_tiles(section):
    return any(block.kind == "tiles" for block in section.blocks)


def _shrink(section, max_side, share):
    blocks = [
        _shrink_tiles(block, max_side, share) if block.kind == "tiles" else block
        for block in section.blocks
    ]
    n_all, n_kept = (_count_tiles(each) for each in (section.blocks, blocks))
    note = (
        f"So that the page can be sent by mail, patches are stored more coarsely here, with sides "
        f"of at most {max_side} pixels"
    )
    note += f", and {n_kept} of {n_all} are shown." if n_kept < n_all else "."
    return replace(section, blocks=[Text(note, tone="note"), *blocks])


def _count_tiles(blocks):
    return sum(len(block.tiles) for block in blocks if block.kind == "tiles")


def _shrink_tiles(block, max_side, share):
    return replace(
        block,
        tiles=[
            replace(tile, pictures=[shrink_picture(each, max_side) for each in tile.pictures])
            for tile in _first(block.tiles, share)
        ],
    )


def _first(tiles, share):
    """Return the first of the right and the first of the wrong ones, in their order."""
    counts = {flagged: sum(tile.flagged == flagged for tile in tiles) for flagged in (False, True)}
    kept = {flagged: max(1, math.ceil(share * count)) for flagged, count in counts.items()}
    chosen = []
    for tile in tiles:
        kept[tile.flagged] -= 1
        if kept[tile.flagged] >= 0:
            chosen.append(tile)
    return chosen
